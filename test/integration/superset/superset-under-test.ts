import type { Browser, Page } from 'playwright-core';
import { z } from 'zod';
import { startBrowser } from '../../../core/browser.ts';
import { PipelineError } from '../../../core/errors.ts';
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

/** What the parts of the one test file share: they run one after the other, as starting all this takes a minute. */

export const dayMs = 86_400_000;
export const now = Date.now();
export const assets = readAssets();
export const dayOf = (daysAgo: number) => new Date(now - daysAgo * dayMs).toISOString().slice(0, 10);

export let models: ModelsEndpoint;
export let env: NodeJS.ProcessEnv;
export let url: string;
export let admin: { user: string; password: string };
export let superset: Superset;
export let browser: Browser;
export let page: Page;
export let charts: Map<number, { chart: Chart; dashboard: string }>;

export const cli = async (command: string, ...flags: string[]) => runCli(env, command, ...flags);
export const json = (text: string) => JSON.parse(text) as Record<string, unknown>;

/** Starts Superset and ClickHouse, lands two years of events and builds the models. */
export async function startUnderTest(): Promise<void> {
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
}

export async function stopUnderTest(): Promise<void> {
  await browser.close();
  await cli('dashboards:down', '--purge');
  await models.stop();
}

/** The charts by the number that Superset gave them. */
export async function numberCharts(): Promise<typeof charts> {
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
  charts = new Map(
    rows.flatMap(({ id, uuid }) => {
      const known = declared.get(uuid);
      return known === undefined ? [] : [[id, known] as const];
    }),
  );
  return charts;
}

/** A page in which the admin is logged in, for the tests of one part. */
export async function openPage(): Promise<void> {
  page = await logInWithBrowser(browser, { url, login: admin });
}

/** As {@link openDashboard}; says what the charts say. */
export async function open(dashboard: string, query = ''): Promise<void> {
  await openDashboard(page, url, dashboard, query).catch((error: unknown) => {
    throw error instanceof PipelineError ? new Error(`${error.message}: ${error.todo ?? ''}`) : error;
  });
}
