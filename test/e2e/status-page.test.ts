import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, connect, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, inject, onTestFinished, test } from 'vitest';
import { createConnectClient } from '../../controlplane/kafka-connect/connect-client.ts';
import { createMetrics } from '../../controlplane/watch/metrics.ts';
import { startWatchServer } from '../../controlplane/watch/server.ts';
import { readWatchSettings } from '../../controlplane/watch/settings.ts';
import { createSupervisor } from '../../controlplane/watch/supervisor.ts';
import { resolveHome } from '../../core/home.ts';
import { loadTarget } from '../../targets/load-target.ts';
import { startBrowser } from '../../core/browser.ts';

const target = loadTarget('embedded', { ...process.env, ...inject('stackEnv') });

/** The way to the worker, to be cut and mended: to the watcher a cut one is a worker that is down. */
async function cuttableWay() {
  const { hostname, port } = new URL(target.connect.url);
  const sockets = new Set<Socket>();
  let isCut = false;
  const server = createServer((near) => {
    if (isCut) {
      near.destroy();
      return;
    }
    const far = connect(Number(port), hostname);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one.pipe(other);
      one.on('error', () => other.destroy());
      one.on('close', () => sockets.delete(one));
    }
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    cut: () => {
      isCut = true;
      for (const socket of sockets) socket.destroy();
    },
    mend: () => {
      isCut = false;
    },
  };
}

test('a person sees a connector fail, why, what the watcher does, and how it recovers; and a worker that goes away', async () => {
  const way = await cuttableWay();
  const service = createConnectClient({ url: way.url });
  const folder = mkdtempSync(path.join(tmpdir(), 'status-page-'));
  const names = ['sound', 'sick'].map((name) => `${name}-${randomUUID().slice(0, 8)}`) as [string, string];
  const configOf = (mode: string) => ({
    'connector.class': 'org.apache.kafka.connect.tools.MockSinkConnector',
    'tasks.max': '1',
    topics: 'billing.plans',
    topic2TableMap: 'billing.plans=raw_plans',
    mock_mode: mode,
    delay_ms: '0',
  });
  const put = (name: string, mode: string) =>
    service.put({ name, config: configOf(mode), secretKeys: new Set() });
  for (const name of names) {
    writeFileSync(path.join(folder, `${name}.json`), JSON.stringify({ name, config: configOf('none') }));
    await put(name, 'none');
  }
  const [, sick] = names;
  const settings = readWatchSettings({ WATCH_INTERVAL_S: '0.5' });
  const metrics = createMetrics({ processMetrics: false });
  const supervisor = createSupervisor({
    target,
    contracts: { topics: [], deadLetterTopics: [] },
    env: {},
    folder,
    home: resolveHome({ PIPELINE_HOME: path.join(folder, 'home') }),
    service,
    settings: {
      ...settings,
      restarts: { ...settings.restarts, baseDelayMs: 100, settleMs: 300, restartsPerUnit: 2 },
    },
    reconcile: false,
    metrics,
    notices: { patienceMs: 60_000, quietMs: 1000 },
    log: () => undefined,
    notify: () => undefined,
  });
  const stop = new AbortController();
  const running = supervisor.run(stop.signal);
  const server = await startWatchServer({
    settings: { host: '127.0.0.1', port: 0, token: null },
    metrics,
    snapshot: () => supervisor.snapshot(),
    staleAfterMs: 60_000,
  });
  const browser = await startBrowser();
  onTestFinished(async () => {
    stop.abort();
    await running;
    await Promise.all([browser.close(), server.close(), supervisor.close()]);
    way.mend();
    await Promise.all(names.map((name) => service.delete(name)));
    rmSync(folder, { recursive: true, force: true });
  });

  const page = await browser.newPage();
  page.setDefaultTimeout(45_000);
  await page.goto(server.url);
  const headline = (text: string) => page.getByRole('heading', { level: 1, name: text }).waitFor();
  const card = page.getByRole('article').filter({ hasText: sick });
  const log = page.getByRole('region', { name: 'Log of actions' });
  await headline('All 2 connectors are healthy');
  expect(await card.getByRole('rowheader').innerText()).toMatch(/billing\.plans[\s\S]*raw_plans/);

  await put(sick, 'task-failure');
  await headline('1 of 2 connectors needs attention');
  // The mock says no more than "RuntimeException": nobody knows why, so it is restarted, twice, and then held.
  await card.getByText('holds task 0: restarted 2 times within 60 minutes').waitFor();
  expect(await card.getByRole('heading').textContent()).toBe(sick);
  for (const text of ['failed', 'unknown', /task 0 failed: /, "Read the worker's log", '0 of 1 task running'])
    expect(await card.getByText(text).first().isVisible(), String(text)).toBe(true);
  // The band is drawn from points ten seconds apart.
  const band = (what: RegExp) => card.getByRole('img', { name: what }).waitFor();
  await band(/Verdicts over time: .*2 restarts/);
  expect(await log.getByText(`Restarted task 0 of ${sick} (unknown)`).count()).toBe(2);
  expect(await page.title()).toBe('✕ 1 of 2 connectors needs attention');

  await put(sick, 'none');
  await service.restartFailed(sick);
  await headline('All 2 connectors are healthy');
  await log.getByText(`${sick} has recovered after`).waitFor();
  await band(/Verdicts over time: .*failed at/);

  way.cut();
  await headline('Kafka Connect does not answer');
  await page.getByRole('heading', { name: /^Connectors as of \d\d:\d\d:\d\d$/ }).waitFor();
  expect(await page.getByRole('article').count()).toBe(2);
  way.mend();
  await headline('All 2 connectors are healthy');
});
