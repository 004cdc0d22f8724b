import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { fetchJars, missingJars } from '../../../embedded/jars/fetch-jars.ts';

/** Stands in for Maven: counts its calls and puts one jar where the real one would. */
const fakeMaven = `#!/bin/sh
echo called >> "$CALLS"
for argument in "$@"; do
  case "$argument" in -Djars.folder=*) folder="\${argument#-Djars.folder=}";; esac
done
mkdir -p "$folder"
echo jar > "$folder/one.jar"
`;

let cacheFolder: string;

beforeEach(() => {
  cacheFolder = mkdtempSync(path.join(tmpdir(), 'billing-cache-'));
  onTestFinished(() => {
    vi.unstubAllEnvs();
    rmSync(cacheFolder, { recursive: true, force: true });
  });
  const programs = path.join(cacheFolder, 'programs');
  mkdirSync(programs);
  writeFileSync(path.join(programs, 'mvn'), fakeMaven, { mode: 0o755 });
  vi.stubEnv('PATH', `${programs}${path.delimiter}${process.env['PATH'] ?? ''}`);
  vi.stubEnv('CALLS', path.join(cacheFolder, 'calls'));
});

function calls(): number {
  return readFileSync(path.join(cacheFolder, 'calls'), 'utf8').trim().split('\n').length;
}

test('jars are fetched once and found in the cache from then on', async () => {
  expect(missingJars(['kafka'], cacheFolder)).toEqual(['kafka']);
  const folder = await fetchJars('kafka', { cacheFolder });
  expect(readdirSync(folder)).toEqual(['one.jar']);
  expect(missingJars(['kafka'], cacheFolder)).toEqual([]);
  expect(await fetchJars('kafka', { cacheFolder })).toBe(folder);
  expect(calls()).toBe(1);
});

test('two that fetch at once end with one folder and leave nothing else', async () => {
  const [first, second] = await Promise.all([
    fetchJars('kafka', { cacheFolder }),
    fetchJars('kafka', { cacheFolder }),
  ]);
  expect(first).toBe(second);
  expect(readdirSync(path.join(cacheFolder, 'jars'))).toEqual([path.basename(path.dirname(first))]);
});

test('what a killed fetch left behind is not taken for jars and is removed by the next', async () => {
  const finished = path.dirname(await fetchJars('kafka', { cacheFolder }));
  rmSync(finished, { recursive: true });
  // No process has this id: Linux and macOS count up to 4,194,304 at most.
  const abandoned = path.join(path.dirname(finished), 'staging-99999999-x');
  mkdirSync(abandoned);
  expect(missingJars(['kafka'], cacheFolder)).toEqual(['kafka']);
  await fetchJars('kafka', { cacheFolder });
  expect(existsSync(abandoned)).toBe(false);
});
