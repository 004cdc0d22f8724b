import { createServer, type AddressInfo } from 'node:net';
import { request } from 'node:http';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createMetrics } from '../../../controlplane/watch/metrics.ts';
import { startWatchServer } from '../../../controlplane/watch/server.ts';
import type { Snapshot } from '../../../controlplane/watch/snapshot.ts';
import { projectRoot } from '../../../core/home.ts';

const snapshot: Snapshot = {
  at: new Date().toISOString(),
  target: 'embedded',
  intervalMs: 2000,
  servers: {
    connect: { isUp: true, reason: null },
    kafka: { isUp: true, reason: null },
    clickhouse: { isUp: true, reason: null, state: 'ready' },
  },
  connectors: [
    {
      name: 'core',
      state: 'RUNNING',
      verdict: 'degraded',
      cause: 'transient',
      lag: 7,
      deadLetters: 3,
      reason: 'task 1 failed',
      action: 'restart',
      routes: [{ topic: 't', table: 'raw_t' }],
      tasks: [
        { id: 0, state: 'RUNNING', worker: 'w', error: null },
        { id: 1, state: 'FAILED', worker: 'w', error: 'x' },
      ],
      partitions: [{ topic: 't', partition: 4, committed: 3, end: 10, lag: 7 }],
    },
  ],
  connectorsSeenAt: null,
  decisions: [],
  budget: { used: 1, perMinute: 30 },
  drift: { checkedAt: null, changes: [{ name: 'core', operation: 'update', keys: ['x'] }], error: null },
  freshness: [{ topic: 't', ageMs: 1500, rows: 3 }],
  accounts: {
    at: new Date().toISOString(),
    error: null,
    topics: [
      {
        topic: 't',
        produced: 100,
        landed: 90,
        deadLetters: 3,
        missing: 4,
        pending: 2,
        empty: 5,
        tombstones: 1,
        expired: 6,
        redelivered: 7,
      },
    ],
  },
  journal: [],
  history: [],
};

interface Served {
  snapshot?: Snapshot | undefined;
  token?: string | null;
}

async function serve({ snapshot: current, token = null }: Served = {}) {
  const metrics = createMetrics({ processMetrics: false });
  const server = await startWatchServer({
    settings: { host: '127.0.0.1', port: 0, token },
    metrics,
    snapshot: () => current,
    staleAfterMs: 10_000,
  });
  onTestFinished(() => server.close());
  return { url: server.url, metrics };
}

test('metrics say what the last look saw, with the documented names', async () => {
  const { url, metrics } = await serve({ snapshot });
  metrics.update(snapshot);
  metrics.countRestart('core', 'transient', 'accepted');
  metrics.observeRecovery('core', 4);
  metrics.observeLoop(0.2, 'done');
  metrics.countAlert({
    channel: 'webhook',
    notice: {
      status: 'firing',
      subject: 'core',
      cause: 'transient',
      reason: '',
      action: '',
      startedAt: '',
      endedAt: null,
    },
    failure: null,
  });
  const response = await fetch(`${url}/metrics`);
  expect(response.headers.get('content-type')).toContain('text/plain');
  const text = await response.text();
  for (const line of [
    'billing_connector_verdict{connector="core",verdict="degraded"} 1',
    'billing_connector_verdict{connector="core",verdict="healthy"} 0',
    'billing_connector_tasks{connector="core",state="FAILED"} 1',
    'billing_connector_lag_records{connector="core",topic="t",partition="4"} 7',
    'billing_connector_dead_letter_records{connector="core"} 3',
    'billing_connector_drift{connector="core"} 1',
    'billing_connector_restarts_total{connector="core",cause="transient",outcome="accepted"} 1',
    'billing_connector_recovery_seconds_sum{connector="core"} 4',
    'billing_table_freshness_seconds{topic="t"} 1.5',
    'billing_reconcile_produced_records{topic="t"} 100',
    'billing_reconcile_records{topic="t",state="landed"} 90',
    'billing_reconcile_records{topic="t",state="dead_letter"} 3',
    'billing_reconcile_records{topic="t",state="missing"} 4',
    'billing_reconcile_records{topic="t",state="pending"} 2',
    'billing_reconcile_records{topic="t",state="expired"} 6',
    'billing_reconcile_redelivered_rows{topic="t"} 7',
    'billing_server_up{server="clickhouse"} 1',
    'billing_clickhouse_ready 1',
    'billing_watch_alerts_total{channel="webhook",status="firing",outcome="delivered"} 1',
  ]) {
    expect(text).toContain(`\n${line}\n`);
  }

  expect(Number(/^billing_reconcile_age_seconds (\S+)$/m.exec(text)?.[1])).toBeLessThan(60);

  metrics.update({ ...snapshot, connectors: [], accounts: null });
  const later = await (await fetch(`${url}/metrics`)).text();
  for (const gone of [
    'billing_connector_lag_records{',
    'billing_reconcile_records{',
    '\nbilling_reconcile_age_seconds ',
  ])
    expect(later).not.toContain(gone);
});

