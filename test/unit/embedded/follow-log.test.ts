import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { expect, onTestFinished, test } from 'vitest';
import { followLog, tailLog } from '../../../embedded/follow-log.ts';

function logWith(text: string): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'billing-log-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const file = path.join(folder, 'kafka.log');
  writeFileSync(file, text);
  return file;
}

test('the last lines of a log are read from its end', async () => {
  const lines = Array.from({ length: 50_000 }, (_, index) => `line ${index}`);
  const file = logWith(`${lines.join('\n')}\n`);
  expect((await tailLog(file, 3)).text).toBe('line 49997\nline 49998\nline 49999');
  expect((await tailLog(file, 20_000)).text.split('\n')).toHaveLength(20_000);
});

test.each([
  ['a\nb\nc', 2, 'b\nc'],
  ['a\nb\n', 5, 'a\nb'],
  ['a\nb\n', 0, ''],
  ['', 5, ''],
])('the log %j has as its last %d lines %j', async (text, count, expected) => {
  expect((await tailLog(logWith(text), count)).text).toBe(expected);
});

test('a service that never started has no log', async () => {
  await expect(tailLog(path.join(tmpdir(), 'nowhere', 'kafka.log'), 1)).rejects.toMatchObject({
    code: 'LOG_NOT_FOUND',
  });
});

test('following prints what is appended, and all of a log that begins anew', async () => {
  const file = logWith('old\n');
  const { end } = await tailLog(file, 1);
  const output = new PassThrough().setEncoding('utf8');
  let seen = '';
  output.on('data', (chunk: string) => (seen += chunk));
  const stop = new AbortController();
  const following = followLog(file, end, output, stop.signal);
  appendFileSync(file, 'new\n');
  await expect.poll(() => seen).toBe('new\n');
  writeFileSync(file, 'anew\n');
  await expect.poll(() => seen).toBe('new\nanew\n');
  stop.abort();
  await expect(following).rejects.toMatchObject({ code: 'INTERRUPTED' });
});
