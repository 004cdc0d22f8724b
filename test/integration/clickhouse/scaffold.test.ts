import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { runCli } from '../../support/run-cli.ts';

/** The writing itself is followed by test/integration/walk. */
it('the migrations make what the schemas ask for, and finding that out leaves nothing behind', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'scaffold-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true });
  });
  const run = await runCli({ ...process.env, TMPDIR: folder }, 'clickhouse:scaffold', '--check', '--json');
  expect(run).toMatchObject({ exitCode: 0, stderr: '' });
  expect(JSON.parse(run.stdout)).toEqual([]);
  // tsx keeps a folder of its own there.
  expect(readdirSync(folder).filter((name) => !name.startsWith('tsx-'))).toEqual([]);
});

it('a topic that is not in the catalog is refused in three lines', async () => {
  const { exitCode, stderr } = await runCli(process.env, 'clickhouse:scaffold', 'billing.carts');
  expect(exitCode).toBe(1);
  expect(stderr).toContain('There is no topic billing.carts in the catalog');
  expect(stderr.trim().split('\n')).toHaveLength(3);
});
