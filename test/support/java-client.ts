import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { codeOf } from '../../core/errors.ts';
import { projectRoot, resolveHome } from '../../core/home.ts';
import { runCommand } from '../../core/run-command.ts';

const fixture = path.join(projectRoot, 'test', 'fixtures', 'java-client');

/**
 * The class path of the compiled program ClientCheck with ClickHouse's Java client, fetched from Maven Central
 * and compiled on first use.
 */
export async function javaClientClassPath(): Promise<string> {
  const sources = ['pom.xml', 'ClientCheck.java'].map((name) => path.join(fixture, name));
  const hash = createHash('sha256');
  for (const source of sources) hash.update(readFileSync(source));
  const folder = path.join(resolveHome().cache, 'test', `java-client-${hash.digest('hex').slice(0, 12)}`);
  if (!existsSync(folder)) {
    mkdirSync(path.dirname(folder), { recursive: true });
    const staging = mkdtempSync(`${folder}.`);
    try {
      await build(staging);
      renameSync(staging, folder);
    } catch (error) {
      rmSync(staging, { recursive: true, force: true });
      // Another run was faster; its folder is the same.
      if (codeOf(error) !== 'ENOTEMPTY' && codeOf(error) !== 'EEXIST') throw error;
    }
  }
  return [path.join(folder, 'classes'), path.join(folder, 'jars', '*')].join(path.delimiter);
}

async function build(folder: string): Promise<void> {
  const jars = path.join(folder, 'jars');
  const pom = path.join(fixture, 'pom.xml');
  await runCommand('mvn', ['-B', '-q', '-C', '-f', pom, `-Djars.folder=${jars}`, 'generate-resources'], {
    purpose: 'Fetching the Java client',
    timeoutMs: 170_000,
  });
  const classes = path.join(folder, 'classes');
  await runCommand(
    'javac',
    ['-cp', path.join(jars, '*'), '-d', classes, path.join(fixture, 'ClientCheck.java')],
    {
      purpose: 'Compiling the check of the Java client',
      timeoutMs: 60_000,
    },
  );
}
