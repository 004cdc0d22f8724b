import { readFileSync, readdirSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { SMTPServer } from 'smtp-server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { startBrowser } from '../../../core/browser.ts';
import { PipelineError } from '../../../core/errors.ts';
import { waitFor } from '../../../core/wait.ts';
import { connectSuperset, type Superset } from '../../../superset/api/client.ts';
import { uuidOf } from '../../../superset/bundle/uuids.ts';
import { readAssets } from '../../../superset/declare/read-assets.ts';
import { chartsOf } from '../../../superset/declare/references.ts';
import type { Chart } from '../../../superset/declare/shapes.ts';
import { logInWithBrowser, openDashboard } from '../../../superset/report/open-dashboard.ts';
import { freePorts } from '../../support/free-ports.ts';
import { landEvents } from '../../support/land-events.ts';
import { startModelsEndpoint, type ModelsEndpoint } from '../../support/models-endpoint.ts';
import { runCli } from '../../support/run-cli.ts';
import { seededHistory } from '../../support/seeded-history.ts';
import { referenceSql, type FilterSetting } from './reference-numbers.ts';

/** The real Superset on models of two years, through the command line and a real browser. */

const dayMs = 86_400_000;
const now = Date.now();
const assets = readAssets();
const dayOf = (daysAgo: number) => new Date(now - daysAgo * dayMs).toISOString().slice(0, 10);

let models: ModelsEndpoint;
let env: NodeJS.ProcessEnv;
let url: string;
let admin: { user: string; password: string };
let superset: Superset;
let browser: Browser;
let page: Page;
let charts: Map<number, { chart: Chart; dashboard: string }>;

const cli = async (command: string, ...flags: string[]) => runCli(env, command, ...flags);
const json = (text: string) => JSON.parse(text) as Record<string, unknown>;

beforeAll(async () => {
  models = await startModelsEndpoint();
  const [port = 0] = await freePorts(1);
  env = { ...models.env, SUPERSET_PORT: String(port), SUPERSET_URL: '', SUPERSET_TOKEN: '' };
  url = `http://127.0.0.1:${String(port)}`;
  const history = seededHistory({ seed: 5, customers: 120, startAt: now - 730 * dayMs, endAt: now });
  await landEvents(models.clickhouse, history);
  // Both keep one core busy.
  const [up] = await Promise.all([cli('dashboards:up', '--json'), models.refresh()]);
  admin = json(up.stdout)['admin'] as typeof admin;
  superset = await connectSuperset({ url, login: admin });
  browser = await startBrowser();
}, 300_000);
afterAll(async () => {
  await browser.close();
  await cli('dashboards:down', '--purge');
  await models.stop();
});

/** The charts by the number that Superset gave them. */
async function numberCharts(): Promise<typeof charts> {
  const rows = await superset.list('/api/v1/chart/', z.object({ id: z.int(), uuid: z.string() }), [
    'id',
    'uuid',
  ]);
  const declared = new Map(
    assets.dashboards.flatMap((dashboard) =>
      chartsOf(dashboard).map((chart) => [
        uuidOf('chart', dashboard.id, chart.id),
        { chart, dashboard: dashboard.id },
      ]),
    ),
  );
  return new Map(
    rows.flatMap(({ id, uuid }) => {
      const known = declared.get(uuid);
      return known === undefined ? [] : [[id, known] as const];
    }),
  );
}

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
    charts = await numberCharts();
    expect(charts.size).toBe(assets.dashboards.flatMap(chartsOf).length);
    const again = json((await cli('dashboards:apply', '--json')).stdout);
    expect(again).toMatchObject({ dashboards: assets.dashboards.map(() => ({ isNew: false })) });
    expect([...(await numberCharts()).keys()]).toEqual([...charts.keys()]);
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

const settings: (FilterSetting & { name: string })[] = [
  { name: 'thirteen months of everything', from: dayOf(395), to: dayOf(-1), currencies: [], regions: [] },
  {
    name: 'two currencies, from the middle of a month',
    from: dayOf(200),
    to: dayOf(47),
    currencies: ['EUR', 'USD'],
    regions: [],
  },
  {
    name: 'one region and one currency, of late',
    from: dayOf(100),
    to: dayOf(-1),
    currencies: ['EUR'],
    regions: ['europe'],
  },
];

/** The part of an address that sets the filters, in Superset's notation (Rison). */
function filtersOf({ from, to, currencies, regions }: FilterSetting): string {
  const range = `'${from} : ${to}'`;
  const parts = [
    `NATIVE_FILTER-time:(extraFormData:(time_range:${range}),filterState:(value:${range}),id:NATIVE_FILTER-time,ownState:())`,
  ];
  for (const [column, values] of [
    ['currency', currencies],
    ['region', regions],
  ] as const) {
    if (values.length === 0) continue;
    const list = `!(${values.join(',')})`;
    parts.push(
      `NATIVE_FILTER-${column}:(extraFormData:(filters:!((col:${column},op:IN,val:${list}))),filterState:(value:${list}),id:NATIVE_FILTER-${column},ownState:())`,
    );
  }
  return `?native_filters=${encodeURIComponent(`(${parts.join(',')})`)}`;
}

interface Asked {
  chart: number;
  payload: { queries: Record<string, unknown>[]; form_data: Record<string, unknown> };
}

describe('the numbers', () => {
  beforeAll(async () => {
    page = await logInWithBrowser(browser, { url, login: admin });
  });
  afterAll(async () => {
    await page.close();
  });

  for (const dashboard of assets.dashboards) {
    it.each(settings)(`of ${dashboard.title} are those of SQL: $name`, async (setting) => {
      const asked = new Map<number, Asked>();
      const maps = new Map<number, Promise<unknown>>();
      const listen = (request: { url: () => string; method: () => string; postDataJSON: () => unknown }) => {
        if (request.method() !== 'POST' || !request.url().includes('/api/v1/chart/data')) return;
        const payload = request.postDataJSON() as Asked['payload'];
        const chart = Number(payload.form_data['slice_id']);
        if (charts.has(chart)) asked.set(chart, { chart, payload });
      };
      page.on('request', listen);
      page.on('response', (response) => {
        if (!response.url().includes('/explore_json/')) return;
        const id = Number(/slice_id%22%3A(\d+)/.exec(response.url())?.[1]);
        maps.set(id, response.json());
      });
      await open(dashboard.id, filtersOf(setting));
      page.off('request', listen);
      page.removeAllListeners('response');

      const own = [...charts].filter(([, one]) => one.dashboard === dashboard.id);
      const compared: string[] = [];
      const compare = async (id: number, chart: Chart) => {
        if (chart.kind === 'map') {
          const rows = z
            .object({ data: z.array(z.looseObject({ m1: z.number() })) })
            .parse(await maps.get(id));
          const expected = await reference(chart, dashboard, setting, false);
          const values = [...expected!.values()].map(([value]) => Math.round(Number(value) * 100));
          expect(rows.data.map(({ m1 }) => Math.round(m1 * 100)).sort(), chart.id).toEqual(values.sort());
          compared.push(chart.id);
          return;
        }
        const { payload } = asked.get(id)!;
        const answer = await superset.send('POST', '/api/v1/chart/data', {
          ...payload,
          force: true,
          queries: payload.queries.map((query) => ({ ...query, post_processing: [] })),
        });
        const { result } = z
          .object({ result: z.array(z.looseObject({ data: z.array(z.record(z.string(), z.unknown())) })) })
          .parse(answer);
        if (chart.kind === 'rows') {
          expect(result[0]!.data.length, chart.id).toBe(await countRows(chart, setting));
          compared.push(chart.id);
          return;
        }
        for (const [index, { data }] of result.entries()) {
          const isTotal = 'grain' in chart && chart.kind === 'number' && index === 1;
          const expected = await reference(chart, dashboard, setting, isTotal);
          expectSame(toNumbers(data, chart, isTotal), expected!, `${dashboard.id}/${chart.id}`);
        }
        compared.push(chart.id);
      };
      await Promise.all(own.map(async ([id, { chart }]) => compare(id, chart)));
      expect(compared).toHaveLength(chartsOf(dashboard).length);
    });
  }

  it('are right for a filter that begins within a month, at the grain of months', async () => {
    const id = [...charts].find(([, { chart }]) => chart.id === 'net-revenue')![0];
    const dataset = (
      await superset.list('/api/v1/dataset/', z.object({ id: z.int(), uuid: z.string() }), ['id', 'uuid'])
    ).find(({ uuid }) => uuid === uuidOf('dataset', 'revenue'))!;
    expect(id).toBeGreaterThan(0);
    const [from, to] = [`${dayOf(150).slice(0, 7)}-15`, `${dayOf(90).slice(0, 7)}-12`];
    const answer = await superset.send('POST', '/api/v1/chart/data', {
      datasource: { id: dataset.id, type: 'table' },
      force: true,
      queries: [
        {
          columns: [
            {
              timeGrain: 'P1M',
              columnType: 'BASE_AXIS',
              sqlExpression: 'day',
              label: 'day',
              expressionType: 'SQL',
            },
          ],
          metrics: ['captured_payments'],
          filters: [{ col: 'day', op: 'TEMPORAL_RANGE', val: `${from} : ${to}` }],
        },
      ],
    });
    const { result } = z
      .object({
        result: z.array(z.looseObject({ data: z.array(z.looseObject({ captured_payments: z.number() })) })),
      })
      .parse(answer);
    const { rows } = await models.clickhouse.queryTable(
      `SELECT toStartOfMonth(t.revenue_at) AS month, countIf(t.kind = 'charge') AS captured FROM fact_transaction AS t
       WHERE t.revenue_at >= {from:String} AND t.revenue_at < {to:String} GROUP BY month ORDER BY month`,
      { params: { from, to } },
    );
    expect(rows.length).toBeGreaterThan(1);
    expect(result[0]!.data.map((row) => row.captured_payments)).toEqual(
      rows.map(([, captured]) => Number(captured)),
    );
  });
});

/** As {@link openDashboard}; says what the charts say. */
async function open(dashboard: string, query = ''): Promise<void> {
  await openDashboard(page, url, dashboard, query).catch((error: unknown) => {
    throw error instanceof PipelineError ? new Error(`${error.message}: ${error.todo ?? ''}`) : error;
  });
}

describe('the pages', () => {
  beforeAll(async () => {
    page = await logInWithBrowser(browser, { url, login: admin });
  });
  afterAll(async () => {
    await page.close();
  });
  const shownIn = (title: string) =>
    page
      .locator('.dashboard-component-chart-holder', { hasText: title })
      .locator('.header-line')
      .first()
      .innerText();

  it('show the number of ClickHouse after a filter was chosen', async () => {
    await open('billing-overview');
    await page
      .locator('[data-test="form-item-value"], .filter-item-wrapper')
      .filter({ hasText: 'options' })
      .first()
      .click();
    await page.keyboard.type('EUR');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Escape');
    await page.locator('[data-test="filter-bar__apply-button"]').click();
    const [[from, expected] = []] = (
      await models.clickhouse.queryTable(
        `SELECT toStartOfMonth(addMonths(today(), -12)) AS first, uniqExact(t.payment_id) FROM dim_payment_details AS t
         WHERE t.currency = 'EUR' AND t.payment_initiated_at >= toStartOfMonth(addMonths(today(), -12))`,
      )
    ).rows;
    expect(from).toBeDefined();
    const text = Number(expected).toLocaleString('en-US');
    await waitFor(async () => (await shownIn('Payments')) === text, {
      what: `the number ${text}`,
      timeoutMs: 30_000,
    });
  });

  it('follow what lands without anybody touching them', async () => {
    await page.clock.install();
    await open('operations');
    const title = 'Payments in the last 24 hours';
    const before = Number((await shownIn(title)).replaceAll(',', ''));
    const started = Date.now();
    const later = seededHistory({ seed: 99, customers: 400, startAt: started - 2 * dayMs, endAt: started });
    const payments = later.filter(({ topic }) => topic === 'billing.payments');
    await landEvents(models.clickhouse, payments);
    const [[expected] = []] = (
      await models.clickhouse.queryTable(
        'SELECT uniqExact(payment_id) FROM raw_payments WHERE initiated_at >= now() - INTERVAL 24 HOUR',
      )
    ).rows;
    expect(Number(expected)).toBeGreaterThan(before);
    // The refresh comes after a minute of the page's own clock.
    await page.clock.fastForward(61_000);
    const text = Number(expected).toLocaleString('en-US');
    await waitFor(async () => (await shownIn(title)) === text, {
      what: `the number ${text}`,
      timeoutMs: 40_000,
    });
  });

  it('let viewers look at what is theirs, and change nothing', async () => {
    const roles = await superset.list(
      '/api/v1/security/roles/',
      z.object({ id: z.int(), name: z.string() }),
      ['id', 'name'],
    );
    const role = roles.find(({ name }) => name === 'Billing support')!;
    const login = { user: 'support-viewer', password: 'planted-password-5512' };
    await superset.send('POST', '/api/v1/security/users/', {
      username: login.user,
      password: login.password,
      first_name: 'Support',
      last_name: 'Viewer',
      email: 'support@example.com',
      active: true,
      roles: [role.id],
    });
    const viewer = await connectSuperset({ url, login });
    const dashboards = await viewer.list('/api/v1/dashboard/', z.object({ id: z.int(), slug: z.string() }), [
      'id',
      'slug',
    ]);
    expect(dashboards.map(({ slug }) => slug)).toContain('collections');
    expect(dashboards.map(({ slug }) => slug)).not.toContain('subscriptions');
    await expect(
      viewer.send('PUT', `/api/v1/dashboard/${String(dashboards[0]!.id)}`, { dashboard_title: 'Mine' }),
    ).rejects.toMatchObject({ code: 'SUPERSET_REFUSED' });
    const own = await logInWithBrowser(browser, { url, login });
    await openDashboard(own, url, 'collections');
    await own.close();
  });
});

describe('dashboards:report', () => {
  it('mails a dashboard as a PDF', async () => {
    const mails: string[] = [];
    const server = new SMTPServer({
      disabledCommands: ['STARTTLS', 'AUTH'],
      onData: (stream, _session, done) => {
        let mail = '';
        stream
          .on('data', (part: Buffer) => (mail += part.toString('latin1')))
          .on('end', () => {
            mails.push(mail);
            done();
          });
      },
    });
    const [port = 0] = await freePorts(1);
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    const file = path.join(String(env['PIPELINE_HOME']), 'overview.pdf');
    const mail = {
      ALERT_SMTP_URL: `smtp://127.0.0.1:${String(port)}`,
      ALERT_MAIL_FROM: 'reports@example.com',
    };
    const run = await runCli(
      { ...env, ...mail },
      'dashboards:report',
      'billing-overview',
      '--out',
      file,
      '--mail',
      'finance@example.com',
    );
    await new Promise<void>((resolve) => {
      server.close(resolve);
    });
    expect(run).toMatchObject({ exitCode: 0, stderr: '' });
    expect(readFileSync(file).subarray(0, 5).toString()).toBe('%PDF-');
    expect(mails).toHaveLength(1);
    expect(mails[0]).toContain('Subject: Report: Billing overview');
    expect(mails[0]).toMatch(/filename=overview\.pdf/);
  });

  it.each([
    [['nothing'], 'There is no dashboard "nothing"'],
    [['operations', '--out', 'report.gif'], '--out takes a file that ends in .png or .pdf'],
    [['operations', '--mail', 'nobody'], 'ALERT_SMTP_URL'],
    [['operations', '--schedule', 'daily'], 'The schedule "daily" is not valid'],
  ])('refuses %j', async (flags, message) => {
    const run = await cli('dashboards:report', ...flags);
    expect(run.exitCode).toBe(1);
    expect(run.stderr).toContain(message);
  });
});

describe('ClickHouse', () => {
  it('may be away: charts say so, and recover', async () => {
    const [nobody = 0] = await freePorts(1);
    const ask = async () => {
      const datasets = await superset.list('/api/v1/dataset/', z.object({ id: z.int(), uuid: z.string() }), [
        'id',
        'uuid',
      ]);
      const dataset = datasets.find(({ uuid }) => uuid === uuidOf('dataset', 'disputes'))!;
      return superset.send('POST', '/api/v1/chart/data', {
        datasource: { id: dataset.id, type: 'table' },
        force: true,
        result_format: 'json',
        queries: [{ columns: ['reason'], metrics: ['disputes'] }],
      });
    };
    await ask();
    await runCli(
      { ...env, SUPERSET_CLICKHOUSE_URL: `http://127.0.0.1:${String(nobody)}` },
      'dashboards:apply',
    );
    await expect(ask()).rejects.toThrow(/Connection refused|connect/i);
    await cli('dashboards:apply');
    await ask();
  });
});

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

type Numbers = Map<string, unknown[]>;

async function reference(
  chart: Chart,
  dashboard: (typeof assets.dashboards)[number],
  setting: FilterSetting,
  isTotal: boolean,
): Promise<Numbers | undefined> {
  const sql = referenceSql(chart, dashboard, setting, isTotal);
  if (sql === null) return undefined;
  const { columns, rows } = await models.clickhouse.queryTable(sql, {
    settings: { prefer_column_name_to_alias: 1, join_use_nulls: 0 },
  });
  const dimensions = columns.filter(({ name }) => name.startsWith('dimension_')).length;
  return new Map(rows.map((row) => [row.slice(0, dimensions).join(' | '), row.slice(dimensions)]));
}

function toNumbers(data: Record<string, unknown>[], chart: Chart, isTotal: boolean): Numbers {
  const metrics = 'metrics' in chart ? chart.metrics : 'metric' in chart ? [chart.metric] : [];
  const time = assets.datasets.find(({ id }) => id === chart.dataset)?.time;
  const dimensions = isTotal
    ? []
    : [
        ...('grain' in chart && chart.grain !== undefined ? [time] : []),
        ...(chart.kind === 'heatmap' ? [chart.x, chart.y] : []),
        ...('over' in chart ? [chart.over] : []),
        ...('by' in chart ? [chart.by].flat() : []),
      ].filter((name) => name !== undefined);
  return new Map(
    data.map((row) => [
      dimensions.map((name) => String(row[name])).join(' | '),
      metrics.map((name) => row[name]),
    ]),
  );
}

/** Equal up to rounding of the last digits; what is empty on one side may be missing on the other. */
function expectSame(shown: Numbers, expected: Numbers, what: string): void {
  const isEmpty = (values: unknown[] | undefined) =>
    values?.every((value) => !value || Number(value) === 0) !== false;
  const differing = [...new Set([...shown.keys(), ...expected.keys()])].flatMap((key) => {
    const [is, should] = [shown.get(key), expected.get(key)];
    if (isEmpty(is) && isEmpty(should)) return [];
    const isSame = is?.every((value, index) =>
      isClose(Number(value ?? 0), Number(should?.[index] ?? 0), what),
    );
    return isSame === true ? [] : [`${key}: shows ${String(is)}, SQL says ${String(should)}`];
  });
  expect(differing, what).toEqual([]);
}

function isClose(a: number, b: number, what: string): boolean {
  // Time goes on between the two questions; amounts of months are rounded once per currency and region.
  if (/freshness|pipeline-by-topic/.test(what) && a > 1000) return Math.abs(a - b) < 120_000;
  const tolerance = what.includes('dso') ? 1e-3 : 1e-6;
  return Math.abs(a - b) <= tolerance * Math.max(1, Math.abs(a), Math.abs(b));
}

async function countRows(chart: Chart, { from, to, currencies, regions }: FilterSetting): Promise<number> {
  const [table, time] =
    chart.dataset === 'transactions'
      ? ['fact_transaction', 'initiated_at']
      : ['dim_customer_invoices', 'issued_at'];
  const list = (values: readonly string[]) => values.map((value) => `'${value}'`).join(', ');
  const { rows } = await models.clickhouse.queryTable(
    `SELECT least(count(), 100) FROM ${table} WHERE ${time} >= '${from}' AND ${time} < '${to}'
     ${currencies.length > 0 ? `AND currency IN (${list(currencies)})` : ''}
     ${regions.length > 0 ? `AND region IN (${list(regions)})` : ''}`,
  );
  return Number(rows[0]![0]);
}
