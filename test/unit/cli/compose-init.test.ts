import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readProjectFile } from '../infra/compose-file.ts';
import { runCli } from '../../support/run-cli.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'compose-init-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const checksum = 'AB'.repeat(32);
const init = (file: string, env: NodeJS.ProcessEnv) =>
  runCli(
    { ...process.env, PIPELINE_HOME: folder, PIPELINE_CACHE: path.join(folder, 'cache'), ...env },
    'compose:init',
    '--file',
    file,
  );
const read = (file: string) =>
  Object.fromEntries(
    [...readFileSync(file, 'utf8').matchAll(/^([A-Z_0-9]+)=(.*)$/gm)].map(([, name = '', value = '']) => [
      name,
      value,
    ]),
  );

describe('compose:init', () => {
  it('writes everything that docker-compose.yml demands, for its owner only, and never anything twice', async () => {
    const file = path.join(folder, 'fresh.env');
    const first = await init(file, { CLICKHOUSE_SINK_SHA256: checksum });
    expect(first.exitCode).toBe(0);
    const values = read(file);
    const demanded = [
      ...readProjectFile('docker-compose.yml').matchAll(/\$\{(\w+):\?|environment: (\w+) \}/g),
    ];
    expect(Object.keys(values)).toEqual(
      expect.arrayContaining(demanded.map(([, variable, secret]) => variable ?? secret)),
    );
    expect(values).toMatchObject({
      PIPELINE_TARGET: 'compose',
      CLICKHOUSE_SINK_SHA256: checksum.toLowerCase(),
    });
    const secrets = Object.entries(values).filter(([name]) => /PASSWORD|TOKEN|KEY/.test(name));
    expect(new Set(secrets.map(([, value]) => value)).size).toBe(secrets.length);
    for (const [, value] of secrets) expect(value).toMatch(/^[\w-]{32}$/);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    for (const [, value] of secrets) expect(first.stdout + first.stderr).not.toContain(value);

    expect((await init(file, {})).stdout).toContain('has everything already');
    expect(read(file)).toEqual(values);
  });

  it('keeps what is there, and fills what is empty', async () => {
    const file = path.join(folder, 'own.env');
    writeFileSync(file, 'GRAFANA_PASSWORD=mine\nWATCH_TOKEN=\nOTHER=1');
    await init(file, { CLICKHOUSE_SINK_SHA256: checksum });
    expect(read(file)).toMatchObject({ GRAFANA_PASSWORD: 'mine', OTHER: '1' });
    expect(readFileSync(file, 'utf8').match(/^WATCH_TOKEN=.+$/gm)).toHaveLength(1);
  });

  it('keeps the passwords where the checksum cannot be found out, and says what to do', async () => {
    const file = path.join(folder, 'offline.env');
    const outcome = await init(file, {
      CLICKHOUSE_SINK_SHA256: '',
      CLICKHOUSE_SINK_URL: 'http://127.0.0.1:1/sink.zip',
    });
    expect(outcome.exitCode).toBe(1);
    expect(outcome.stderr).toMatch(/checksum of the ClickHouse sink could not be found out: /);
    expect(outcome.stderr).toContain('set CLICKHOUSE_SINK_SHA256');
    const { CLICKHOUSE_PASSWORD } = read(file);
    expect(CLICKHOUSE_PASSWORD).toMatch(/^[\w-]{32}$/);
    await init(file, { CLICKHOUSE_SINK_SHA256: checksum });
    expect(read(file)).toMatchObject({ CLICKHOUSE_PASSWORD });
  });
});
