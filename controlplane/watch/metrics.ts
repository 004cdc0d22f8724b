import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import { verdicts } from '../health.ts';
import type { CauseClass } from '../trace-causes.ts';
import type { Delivery } from './deliver.ts';
import type { Snapshot } from './snapshot.ts';

/** What Prometheus reads; docs/watch.md lists every name with its unit. */
export interface WatchMetrics {
  update(snapshot: Snapshot): void;
  countRestart(connector: string, cause: CauseClass, outcome: 'accepted' | 'refused'): void;
  observeRecovery(connector: string, seconds: number): void;
  observeLoop(seconds: number, outcome: 'done' | 'failed'): void;
  countAlert(delivery: Delivery): void;
  /** The exposition format, as text. */
  expose(): Promise<string>;
  contentType: string;
}

/** Labels of `billing_reconcile_records`. */
const recordStates = [
  ['landed', 'landed'],
  ['dead_letter', 'deadLetters'],
  ['missing', 'missing'],
  ['pending', 'pending'],
  ['empty', 'empty'],
  ['tombstone', 'tombstones'],
  ['expired', 'expired'],
] as const;

/** @param processMetrics adds those of Node itself; off in tests, which make many registries in one process */
export function createMetrics({ processMetrics = true } = {}): WatchMetrics {
  const registry = new Registry();
  if (processMetrics) collectDefaultMetrics({ register: registry, prefix: 'billing_watch_' });
  const registers = [registry];
  const gauge = <L extends string>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Gauge({ name, help, labelNames, registers });

  const verdict = gauge(
    'billing_connector_verdict',
    'State of health: 1 for the verdict the connector has, 0 for the others.',
    ['connector', 'verdict'],
  );
  const tasks = gauge('billing_connector_tasks', 'Tasks of the connector in this state.', [
    'connector',
    'state',
  ]);
  const lag = gauge('billing_connector_lag_records', 'Records that are not committed yet.', [
    'connector',
    'topic',
    'partition',
  ]);
  const deadLetters = gauge('billing_connector_dead_letter_records', 'Records in the dead letter topic.', [
    'connector',
  ]);
  const drift = gauge('billing_connector_drift', '1 where what runs differs from what is declared.', [
    'connector',
  ]);
  const serverUp = gauge('billing_server_up', '1 where the server answered the last look.', ['server']);
  const clickhouseReady = gauge(
    'billing_clickhouse_ready',
    '1 while ClickHouse takes rows, as far as its probe tells.',
  );
  const freshness = gauge(
    'billing_table_freshness_seconds',
    'Seconds since the newest row of the topic landed.',
    ['topic'],
  );
  const produced = gauge('billing_reconcile_produced_records', 'Records the broker holds of the topic.', [
    'topic',
  ]);
  const records = gauge('billing_reconcile_records', 'What became of the records and offsets of the topic.', [
    'topic',
    'state',
  ]);
  const redelivered = gauge('billing_reconcile_redelivered_rows', 'Rows that were delivered again.', [
    'topic',
  ]);
  const restarts = new Counter({
    name: 'billing_connector_restarts_total',
    help: 'Restarts of failed tasks and connectors, by the cause that was found.',
    labelNames: ['connector', 'cause', 'outcome'] as const,
    registers,
  });
  const recovery = new Histogram({
    name: 'billing_connector_recovery_seconds',
    help: 'Time from the first look that found a connector unhealthy to the first that found it healthy.',
    labelNames: ['connector'] as const,
    buckets: [1, 2, 5, 10, 30, 60, 300, 900, 3600, 14_400],
    registers,
  });
  const loop = new Histogram({
    name: 'billing_watch_loop_seconds',
    help: 'Duration of one look at everything, decisions and restarts included.',
    labelNames: ['outcome'] as const,
    buckets: [0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30],
    registers,
  });
  const alerts = new Counter({
    name: 'billing_watch_alerts_total',
    help: 'Alerts by channel and by what became of them.',
    labelNames: ['channel', 'status', 'outcome'] as const,
    registers,
  });
  let accountedAt: string | null = null;
  new Gauge({
    name: 'billing_reconcile_age_seconds',
    help: 'Seconds since the records were last reconciled.',
    registers,
    collect() {
      // An age of 0, which is what a reset would say, means "just now".
      if (accountedAt === null) this.remove({});
      else this.set((Date.now() - Date.parse(accountedAt)) / 1000);
    },
  });
  let finishedAt: number | null = null;
  new Gauge({
    name: 'billing_watch_loop_age_seconds',
    help: 'Seconds since the last look was finished.',
    registers,
    collect() {
      if (finishedAt !== null) this.set((performance.now() - finishedAt) / 1000);
    },
  });

  return {
    update: ({ connectors, servers, freshness: ages, drift: { changes }, accounts }) => {
      // What is gone must not go on saying what it said last.
      const followed = [verdict, tasks, lag, deadLetters, drift, serverUp, freshness];
      for (const one of [...followed, produced, records, redelivered]) one.reset();
      for (const connector of connectors) {
        const { name } = connector;
        for (const one of verdicts)
          verdict.set({ connector: name, verdict: one }, Number(connector.verdict === one));
        for (const { state } of connector.tasks) tasks.inc({ connector: name, state });
        for (const one of connector.partitions) {
          lag.set({ connector: name, topic: one.topic, partition: String(one.partition) }, one.lag);
        }
        if (connector.deadLetters !== null) deadLetters.set({ connector: name }, connector.deadLetters);
        drift.set({ connector: name }, Number(changes.some((change) => change.name === name)));
      }
      for (const account of accounts?.topics ?? []) {
        const { topic } = account;
        produced.set({ topic }, account.produced);
        redelivered.set({ topic }, account.redelivered);
        for (const [state, field] of recordStates) records.set({ topic, state }, account[field]);
      }
      accountedAt = accounts?.at ?? null;
      for (const { topic, ageMs } of ages) freshness.set({ topic }, ageMs / 1000);
      serverUp.set({ server: 'connect' }, Number(servers.connect.isUp));
      serverUp.set({ server: 'kafka' }, Number(servers.kafka.isUp));
      serverUp.set({ server: 'clickhouse' }, Number(servers.clickhouse.isUp));
      clickhouseReady.set(Number(servers.clickhouse.state === 'ready'));
    },
    countRestart: (connector, cause, outcome) => {
      restarts.inc({ connector, cause, outcome });
    },
    observeRecovery: (connector, seconds) => {
      recovery.observe({ connector }, seconds);
    },
    observeLoop: (seconds, outcome) => {
      finishedAt = performance.now();
      loop.observe({ outcome }, seconds);
    },
    countAlert: ({ channel, notice, failure }) => {
      alerts.inc({ channel, status: notice.status, outcome: failure === null ? 'delivered' : 'lost' });
    },
    expose: () => registry.metrics(),
    contentType: registry.contentType,
  };
}
