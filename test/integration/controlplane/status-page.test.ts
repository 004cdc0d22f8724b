import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import type { TopicAccount } from '../../../controlplane/watch/accounting.ts';
import type { WatchedConnector } from '../../../controlplane/watch/assess-fleet.ts';
import { createMetrics } from '../../../controlplane/watch/metrics.ts';
import { startWatchServer } from '../../../controlplane/watch/server.ts';
import type { Snapshot } from '../../../controlplane/watch/snapshot.ts';
import { startBrowser } from '../../../core/browser.ts';

/** The page in a real browser, over snapshots that the tests make up. */

let browser: Browser;
beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(async () => {
  await browser.close();
});

function connector(name: string, changes: Partial<WatchedConnector> = {}): WatchedConnector {
  const topic = `${name}.topic`;
  return {
    name,
    state: 'RUNNING',
    verdict: 'healthy',
    cause: null,
    lag: 0,
    deadLetters: 0,
    reason: null,
    action: null,
    tasks: [{ id: 0, state: 'RUNNING', worker: 'w', error: null }],
    routes: [{ topic, table: `raw_${name}` }],
    partitions: [{ topic, partition: 0, committed: 29_900, end: 30_000, lag: 100 }],
    ...changes,
  };
}

/** A snapshot of now with ten minutes behind it, in which 50 records a second came. */
function snapshotOf(connectors: readonly WatchedConnector[], changes: Partial<Snapshot> = {}): Snapshot {
  const nowMs = Date.now();
  const topics = connectors.flatMap(({ routes }) => routes.map(({ topic }) => topic));
  const history = Array.from({ length: 60 }, (_, index) => ({
    atMs: nowMs - (60 - index) * 10_000,
    topics: Object.fromEntries(
      topics.map((topic) => [
        topic,
        { produced: index * 500, lag: 100 + index, freshnessMs: 700, landed: index * 500 },
      ]),
    ),
    verdicts: Object.fromEntries(connectors.map(({ name }) => [name, 'healthy' as const])),
  }));
  const up = { isUp: true, reason: null };
  return {
    at: new Date(nowMs).toISOString(),
    target: 'embedded',
    intervalMs: 1000,
    servers: { connect: up, kafka: up, clickhouse: { ...up, state: 'ready' } },
    connectors,
    connectorsSeenAt: new Date(nowMs).toISOString(),
    decisions: [],
    budget: { used: 2, perMinute: 30 },
    drift: { checkedAt: new Date(nowMs).toISOString(), changes: [], error: null },
    accounts: {
      at: new Date(nowMs).toISOString(),
      error: null,
      topics: topics.map((topic) => account(topic)),
    },
    freshness: topics.map((topic) => ({ topic, ageMs: 700, rows: 30_000 })),
    journal: [{ at: new Date(nowMs).toISOString(), level: 'info', event: 'verdict', message: 'It began' }],
    history,
    ...changes,
  };
}

function account(topic: string, changes: Partial<TopicAccount> = {}): TopicAccount {
  const none = {
    deadLetters: 0,
    missing: 0,
    pending: 0,
    empty: 0,
    tombstones: 0,
    expired: 0,
    redelivered: 0,
  };
  return { topic, produced: 30_000, landed: 30_000, ...none, ...changes };
}

async function serve(snapshot: () => Snapshot | undefined, { token = null as string | null, port = 0 } = {}) {
  const server = await startWatchServer({
    settings: { host: '127.0.0.1', port, token },
    metrics: createMetrics({ processMetrics: false }),
    snapshot,
    staleAfterMs: 10_000,
  });
  onTestFinished(() => server.close());
  return server;
}

