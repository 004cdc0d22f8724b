import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { projectRoot } from '../../../core/home.ts';

const name = /\b[A-Z][A-Z0-9]+(?:_[A-Z0-9]+)*\b/g;
/** What the machine sets for its tools is not the pipeline's to document. */
const notOurs = new Set(['JAVA_HOME', 'MAVEN_OPTS', 'PATH', 'UV_THREADPOOL_SIZE']);

function read(file: string): string {
  return readFileSync(path.join(projectRoot, file), 'utf8');
}

function filesOf(area: string, extension: string): string[] {
  return readdirSync(path.join(projectRoot, area), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith(extension))
    .map((file) => path.join(area, file));
}

function namesIn(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].flatMap(([found]) => found.match(name) ?? []);
}

test('.env.example lists every setting that is read from the environment, and no other', () => {
  const areas = [
    'cli',
    'clickhouse',
    'controlplane',
    'core',
    'demo',
    'embedded',
    'producers',
    'schemas',
    'superset',
    'targets',
  ];
  const sources = areas.flatMap((area) => filesOf(area, '.ts')).map(read);
  const keyed = [
    'embedded/settings.ts',
    'embedded/sink/resolve-sink.ts',
    'controlplane/secret-hash.ts',
    'controlplane/watch/settings.ts',
    'superset/api/access.ts',
  ];
  const settings = new Set([
    ...sources.flatMap((source) => namesIn(source, /\benv\['[A-Z_0-9]+'\]/g)),
    ...filesOf('targets', '.yaml')
      .map((file) => read(file).replaceAll(/^\s*#.*$/gm, ''))
      .flatMap((target) => namesIn(target, /\$\{[A-Z_0-9]+/g)),
    ...namesIn(read('docker-compose.yml'), /(?:\$\{|environment: )[A-Z_0-9]+/g),
    ...keyed.flatMap((file) => namesIn(read(file), /^ +[A-Z_0-9]+: |[:=] '[A-Z_0-9]+'[,;]?$/gm)),
  ]);
  const listed = namesIn(read('.env.example'), /^#?[A-Z_0-9]+=/gm);
  expect(listed.filter((entry, index) => listed.indexOf(entry) !== index)).toEqual([]);
  // Read by tests alone.
  const expected = [...settings, 'CONFLUENT_OPENAPI'].filter((entry) => !notOurs.has(entry));
  expect(listed.sort()).toEqual(expected.sort());
});
