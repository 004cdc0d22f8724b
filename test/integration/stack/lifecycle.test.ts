import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, onTestFinished, test } from 'vitest';
import { projectRoot } from '../../../core/home.ts';
import { processInfo } from '../../../embedded/process/process-info.ts';
import { readRecord } from '../../../embedded/process/process-record.ts';
import { serviceNames, type ServiceName } from '../../../embedded/services/service.ts';
import { stackStatus, type StackStatus } from '../../../embedded/stack-status.ts';
import { resolveStackSettings, startStack, stopStack } from '../../../embedded/stack.ts';
import { loadTarget } from '../../../targets/load-target.ts';
import { freePorts } from '../../support/free-ports.ts';
import { runCli } from '../../support/run-cli.ts';
import { testEnvironment } from '../../support/test-stack.ts';
import { zipArchive } from '../../support/zip-archive.ts';
import { listenersOf } from './listeners.ts';
import {
  connectorState,
  createConnector,
  produceRecords,
  queryClickHouse,
  readRecords,
  registerSchema,
  schemaById,
} from './stack-data.ts';

// One stack for all of these tests, which build on each other in their order: starting four servers for each
// of them would take minutes.
const env = { ...process.env, ...(await testEnvironment()), CLICKHOUSE_SINK_DOWNLOAD: 'off' };
const settings = resolveStackSettings(env);
const target = loadTarget('embedded', env);

afterAll(async () => {
  await stopStack(settings);
  await rm(settings.home.root, { recursive: true, force: true });
});

function pids(status: StackStatus): Record<string, number | null> {
  return Object.fromEntries(status.services.map(({ name, pid }) => [name, pid]));
}

function isAlive(pid: number | undefined): boolean {
  return pid !== undefined && processInfo(pid) !== undefined;
}

