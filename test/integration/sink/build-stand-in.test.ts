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
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { InterruptedError } from '../../../core/errors.ts';
import { runCommand } from '../../../core/run-command.ts';
import { waitFor } from '../../../core/wait.ts';
import { buildStandIn, standInSources } from '../../../embedded/sink/build-stand-in.ts';
import { startClickHouseEndpoint } from '../../support/clickhouse-endpoint.ts';

let root: string;
let folder: string;

beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'stand-in-'));
  folder = path.join(root, 'sink');
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(root, { recursive: true, force: true });
});

describe('buildStandIn', () => {
  it('builds a plugin with its jars once, and needs no Maven the next time', async () => {
    const built = await buildStandIn({ folder });
    expect(built.version).toBe('0.1.0');
    const [plugin, ...others] = readdirSync(built.folder);
    expect(others).toEqual([]);
    const jars = readdirSync(path.join(built.folder, plugin!));
    expect(jars).toContain('stand-in-clickhouse-sink-0.1.0.jar');
    // The worker's own: a second copy would make other classes of the same names.
    expect(jars.filter((jar) => /connect-api|kafka-clients|slf4j|junit/.test(jar))).toEqual([]);

    vi.stubEnv('PATH', root);
    expect(await buildStandIn({ folder })).toEqual(built);
  });

  it('stops Maven when it is interrupted and leaves nothing', async () => {
    const abort = new AbortController();
    const building = buildStandIn({ folder, signal: abort.signal });
    const compiling = waitFor(
      () =>
        existsSync(folder) &&
        readdirSync(folder).some((name) => existsSync(path.join(folder, name, 'build'))),
      { what: 'Maven to begin', timeoutMs: 120_000, pollIntervalMs: 5 },
    ).finally(() => {
      abort.abort();
    });
    await Promise.all([compiling, expect(building).rejects.toBeInstanceOf(InterruptedError)]);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('says in one line why Maven failed', async () => {
    stubMaven(
      'echo "[ERROR] Could not resolve com.clickhouse:client-v2 -> [Help 1]"; echo "[ERROR] Re-run"; exit 1',
    );
    await expect(buildStandIn({ folder })).rejects.toMatchObject({
      code: 'STAND_IN_NOT_BUILT',
      message: 'The stand-in sink could not be built: Could not resolve com.clickhouse:client-v2',
    });
    expect(readdirSync(folder)).toEqual([]);
  });

  it('says that Maven is missing', async () => {
    vi.stubEnv('PATH', root);
    await expect(buildStandIn({ folder })).rejects.toMatchObject({ code: 'COMMAND_NOT_FOUND' });
  });

  it('removes what a killed process left, and nothing of a running one', async () => {
    const running = `staging-${process.pid}-x`;
    // Above the largest pid that Linux gives out (proc(5), pid_max).
    for (const name of [running, 'staging-4194305-x'])
      mkdirSync(path.join(folder, name), { recursive: true });
    stubMaven('exit 1');
    await expect(buildStandIn({ folder })).rejects.toMatchObject({ code: 'COMMAND_FAILED' });
    expect(readdirSync(folder)).toEqual([running]);
  });

  it('says that the cache cannot be written to', async () => {
    writeFileSync(folder, 'a file where the folder should be');
    stubMaven('exit 0');
    await expect(buildStandIn({ folder })).rejects.toMatchObject({
      code: 'CACHE_NOT_WRITABLE',
      where: folder,
    });
  });
});

// In this file because both run Maven, whose local repository is not made for two processes at a time.
it('the stand-in passes its own tests, against a ClickHouse server', { timeout: 480_000 }, async () => {
  const env = { CLICKHOUSE_USER: 'pipeline', CLICKHOUSE_PASSWORD: 'secret' };
  const endpoint = await startClickHouseEndpoint({ env });
  onTestFinished(async () => {
    await endpoint.stop();
  });
  const server = [`port=${endpoint.port}`, 'user=pipeline', 'password=secret'];
  await runCommand(
    'mvn',
    ['-B', '-q', '-f', path.join(standInSources, 'pom.xml'), `-Dbuild.folder=${folder}`]
      .concat(server.map((setting) => `-Dclickhouse.${setting}`))
      .concat('test'),
    { purpose: "Running the stand-in sink's tests", timeoutMs: 450_000 },
  );
  const reportFolder = path.join(folder, 'surefire-reports');
  const reports = readdirSync(reportFolder).filter((file) => file.endsWith('.xml'));
  const skipped = reports.filter((file) =>
    readFileSync(path.join(reportFolder, file), 'utf8').includes('<skipped'),
  );
  expect(reports).toContain('TEST-billinganalytics.connect.ClickHouseServerTest.xml');
  expect(skipped).toEqual([]);
});

/** Puts a script in Maven's place. */
function stubMaven(script: string): void {
  const bin = path.join(root, 'bin');
  mkdirSync(bin);
  writeFileSync(path.join(bin, 'mvn'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  vi.stubEnv('PATH', `${bin}:${process.env['PATH'] ?? ''}`);
}
