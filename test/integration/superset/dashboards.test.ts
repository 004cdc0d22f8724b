import { readFileSync, readdirSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { chartsOf } from '../../../superset/declare/references.ts';
import { freePorts } from '../../support/free-ports.ts';
import { runCli } from '../../support/run-cli.ts';
import { testNumbers } from './numbers-suite.ts';
import { testPages } from './pages-suite.ts';
import {
  admin,
  assets,
  charts,
  cli,
  env,
  json,
  numberCharts,
  startUnderTest,
  stopUnderTest,
  superset,
  url,
} from './superset-under-test.ts';

/** The real Superset on models of two years, through the command line and a real browser. */

beforeAll(startUnderTest, 300_000);
afterAll(stopUnderTest);

describe('dashboards:up', () => {
  it('starts once, keeps no password that it shows, and keeps its secrets to its owner', async () => {
    const again = json((await cli('dashboards:up', '--json')).stdout);
    expect(again).toMatchObject({ url, started: false, admin: null });
    const folder = path.join(String(env['PIPELINE_HOME']), 'data', 'superset');
    for (const name of ['secret-key', 'account.json']) {
      expect(statSync(path.join(folder, name)).mode & 0o077).toBe(0);
    }
    for (const name of readdirSync(folder)) {
      if (!statSync(path.join(folder, name)).isFile()) continue;
      expect(readFileSync(path.join(folder, name), 'latin1')).not.toContain(admin.password);
    }
  });

  it('names who has the port', async () => {
    const taken = createServer();
    const [port = 0] = await freePorts(1);
    await new Promise<void>((resolve) => taken.listen(port, '127.0.0.1', resolve));
    const run = await runCli(
      { ...env, SUPERSET_PORT: String(port), PIPELINE_HOME: `${String(env['PIPELINE_HOME'])}/other` },
      'dashboards:up',
    );
    taken.close();
    expect(run.exitCode).toBe(1);
    expect(run.stderr).toContain(`Port ${String(port)} of superset is taken by`);
    expect(run.stderr).toContain('SUPERSET_PORT');
  });
});

describe('dashboards:apply', () => {
  it('makes the dashboards, and makes them again without a change of address', async () => {
    const first = json((await cli('dashboards:apply', '--json')).stdout);
    expect(first).toMatchObject({ version: '6.1.0', filtersWithinGrain: true, leftOver: [], removed: [] });
    await numberCharts();
    expect(charts.size).toBe(assets.dashboards.flatMap(chartsOf).length);
    const again = json((await cli('dashboards:apply', '--json')).stdout);
    expect(again).toMatchObject({ dashboards: assets.dashboards.map(() => ({ isNew: false })) });
    const before = [...charts.keys()];
    expect([...(await numberCharts()).keys()]).toEqual(before);
  });

  it('removes what carries the mark and is not declared, and leaves what people have made', async () => {
    const [[anyChart]] = [[...charts.keys()]];
    const shown = (await superset.get(`/api/v1/chart/${String(anyChart)}`)) as {
      result: { params: string };
    };
    const dataset = (
      await superset.list('/api/v1/dataset/', z.object({ id: z.int(), table_name: z.string() }), [
        'id',
        'table_name',
      ])
    )[0]!;
    const make = async (slice_name: string, certified_by?: string) => {
      const { params } = shown.result;
      const body = {
        slice_name,
        params,
        viz_type: 'table',
        datasource_id: dataset.id,
        datasource_type: 'table',
      };
      const made = await superset.send('POST', '/api/v1/chart/', {
        ...body,
        ...(certified_by && { certified_by }),
      });
      return z.object({ id: z.int() }).parse(made).id;
    };
    await make('No longer declared', 'Billing analytics pipeline');
    const own = await make('Somebody made this');
    const without = json((await cli('dashboards:apply', '--json')).stdout);
    expect(without).toMatchObject({
      removed: [],
      leftOver: [{ kind: 'chart', title: 'No longer declared' }],
    });
    const pruned = json((await cli('dashboards:apply', '--prune', '--json')).stdout);
    expect(pruned).toMatchObject({ removed: [{ kind: 'chart', title: 'No longer declared' }], leftOver: [] });
    await superset.send('DELETE', `/api/v1/chart/${String(own)}`);
  });

  it('refuses a Superset of another version, and one that is not there', async () => {
    const old = createServer((request, response) => {
      const answers: Record<string, unknown> = {
        '/api/v1/security/csrf_token/': { result: 'token' },
        '/version': { version_string: '4.1.2' },
      };
      response.setHeader('content-type', 'application/json').end(JSON.stringify(answers[request.url ?? '']));
    });
    const [port = 0, nobody = 0] = await freePorts(2);
    await new Promise<void>((resolve) => old.listen(port, '127.0.0.1', resolve));
    const elsewhere = (at: number) => ({
      ...env,
      SUPERSET_URL: `http://127.0.0.1:${String(at)}`,
      SUPERSET_TOKEN: 'planted',
    });
    const refused = await runCli(elsewhere(port), 'dashboards:apply');
    const absent = await runCli(elsewhere(nobody), 'dashboards:apply');
    old.close();
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain('This is Superset 4.1.2');
    expect(absent.stderr).toContain('Superset does not answer');
    expect(refused.stderr + absent.stderr).not.toContain('planted');
  });
});

testNumbers();
testPages();

describe('dashboards:remove', () => {
  it('asks first, removes everything it has made, and can be repeated', async () => {
    expect((await cli('dashboards:remove')).stderr).toContain('nothing was done');
    const count = assets.datasets.length + assets.dashboards.length + charts.size;
    const removed = json((await cli('dashboards:remove', '--yes', '--json')).stdout);
    expect(removed).toMatchObject({ kept: [] });
    expect(removed['removed']).toHaveLength(count);
    expect(json((await cli('dashboards:remove', '--yes', '--json')).stdout)).toMatchObject({
      removed: [],
      roles: [],
    });
  });
});
