import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { projectRoot } from '../../../core/home.ts';
import { runningProcess } from '../../../embedded/process/process-record.ts';
import { resolveStackSettings, startStack, stopStack } from '../../../embedded/stack.ts';
import { runCli, type CliRun } from '../../support/run-cli.ts';
import { testEnvironment } from '../../support/test-stack.ts';

/** Variables for a stack that is removed after the test, with a cache of its own where the test asks for it. */
async function ownEnvironment(changes: NodeJS.ProcessEnv = {}): Promise<NodeJS.ProcessEnv> {
  const env = { ...process.env, ...(await testEnvironment()), NO_COLOR: '1', ...changes };
  const settings = resolveStackSettings(env);
  onTestFinished(async () => {
    await stopStack(settings);
    await rm(settings.home.root, { recursive: true, force: true });
  });
  return env;
}

/** An empty cache, so that up wants to fetch. */
function emptyCache(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'billing-cache-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

/** A PATH that has Node and the given shell scripts, and nothing else of this machine. */
function pathWith(scripts: Record<string, string> = {}): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'billing-path-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  symlinkSync(process.execPath, path.join(folder, 'node'));
  for (const [name, script] of Object.entries(scripts)) {
    writeFileSync(path.join(folder, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  }
  return folder;
}

const java17 = 'echo \'openjdk version "17.0.15" 2025-04-15\' >&2';

/** What an expected failure looks like: exit 1, a few lines, nothing of a stack trace, nothing started. */
function expectRefusal({ exitCode, stdout, stderr }: CliRun, env: NodeJS.ProcessEnv): void {
  expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
  expect(stderr).not.toMatch(/^\s+at .*:\d+/m);
  expect(readdirSync(path.join(env['PIPELINE_HOME']!, 'run'))).toEqual([]);
}

test('without Java and Maven up says what is missing and how to get it, all at once', async () => {
  const env = await ownEnvironment({ PATH: pathWith(), JAVA_HOME: '', PIPELINE_CACHE: emptyCache() });
  const run = await runCli(env, 'up');
  expectRefusal(run, env);
  expect(run.stderr).toBe(
    [
      'error The stack cannot start here: Java 17+: not installed; Maven: not installed',
      '  Install a JDK 17 or newer (Debian: apt-get install openjdk-17-jdk-headless), or point JAVA_HOME at one.',
      '  Install Maven 3.6 or newer (Debian: apt-get install maven). It fetches the jars, once.',
      '',
    ].join('\n'),
  );
});

test('a Java that is too old is refused with its version', async () => {
  const java = 'echo \'openjdk version "11.0.2" 2019-01-15\' >&2';
  const env = await ownEnvironment({ PATH: pathWith({ java }), JAVA_HOME: '' });
  const run = await runCli(env, 'up');
  expectRefusal(run, env);
  expect(run.stderr).toContain('Java 17+: Java 11.0.2 is too old');
});

test('jars that cannot be fetched are reported with the reason, and leave nothing in the cache', async () => {
  const cache = emptyCache();
  const reason = 'Could not transfer artifact org.apache.kafka:kafka_2.13:pom:4.3.1: Unknown host';
  const mvn = `case "$*" in *--version*) echo "Apache Maven 3.8.7";; *) echo "[ERROR] ${reason} -> [Help 1]"; exit 1;; esac`;
  const env = await ownEnvironment({
    PATH: pathWith({ java: java17, mvn }),
    JAVA_HOME: '',
    PIPELINE_CACHE: cache,
  });
  const run = await runCli(env, 'up');
  expectRefusal(run, env);
  expect(run.stderr).toContain('The jars of kafka could not be fetched from Maven Central');
  expect(run.stderr).toContain(reason);
  expect(readdirSync(path.join(cache, 'jars'))).toEqual([]);
});

test('Ctrl-C while jars are fetched ends Maven and leaves nothing that looks finished', async () => {
  const cache = emptyCache();
  const mvn = `case "$*" in *--version*) echo "Apache Maven 3.8.7";; *) exec sleep 60;; esac`;
  const PATH = `${pathWith({ java: java17, mvn })}${path.delimiter}/bin${path.delimiter}/usr/bin`;
  const env = await ownEnvironment({ PATH, JAVA_HOME: '', PIPELINE_CACHE: cache });
  const args = ['--import', 'tsx', path.join(projectRoot, 'cli/main.ts'), 'up'];
  const child = spawn(process.execPath, args, { cwd: projectRoot, env, stdio: ['ignore', 'ignore', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (said += chunk));
  await expect.poll(() => said, { timeout: 20_000 }).toContain('Fetching the jars of kafka');
  child.kill('SIGINT');
  expect(await once(child, 'exit')).toEqual([130, null]);
  expect(readdirSync(path.join(cache, 'jars'))).toEqual([]);
});

test('a taken port is refused before anything starts, with the process that has it', async () => {
  const env = await ownEnvironment();
  const server = createServer().listen(Number(env['CONNECT_PORT']), '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const run = await runCli(env, 'up');
  expectRefusal(run, env);
  expect(run.stderr).toMatch(
    new RegExp(
      `^error Port ${env['CONNECT_PORT']!} of connect is taken by .+ \\(pid ${process.pid}\\)\\n.*CONNECT_PORT\\.\\n$`,
    ),
  );
});

test('malformed settings are refused all at once', async () => {
  const env = await ownEnvironment();
  const run = await runCli({ ...env, KAFKA_PORT: 'abc', CONNECT_PORT: '99999' }, 'up');
  expect(run.exitCode).toBe(1);
  expect(run.stderr).toContain('- KAFKA_PORT: expected a port number');
  expect(run.stderr).toContain('- CONNECT_PORT: expected a port number');
});

test('a service that dies early fails up at once; what up started stops, what ran before stays', async () => {
  const settings = resolveStackSettings(await ownEnvironment());
  await startStack(settings, { services: ['clickhouse'] });
  const storage = path.join(settings.home.data, 'kafka', 'storage');
  for (const folder of ['log', 'metadata']) {
    mkdirSync(path.join(storage, folder), { recursive: true });
    writeFileSync(path.join(storage, folder, 'meta.properties'), 'version=9\n');
  }
  const startedAt = performance.now();
  await expect(
    startStack(settings, { services: ['kafka', 'schema-registry', 'clickhouse'] }),
  ).rejects.toMatchObject({
    code: 'SERVICE_DIED',
    message: 'kafka ended before it was ready',
    where: path.join(settings.home.logs, 'kafka.log'),
    todo: expect.stringMatching(/version/) as string,
  });
  expect(performance.now() - startedAt).toBeLessThan(30_000);
  const running = ['kafka', 'schema-registry', 'clickhouse'].filter((name) =>
    runningProcess(settings.home, name),
  );
  expect(running).toEqual(['clickhouse']);
});

test('doctor names every problem with its cure and exits with 2', async () => {
  const env = await ownEnvironment({ PATH: pathWith(), JAVA_HOME: '' });
  const server = createServer().listen(Number(env['KAFKA_PORT']), '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const { exitCode, stdout } = await runCli(env, 'doctor', '--json');
  const findings = JSON.parse(stdout) as { name: string; ok: boolean; cure?: string }[];
  expect(exitCode).toBe(2);
  expect(Object.fromEntries(findings.map(({ name, ok }) => [name, ok]))).toEqual({
    Node: true,
    'ClickHouse engine': true,
    'Java 17+': false,
    'Java compiler': false,
    Maven: false,
    'Python 3.11+': false,
    Ports: false,
    'Disk space': true,
  });
  for (const { ok, cure } of findings) expect(cure === undefined).toBe(ok);
});

test('doctor has nothing to say about a machine that has it all', async () => {
  const { exitCode, stdout } = await runCli(await ownEnvironment(), 'doctor');
  expect(exitCode, stdout).toBe(0);
  expect(stdout).toContain('Everything the pipeline needs is here.');
});

test('status of a stack that never started says so and exits with 2', async () => {
  const env = await ownEnvironment();
  const { exitCode, stdout } = await runCli(env, 'status', '--json');
  expect(exitCode).toBe(2);
  expect(JSON.parse(stdout)).toMatchObject({
    services: [{ state: 'stopped', pid: null }, {}, {}, {}],
    sink: null,
  });
  expect(existsSync(path.join(env['PIPELINE_HOME']!, 'data'))).toBe(false);
});