/** Opens the page; `problems` are errors of the page and requests to anywhere else. */
async function open(url: string, options: BrowserContextOptions = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  onTestFinished(() => context.close());
  const page = await context.newPage();
  const problems: string[] = [];
  page.on('pageerror', ({ message }) => problems.push(message));
  page.on('console', (message) => {
    if (/Content Security Policy|Trusted/i.test(message.text())) problems.push(message.text());
  });
  const requested: string[] = [];
  page.on('request', (request) => requested.push(request.url()));
  page.on('dialog', (dialog) => {
    problems.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  await page.goto(url);
  return { page, problems, requested };
}

const sees = (page: Page, text: string | RegExp) => page.getByText(text).first().waitFor({ timeout: 15_000 });
const headline = (page: Page, text: string | RegExp) =>
  page.getByRole('heading', { level: 1, name: text }).waitFor({ timeout: 15_000 });

test('a person sees each topic with its table, rate, lag and freshness, and nothing is asked of elsewhere', async () => {
  const { url } = await serve(() => snapshotOf([connector('core'), connector('payments')]));
  const { page, problems, requested } = await open(url);
  await headline(page, 'All 2 connectors are healthy');
  const card = page.getByRole('article').filter({ hasText: 'payments.topic' });
  expect(await card.getByRole('heading').textContent()).toBe('payments');
  expect(await card.getByRole('rowheader').innerText()).toMatch(/payments\.topic[\s\S]*raw_payments/);
  const charts = await Promise.all(
    (await card.getByRole('img').all()).map((one) => one.getAttribute('aria-label')),
  );
  expect(charts).toEqual(
    expect.arrayContaining([
      expect.stringMatching(/^Rate, the last 15 minutes: now [\d.]+\/s, at most 50\/s/),
      expect.stringMatching(/^Lag, the last 15 minutes: now 100, at most 159/),
      expect.stringMatching(/^Last row, the last 15 minutes: now 0\.7 s/),
      'Verdicts over time: no trouble',
    ]),
  );
  await sees(page, '2 of 30 this minute, 0 this hour');
  await sees(page, 'It began');
  expect(requested.filter((one) => !one.startsWith(url))).toEqual([]);
  expect(problems).toEqual([]);
});

test('a person sees whether every record is accounted for, and what is missing comes first', async () => {
  const at = new Date().toISOString();
  let accounts: Snapshot['accounts'] = { at: null, error: null, topics: [] };
  const { url } = await serve(() => snapshotOf([connector('core'), connector('payments')], { accounts }));
  const { page } = await open(url);
  await sees(page, 'not reconciled yet');
  accounts = { at, error: null, topics: [account('core.topic'), account('payments.topic', { pending: 7 })] };
  await sees(page, '60 k accounted for, 7 on their way');
  await headline(page, 'All 2 connectors are healthy');
  accounts = { at, error: null, topics: [account('core.topic'), account('payments.topic', { missing: 12 })] };
  await headline(page, '12 records are missing in ClickHouse');
  await sees(page, '12 missing of payments.topic');
  accounts = {
    ...accounts,
    at: new Date(Date.now() - 180_000).toISOString(),
    error: 'Kafka does not answer',
  };
  await sees(page, '12 missing of payments.topic, as of 3 min ago: Kafka does not answer');
});

test('whatever a server or a trace says is text', async () => {
  const evil = '<img src=x onerror=alert(1)><script>alert(2)</script>';
  const sick = connector(`core ${evil}`, {
    verdict: 'failed',
    cause: 'unknown',
    reason: `task 0 failed: ${evil}`,
    action: `do ${evil}`,
    routes: [{ topic: `t ${evil}`, table: `r ${evil}` }],
    tasks: [{ id: 0, state: 'FAILED', worker: evil, error: evil }],
  });
  const entry = {
    at: new Date().toISOString(),
    level: 'warn',
    event: evil,
    message: evil,
    reason: `because ${evil}`,
  };
  const snapshot = snapshotOf([sick], {
    target: evil,
    journal: [entry as Snapshot['journal'][number]],
    decisions: [{ connector: sick.name, task: 0, cause: 'unknown', action: 'hold', reason: evil }],
    drift: { checkedAt: '', changes: [], error: evil },
    accounts: { at: new Date().toISOString(), error: evil, topics: [account(`t ${evil}`, { missing: 1 })] },
  });
  const { url } = await serve(() => snapshot);
  const { page, problems } = await open(url);
  await sees(page, `task 0 failed: ${evil}`);
  await sees(page, `because ${evil}`);
  await sees(page, `holds task 0: ${evil}`);
  expect(await page.locator('main img, main script').count()).toBe(0);
  expect(problems).toEqual([]);
  // The browser itself refuses what a later mistake would do.
  const refused = await page.evaluate(
    "try { document.body.innerHTML = '<b>x</b>'; 'taken' } catch (e) { e.name }",
  );
  expect(refused).toBe('TypeError');
});

test('a watcher that goes away is said to be away, with what it said last; one that comes back is taken up again', async () => {
  const connectors = [connector('core')];
  const first = await serve(() => snapshotOf(connectors));
  const { page } = await open(first.url);
  await headline(page, 'The connector is healthy');
  await first.close();
  await sees(page, /The watcher has not answered since \d\d:\d\d:\d\d\. What you see is as of/);
  await headline(page, /The connector is healthy, as of \d\d:\d\d:\d\d/);
  expect(await page.getByRole('article').count()).toBe(1);

  const port = Number(new URL(first.url).port);
  // Another watcher, with a history of its own: what the page has seen before stays in its charts.
  await serve(() => snapshotOf(connectors, { history: [] }), { port });
  await headline(page, /^The connector is healthy$/);
  expect(await page.getByRole('alert').first().isVisible()).toBe(false);
  const lag = page.getByRole('article').getByRole('img', { name: /^Lag/ });
  expect(await lag.getAttribute('aria-label')).toContain('at most 159');
});

test('a look that is old, a watcher that has just begun, and one that sees nothing are told apart', async () => {
  let snapshot: Snapshot | undefined;
  const { url } = await serve(() => snapshot);
  const { page } = await open(url);
  await sees(page, 'has not finished its first look');
  const away = { isUp: false, reason: 'Kafka Connect does not answer (ECONNREFUSED)' };
  const { servers } = snapshotOf([]);
  snapshot = snapshotOf([], { connectorsSeenAt: null, servers: { ...servers, connect: away } });
  await headline(page, 'Kafka Connect does not answer');
  await sees(page, 'Kafka Connect has not answered since the watcher started.');
  snapshot = snapshotOf([connector('core')], { at: new Date(Date.now() - 90_000).toISOString() });
  await sees(page, /its last look was finished \d+ s ago/);
});

test('with a token the page asks for it, keeps it out of every address, and says when it is wrong', async () => {
  const { url } = await serve(() => snapshotOf([connector('core')]), { token: 'planted-token' });
  const { page, requested } = await open(url);
  await page.getByLabel('Token').fill('wrong');
  await page.keyboard.press('Enter');
  await sees(page, 'The watcher does not know this token.');
  await page.getByLabel('Token').fill('planted-token');
  await page.getByRole('button').click();
  await headline(page, 'The connector is healthy');
  await page.reload();
  await headline(page, 'The connector is healthy');
  expect(requested.join()).not.toContain('planted');
});

test('on a phone nothing is wider than the screen, and the keyboard reaches what can be done', async () => {
  const long = connector('a-connector-with-quite-a-long-name-for-a-phone', {
    verdict: 'degraded',
    cause: 'schema-mismatch',
    reason: `task 0 failed: ${'org.apache.kafka.connect.errors.'.repeat(6)}X`,
    action: 'Do something about it',
  });
  const { url } = await serve(() => snapshotOf([connector('core'), long]));
  const { page } = await open(url, { viewport: { width: 390, height: 844 }, hasTouch: true });
  await headline(page, '1 of 2 connectors needs attention');
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390);
  // What is in trouble comes first.
  expect(await page.getByRole('article').first().getByRole('heading').textContent()).toBe(long.name);

  const reached: unknown[] = [];
  for (let step = 0; step < 8; step += 1) {
    await page.keyboard.press('Tab');
    reached.push(await page.evaluate('document.activeElement.tagName + (document.activeElement.name ?? "")'));
  }
  expect(reached).toEqual(expect.arrayContaining(['A', 'INPUTwindow', 'SUMMARY', 'DIV']));
  await page.getByRole('radio', { name: '5 min', exact: true }).focus();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  expect(await page.getByRole('img', { name: /the last 60 minutes/ }).count()).toBeGreaterThan(0);
});

test.each(['light', 'dark'] as const)('every text is readable in %s mode', async (colorScheme) => {
  const states = (['healthy', 'starting', 'dead-letters', 'failed'] as const).map((verdict) =>
    connector(verdict, {
      verdict,
      cause: verdict === 'failed' ? 'transient' : null,
      reason: verdict === 'healthy' ? null : 'why',
    }),
  );
  const levels = (['info', 'warn', 'error'] as const).map((level) => ({
    at: new Date().toISOString(),
    level,
    event: level === 'info' ? 'recovery' : 'hold',
    message: `${level} message`,
    reason: 'a reason',
  }));
  const { url } = await serve(() => snapshotOf(states, { journal: levels }));
  const { page } = await open(url, { colorScheme, reducedMotion: 'reduce' });
  await headline(page, '2 of 4 connectors need attention');
  expect(await page.evaluate(poorContrast)).toEqual([]);
  expect(await page.evaluate("getComputedStyle(document.querySelector('.pipe i')).animationName")).toBe(
    'none',
  );
});

/** Texts whose contrast with what is behind them is below 4.5 (WCAG 2.2, AA). Runs in the browser. */
const poorContrast = `(() => {
  const rgb = (text) => text.match(/[\\d.]+/g).map(Number);
  const luminance = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const behind = (element) => {
    for (let at = element; at !== null; at = at.parentElement) {
      const color = rgb(getComputedStyle(at).backgroundColor);
      if (color.length === 3 || color[3] === 1) return color;
    }
    return [255, 255, 255];
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const poor = [];
  while (walker.nextNode()) {
    const { parentElement: element, data } = walker.currentNode;
    if (data.trim() === '' || element.getClientRects().length === 0) continue;
    const [a, b] = [rgb(getComputedStyle(element).color), behind(element)].map(luminance).sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) poor.push(data.trim() + ' ' + ratio.toFixed(2));
  }
  return poor;
})()`;
