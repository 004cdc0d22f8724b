import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ensureHome, resolveHome, type Home } from '../../../core/home.ts';
import { demandFree } from '../../../embedded/ports.ts';
import { launch, terminate } from '../../../embedded/process/launch.ts';
import { processInfo } from '../../../embedded/process/process-info.ts';
import { runningProcess, writeRecord } from '../../../embedded/process/process-record.ts';
import { withStackLock } from '../../../embedded/process/stack-lock.ts';

function temporaryHome(): Home {
  const root = mkdtempSync(path.join(tmpdir(), 'billing-processes-'));
  onTestFinished(() => {
    rmSync(root, { recursive: true, force: true });
  });
  const home = resolveHome({ PIPELINE_HOME: root });
  ensureHome(home);
  return home;
}

async function start(home: Home, program: string, service = 'sleeper') {
  const record = await launch(home, {
    service,
    file: process.execPath,
    args: ['-e', program],
    env: process.env,
    port: 1,
    fingerprint: 'f',
  });
  onTestFinished(() => terminate(home, service, 0).then(() => undefined));
  return record;
}

/** A process that is gone: its pid is free, or soon somebody else's. */
async function deadPid(): Promise<number> {
  const child: ChildProcess = spawn(process.execPath, ['-e', '']);
  await once(child, 'exit');
  return child.pid!;
}

const sleeper = 'console.log("awake"); setInterval(() => {}, 1000)';

test('a launched process is recorded, logs to its file and ends on SIGTERM', async () => {
  const home = temporaryHome();
  const record = await start(home, sleeper);
  expect(runningProcess(home, 'sleeper')).toMatchObject({ record });
  await expect.poll(() => readFileSync(record.logFile, 'utf8')).toMatch(/^--- .* sleeper: node .*\nawake\n$/);
  expect(await terminate(home, 'sleeper', 5000)).toBe('stopped');
  expect(runningProcess(home, 'sleeper')).toBeUndefined();
  expect(await terminate(home, 'sleeper', 5000)).toBe('not running');
});

test('a process that ignores SIGTERM is killed after its deadline', async () => {
  const home = temporaryHome();
  const record = await start(home, `process.on("SIGTERM", () => {}); ${sleeper}`);
  await expect.poll(() => readFileSync(record.logFile, 'utf8')).toContain('awake\n');
  expect(await terminate(home, 'sleeper', 100)).toBe('killed');
  expect(processInfo(record.pid)).toBeUndefined();
});

test('a pid that was given to another process is neither taken for ours nor ended', async () => {
  const home = temporaryHome();
  const stranger = await start(home, sleeper, 'stranger');
  writeRecord(home, { ...stranger, service: 'kafka', identity: 'of an earlier process' });
  expect(runningProcess(home, 'kafka')).toBeUndefined();
  expect(await terminate(home, 'kafka', 1000)).toBe('not running');
  expect(processInfo(stranger.pid)).toBeDefined();
});

test('a large log is set aside at the next start', async () => {
  const home = temporaryHome();
  const log = path.join(home.logs, 'sleeper.log');
  writeFileSync(log, 'x'.repeat(11 * 1024 * 1024));
  await start(home, sleeper);
  expect(existsSync(`${log}.1`)).toBe(true);
  expect(readFileSync(log, 'utf8').length).toBeLessThan(10_000);
});

test('a program that is not there is an error with its name', async () => {
  const home = temporaryHome();
  const launching = launch(home, {
    service: 'kafka',
    file: '/nowhere/java',
    args: [],
    env: process.env,
    port: 1,
    fingerprint: 'f',
  });
  await expect(launching).rejects.toMatchObject({ code: 'SERVICE_NOT_STARTED', where: '/nowhere/java' });
});

test('a taken port is reported with its process and the variable that moves ours', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const name = processInfo(process.pid)!.name;
  await expect(demandFree([{ port, variable: 'KAFKA_PORT', service: 'kafka' }])).rejects.toMatchObject({
    code: 'PORT_TAKEN',
    message: `Port ${port} of kafka is taken by ${name} (pid ${process.pid})`,
    todo: 'Stop it, or choose another port with KAFKA_PORT.',
  });
});

test('two that want the lock get it one after the other', async () => {
  const home = temporaryHome();
  const events: string[] = [];
  const waited: number[] = [];
  const work = (name: string) =>
    withStackLock(home, { onWait: (pid) => waited.push(pid) }, async () => {
      events.push(`${name} begins`);
      await new Promise((resolve) => setTimeout(resolve, 50));
      events.push(`${name} ends`);
    });
  await Promise.all([work('a'), work('b')]);
  expect(events).toEqual(['a begins', 'a ends', 'b begins', 'b ends']);
  expect(waited).toEqual([process.pid]);
});

test('a lock whose process is dead is taken over', async () => {
  const home = temporaryHome();
  const pid = await deadPid();
  writeFileSync(path.join(home.run, 'lock'), JSON.stringify({ pid, identity: 'gone' }));
  expect(await withStackLock(home, {}, () => Promise.resolve('done'))).toBe('done');
  expect(existsSync(path.join(home.run, 'lock'))).toBe(false);
});

test('waiting for the lock ends with the signal', async () => {
  const home = temporaryHome();
  const stop = new AbortController();
  await withStackLock(home, {}, async () => {
    const second = withStackLock(
      home,
      {
        signal: stop.signal,
        onWait: () => {
          stop.abort();
        },
      },
      () => Promise.resolve(),
    );
    await expect(second).rejects.toMatchObject({ code: 'INTERRUPTED' });
  });
});
