import type { Browser, Page } from 'playwright-core';
import { PipelineError, codeOf } from '../../core/errors.ts';
import { waitFor } from '../../core/wait.ts';
import type { SupersetAccess } from '../api/client.ts';

export interface Viewport {
  width: number;
  height: number;
}

/** Tall enough for every dashboard: Superset draws a chart only when it comes into view. */
export const wholeDashboard: Viewport = { width: 1600, height: 2600 };

const loginTimeoutMs = 30_000;
const renderTimeoutMs = 90_000;

/**
 * A page of a browser in which somebody is logged in.
 *
 * @throws PipelineError `SUPERSET_LOGIN`
 */
export async function logInWithBrowser(
  browser: Browser,
  { url, login }: SupersetAccess,
  viewport: Viewport = wholeDashboard,
): Promise<Page> {
  if ('token' in login) {
    throw new PipelineError('SUPERSET_LOGIN', {
      what: 'A browser logs in with a user and a password, not with a token',
      where: url,
      todo: 'Set SUPERSET_USER and SUPERSET_PASSWORD.',
    });
  }
  // More pixels than a screen's: reports are read on fine screens and on paper.
  const page = await browser.newPage({ viewport, deviceScaleFactor: 1.5 });
  await page.goto(`${url}/login/`);
  await page.fill('input[name=username], #username', login.user);
  await page.fill('input[name=password], #password', login.password);
  await page.click('button[type=submit], input[type=submit]');
  try {
    await page.waitForURL((address) => !address.pathname.startsWith('/login'), { timeout: loginTimeoutMs });
  } catch (cause) {
    await page.close();
    throw new PipelineError('SUPERSET_LOGIN', {
      what: 'Superset does not accept the login',
      where: url,
      cause,
    });
  }
  return page;
}

/**
 * Opens a dashboard and returns when every chart of it is drawn.
 *
 * @param query further parameters of the address, such as filters
 * @throws PipelineError `DASHBOARD_MISSING`, `CHARTS_FAILED` with what the charts say, `CHARTS_NOT_DRAWN` after a deadline
 */
export async function openDashboard(page: Page, url: string, slug: string, query = ''): Promise<void> {
  const charts = await countCharts(page, url, slug);
  await page.goto(`${url}/superset/dashboard/${slug}/${query}`);
  await awaitCharts(page, charts);
}

/** Waits until as many charts are drawn. @throws PipelineError as {@link openDashboard} */
export async function awaitCharts(page: Page, charts: number): Promise<void> {
  const drawn = page.locator('.slice_container');
  const alerts = page.locator('.dashboard-chart [role=alert]');
  const loading = page.locator('.dashboard-chart [data-test="loading-indicator"]');
  try {
    await waitFor(
      async () => (await drawn.count()) + (await alerts.count()) >= charts && (await loading.count()) === 0,
      { what: `the ${String(charts)} charts of the dashboard`, timeoutMs: renderTimeoutMs },
    );
  } catch (cause) {
    if (codeOf(cause) !== 'TIMED_OUT') throw cause;
    throw new PipelineError('CHARTS_NOT_DRAWN', {
      what: `Not all of the ${String(charts)} charts were drawn within ${String(renderTimeoutMs / 1000)} s`,
      where: page.url(),
      retryable: true,
      cause,
    });
  }
  const failures = (await alerts.allTextContents()).map((text) => text.replace(/\s+/g, ' ').slice(0, 200));
  if (failures.length === 0) return;
  throw new PipelineError('CHARTS_FAILED', {
    what: `${String(failures.length)} of ${String(charts)} charts show an error`,
    where: page.url(),
    todo: [...new Set(failures)].slice(0, 3).join('\n'),
    retryable: true,
  });
}

async function countCharts(page: Page, url: string, slug: string): Promise<number> {
  const response = await page.request.get(`${url}/api/v1/dashboard/${encodeURIComponent(slug)}/charts`);
  if (!response.ok()) {
    throw new PipelineError('DASHBOARD_MISSING', {
      what: `There is no dashboard "${slug}" that this login may see`,
      where: url,
      todo: 'Make the dashboards with "npm run dashboards:apply".',
    });
  }
  const { result } = (await response.json()) as { result: unknown[] };
  return result.length;
}
