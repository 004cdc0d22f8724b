import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { uuidOf } from '../../../superset/bundle/uuids.ts';
import { chartsOf } from '../../../superset/declare/references.ts';
import type { Chart } from '../../../superset/declare/shapes.ts';
import { referenceSql, type FilterSetting } from './reference-numbers.ts';
import { assets, charts, dayOf, models, open, openPage, page, superset } from './superset-under-test.ts';

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

/** Every chart's numbers, asked for as its page asks, against SQL. */
export function testNumbers(): void {
  describe('the numbers', () => {
    beforeAll(openPage);
    afterAll(async () => {
      await page.close();
    });

    for (const dashboard of assets.dashboards) {
      it.each(settings)(`of ${dashboard.title} are those of SQL: $name`, async (setting) => {
        const asked = new Map<number, Asked>();
        const maps = new Map<number, Promise<unknown>>();
        const listen = (request: {
          url: () => string;
          method: () => string;
          postDataJSON: () => unknown;
        }) => {
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
}

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