test('every metric is documented with its type, and nothing is documented that does not exist', async () => {
  const text = await createMetrics({ processMetrics: false }).expose();
  const exposed = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(
    ([, name, type]) => `${name ?? ''} ${type ?? ''}`,
  );
  const manual = readFileSync(path.join(projectRoot, 'docs', 'watch.md'), 'utf8');
  const documented = [...manual.matchAll(/^\| `(billing_\w+)`\S* \| (\w+) \|/gm)].map(
    ([, name, type]) => `${name ?? ''} ${type ?? ''}`,
  );
  expect(documented.sort()).toEqual(exposed.sort());
});

test('healthz tells a watcher that looks from one that does not', async () => {
  const statusOf = async (current?: Snapshot) => {
    const { url } = await serve({ snapshot: current });
    const response = await fetch(`${url}/healthz`);
    return [response.status, ((await response.json()) as { status: string }).status];
  };
  expect(await statusOf()).toEqual([503, 'starting']);
  expect(await statusOf(snapshot)).toEqual([200, 'watching']);
  const old = { ...snapshot, at: new Date(Date.now() - 60_000).toISOString() };
  expect(await statusOf(old)).toEqual([503, 'stuck']);
});

test('the snapshot is served once there is one', async () => {
  const early = await serve();
  expect((await fetch(`${early.url}/snapshot.json`)).status).toBe(503);
  const { url } = await serve({ snapshot });
  expect(await (await fetch(`${url}/snapshot.json`)).json()).toEqual(snapshot);
});

test('what is not there is a 404 with the list of what is, and nothing can be written', async () => {
  const { url } = await serve({ snapshot });
  for (const at of ['/nothing', '/page/nothing.js', '/__proto__', '/constructor']) {
    const response = await fetch(url + at);
    expect(response.status).toBe(404);
    expect(await response.text()).toContain('/metrics');
  }
  expect((await fetch(`${url}/metrics`, { method: 'POST', body: 'x' })).status).toBe(405);
  const head = await fetch(`${url}/healthz`, { method: 'HEAD' });
  expect([head.status, await head.text()]).toEqual([200, '']);
});

test('with a token only those who know it get anything but healthz', async () => {
  const { url } = await serve({ snapshot, token: 's3cret' });
  const statusOf = async (at: string, authorization?: string) =>
    (await fetch(url + at, authorization === undefined ? {} : { headers: { authorization } })).status;
  expect(await statusOf('/metrics')).toBe(401);
  expect(await statusOf('/metrics', 'Bearer wrong')).toBe(401);
  expect(await statusOf('/metrics', 'Basic s3cret')).toBe(401);
  expect(await statusOf('/snapshot.json', 'Bearer s3cret')).toBe(200);
  expect(await statusOf('/healthz')).toBe(200);
});

test('a page of elsewhere that points its own name at this machine is refused', async () => {
  const { url } = await serve({ snapshot });
  const statusFor = (host: string) =>
    new Promise<number | undefined>((resolve, reject) => {
      request(`${url}/metrics`, { headers: { host } }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .on('error', reject)
        .end();
    });
  expect(await statusFor('evil.example.com')).toBe(401);
  expect(await statusFor('localhost:8090')).toBe(200);
  expect(await statusFor('[::1]:8090')).toBe(200);
});

test('a taken port is an error that names its setting', async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    other.close();
  });
  const { port } = other.address() as AddressInfo;
  const starting = startWatchServer({
    settings: { host: '127.0.0.1', port, token: null },
    metrics: createMetrics({ processMetrics: false }),
    snapshot: () => undefined,
    staleAfterMs: 1,
  });
  await expect(starting).rejects.toMatchObject({
    code: 'WATCH_PORT_TAKEN',
    todo: expect.stringContaining('WATCH_PORT') as string,
  });
});
