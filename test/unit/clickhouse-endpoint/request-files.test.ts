import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { RequestFiles } from '../../../embedded/clickhouse/request-files.ts';

let folder: string;
let files: RequestFiles;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'request-files-'));
  files = new RequestFiles(path.join(folder, 'data'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

async function* failing(): AsyncGenerator<Buffer> {
  await Promise.resolve();
  yield* [];
  throw new Error('damaged');
}

test('content that fails at once leaves no file, however late the file system is', async () => {
  // More than the thread pool takes at once, so that opening and removing overtake each other.
  for (let round = 0; round < 10; round += 1) {
    await Promise.allSettled(
      Array.from({ length: 200 }, () => files.write(failing(), new AbortController().signal)),
    );
    await pause(10);
    expect(readdirSync(files.folder)).toEqual([]);
  }
});