/** A PATH on which `mvn` only leaves the returned file behind. */
function pathWithUselessMaven(): { PATH: string; used: string } {
  const folder = mkdtempSync(path.join(tmpdir(), 'billing-path-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const used = path.join(folder, 'used');
  writeFileSync(path.join(folder, 'mvn'), `#!/bin/sh\ntouch ${used}\nexit 1\n`, { mode: 0o755 });
  return { PATH: `${folder}${path.delimiter}${process.env['PATH'] ?? ''}`, used };
}

test('Ctrl-C during up stops everything it started and exits with 130', async () => {
  const args = ['--import', 'tsx', path.join(projectRoot, 'cli/main.ts'), 'up'];
  const child = spawn(process.execPath, args, { cwd: projectRoot, env, stdio: ['ignore', 'ignore', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (said += chunk));
  await expect.poll(() => said, { timeout: 60_000 }).toMatch(/ ready /);
  const started = readdirSync(settings.home.run)
    .filter((file) => file.endsWith('.json'))
    .map((file) => readRecord(settings.home, path.basename(file, '.json'))?.pid);
  // The broker's may still be formatting its storage.
  expect(started.length).toBeGreaterThanOrEqual(2);
  child.kill('SIGINT');
  expect(await once(child, 'exit')).toEqual([130, null]);
  expect(said).toMatch(/stopped.*Interrupted\n$/);
  expect(started.filter(isAlive)).toEqual([]);
  expect(readdirSync(settings.home.run)).toEqual([]);
});

test('two ups at once after an interrupted one bring up one stack, which a third leaves alone', async () => {
  const [first, second] = await Promise.all([runCli(env, 'up', '--json'), runCli(env, 'up', '--json')]);
  expect([first.exitCode, second.exitCode], `${first.stderr}\n${second.stderr}`).toEqual([0, 0]);
  expect(`${first.stderr}${second.stderr}`).toMatch(/Waiting for another up or down \(pid \d+\) to finish/);
  const before = await stackStatus(settings);
  expect(before.services.map(({ state }) => state)).toEqual(['ready', 'ready', 'ready', 'ready']);
  const third = await startStack(settings);
  expect(third.services.map(({ started }) => started)).toEqual([false, false, false, false]);
  expect(pids(await stackStatus(settings))).toEqual(pids(before));
});

test('every listener of every service is on loopback', async () => {
  const { services } = await stackStatus(settings);
  const listeners = services.flatMap(({ pid }) => listenersOf(pid!));
  expect(listeners.sort()).toEqual(
    Object.values(settings.ports)
      .map((port) => `127.0.0.1:${port}`)
      .sort(),
  );
});

test('status shows process, readiness, memory and sink of each service, and exits with 0', async () => {
  const { exitCode, stdout } = await runCli(env, 'status', '--json');
  const status = JSON.parse(stdout) as StackStatus;
  expect(exitCode).toBe(0);
  expect(status.services.map(({ name }) => name)).toEqual(serviceNames);
  for (const service of status.services) {
    expect(service).toMatchObject({ ready: true, uptimeSeconds: expect.any(Number) as number });
    expect(service.memoryBytes).toBeGreaterThan(50_000_000);
    expect(existsSync(service.log)).toBe(true);
  }
  expect(status.services.reduce((sum, { memoryBytes }) => sum + memoryBytes!, 0)).toBeLessThan(3 * 1024 ** 3);
  expect(['official', 'stand-in']).toContain(status.sink?.kind);
});

test('a second process on a data folder that is in use is refused with the reason', async () => {
  const ports = await freePorts(5);
  const run = path.join(settings.home.root, 'run-of-another');
  mkdirSync(run);
  const other = {
    ...settings,
    home: { ...settings.home, run, logs: run },
    ports: Object.fromEntries(Object.keys(settings.ports).map((name, index) => [name, ports[index]!])),
  } as typeof settings;
  for (const service of ['kafka', 'schema-registry', 'clickhouse'] as const) {
    await expect(startStack(other, { services: [service] })).rejects.toMatchObject({
      code: 'DATA_FOLDER_LOCKED',
      message: expect.stringContaining(service) as string,
      todo: expect.stringContaining('PIPELINE_HOME') as string,
    });
  }
});

test('up starts only the service that died, and the registry has forgotten nothing that it answered', async () => {
  const before = await stackStatus(settings);
  const registry = before.services.find(({ name }) => name === 'schema-registry')!;
  const id = await registerSchema(target);
  process.kill(registry.pid!, 'SIGKILL');
  await expect.poll(() => isAlive(registry.pid!)).toBe(false);
  const { exitCode, stdout } = await runCli(env, 'status');
  expect(exitCode).toBe(2);
  expect(stdout).toMatch(/schema-registry +died/);

  const { services } = await startStack(settings);
  const started = services.filter((service) => service.started).map(({ name }) => name);
  expect(started).toEqual(['schema-registry'] satisfies ServiceName[]);
  expect(await registerSchema(target)).toBe(id);
  expect(await schemaById(target, id)).toMatchObject({ type: 'record' });
});

test('down and an up without Maven find all data again: records, schemas, tables and connectors', async () => {
  const values = Array.from({ length: 100 }, (_, index) => `record ${index}`);
  await produceRecords(target, values);
  await createConnector(target);
  const id = await registerSchema(target);
  await queryClickHouse(target, 'CREATE DATABASE kept');
  await queryClickHouse(target, 'CREATE TABLE kept.t (x UInt32) ENGINE = MergeTree ORDER BY x');
  await queryClickHouse(target, 'INSERT INTO kept.t SELECT number FROM numbers(1000)');
  await expect.poll(() => connectorState(target), { timeout: 30_000 }).toBe('RUNNING/RUNNING');

  const before = Object.values(pids(await stackStatus(settings)));
  const down = await runCli(env, 'down');
  expect(down).toMatchObject({ exitCode: 0 });
  expect(down.stdout).toContain('the data is kept');
  expect(before.filter((pid) => isAlive(pid!))).toEqual([]);
  expect(await runCli(env, 'down')).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining('Nothing was running') as string,
  });

  const { PATH, used } = pathWithUselessMaven();
  const up = await runCli({ ...env, PATH }, 'up');
  expect(up.exitCode, up.stderr).toBe(0);
  expect(existsSync(used)).toBe(false);
  expect(await registerSchema(target)).toBe(id);
  expect(await readRecords(target, values.length)).toEqual(values);
  expect(await queryClickHouse(target, 'SELECT count(), sum(x) FROM kept.t')).toBe('1000\t499500');
  await expect.poll(() => connectorState(target), { timeout: 30_000 }).toBe('RUNNING/RUNNING');
});

test('up replaces the worker, and nothing else, when the sink is another one', async () => {
  const plugin = path.join(settings.home.root, 'named-plugin');
  mkdirSync(plugin);
  const connectorClass = 'com.clickhouse.kafka.connect.ClickHouseSinkConnector';
  const jar = zipArchive([
    { name: 'META-INF/MANIFEST.MF', content: 'Manifest-Version: 1.0\nImplementation-Version: v9.9.9\n' },
    { name: 'META-INF/services/org.apache.kafka.connect.sink.SinkConnector', content: '' },
    { name: `${connectorClass.replaceAll('.', '/')}.class` },
  ]);
  writeFileSync(path.join(plugin, 'sink.jar'), jar);
  const before = pids(await stackStatus(settings));
  const { exitCode, stdout, stderr } = await runCli({ ...env, CLICKHOUSE_SINK_PLUGIN: plugin }, 'up');
  expect(exitCode, stderr).toBe(0);
  expect(stderr).toContain('connect: its settings changed, restarting it');
  expect(stdout).toContain(`Sink: the official ClickHouse sink 9.9.9, from ${plugin}`);
  const after = await stackStatus(settings);
  expect(after.sink).toMatchObject({ kind: 'official', version: '9.9.9', source: plugin });
  expect(pids(after)).toEqual({ ...before, connect: expect.any(Number) as number });
  expect(pids(after)['connect']).not.toBe(before['connect']);
});

test('logs prints the end of a log', async () => {
  const { exitCode, stdout } = await runCli(env, 'logs', 'kafka', '--lines', '2');
  expect(exitCode).toBe(0);
  expect(stdout.trim().split('\n')).toHaveLength(2);
  expect(await runCli(env, 'logs', 'kafkaesque')).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining('kafka, schema-registry, clickhouse, connect') as string,
  });
});

test('down with purge removes the data and keeps the cache', async () => {
  const { exitCode, stdout } = await runCli(env, 'down', '--purge', '--json');
  expect(exitCode).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    purged: true,
    stopped: expect.arrayContaining(['kafka']) as string[],
  });
  expect(existsSync(settings.home.data)).toBe(false);
  expect(existsSync(path.join(settings.home.cache, 'jars'))).toBe(true);
});
