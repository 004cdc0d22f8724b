import { describe, expect, it } from 'vitest';
import { InterruptedError } from '../../../core/errors.ts';
import { runCommand } from '../../../core/run-command.ts';

const node = process.execPath;

describe('runCommand', () => {
  it('returns what the program printed and hands over its lines as they come', async () => {
    const lines: string[] = [];
    const result = await runCommand(node, ['-e', 'console.log("one\\ntwo"); console.error("three")'], {
      purpose: 'The test',
      timeoutMs: 10_000,
      onLine: (line) => lines.push(line),
    });
    expect(result).toEqual({ stdout: 'one\ntwo\n', stderr: 'three\n' });
    expect(lines.toSorted()).toEqual(['one', 'three', 'two']);
  });

  it('reports a failure with the exit code and the last lines', async () => {
    const failing = runCommand(node, ['-e', 'console.error("disk full"); process.exit(3)'], {
      purpose: 'The test',
      timeoutMs: 10_000,
    });
    await expect(failing).rejects.toMatchObject({
      code: 'COMMAND_FAILED',
      message: 'The test failed (exit 3)',
      todo: 'disk full',
    });
  });

  it('says that a program is not installed', async () => {
    await expect(
      runCommand('no-such-program', [], { purpose: 'Fetching jars', timeoutMs: 1000 }),
    ).rejects.toMatchObject({
      code: 'COMMAND_NOT_FOUND',
      message: 'Fetching jars needs "no-such-program", which is not installed',
    });
  });

  it('stops a program that takes too long', async () => {
    const slow = runCommand(node, ['-e', 'setInterval(() => {}, 1000)'], {
      purpose: 'The test',
      timeoutMs: 200,
    });
    await expect(slow).rejects.toMatchObject({ code: 'COMMAND_TIMED_OUT' });
  });

  it('stops the program when the signal aborts', async () => {
    const abort = new AbortController();
    const running = runCommand(node, ['-e', 'console.log("up"); setInterval(() => {}, 1000)'], {
      purpose: 'The test',
      timeoutMs: 60_000,
      signal: abort.signal,
      onLine: () => {
        abort.abort();
      },
    });
    await expect(running).rejects.toBeInstanceOf(InterruptedError);
  });
});
