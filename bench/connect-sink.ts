import { createConnectClient } from '../controlplane/kafka-connect/connect-client.ts';
import type { ClickHouse } from '../clickhouse/client.ts';
import { PipelineError } from '../core/errors.ts';
import { waitFor } from '../core/wait.ts';
import type { Target } from '../targets/load-target.ts';
import { countInserts, type LandingTables } from './time-landing.ts';

export const paymentsTopic = 'billing.payments';
const connector = 'billing-payments-sink';
const timeoutMs = 60_000;

export const sinkTables: LandingTables = {
  raw: 'raw_payments',
  ledger: 'ledger',
  inserts: 'bench_sink_inserts',
};

/** The sink of the payments as it is declared, started and stopped at will. It runs when this is called. */
export class PaymentsSink {
  readonly #target: Target;
  readonly #clickhouse: ClickHouse;
  readonly #signal: AbortSignal;

  constructor(target: Target, clickhouse: ClickHouse, signal: AbortSignal) {
    this.#target = target;
    this.#clickhouse = clickhouse;
    this.#signal = signal;
  }

  /** Prepares to count its inserts, and stops it. */
  async prepare(): Promise<void> {
    await countInserts(this.#clickhouse, sinkTables);
    await this.stop();
  }

  async stop(): Promise<void> {
    await this.#ask('PUT', 'stop');
    const client = createConnectClient({ url: this.#target.connect.url });
    await this.#until(`${connector} to stop`, async () => {
      const live = await client.read(connector, this.#signal);
      return live?.state === 'STOPPED' && live.tasks.length === 0;
    });
  }

  /** Empties the tables and makes a stopped sink begin with the oldest record. */
  async reset(): Promise<void> {
    for (const table of Object.values(sinkTables)) await this.#clickhouse.command(`TRUNCATE TABLE ${table}`);
    await this.#ask('DELETE', 'offsets');
  }

  async start(): Promise<void> {
    await this.#ask('PUT', 'resume');
  }

  /** The worker refuses during a rebalance, and forgets offsets only once its consumers have left the group. */
  async #ask(method: string, action: string): Promise<void> {
    const url = `${this.#target.connect.url}/connectors/${connector}/${action}`;
    let refusal = '';
    await this.#until(`${connector}: ${action}`, async () => {
      const response = await fetch(url, { method, signal: AbortSignal.timeout(timeoutMs) });
      refusal = await response.text();
      if (response.ok) return true;
      if (response.status === 409 || response.status === 500) return false;
      throw new PipelineError('BENCH_FAILED', { what: `${method} ${action}: ${response.status} ${refusal}` });
    });
  }

  async #until(what: string, probe: () => Promise<boolean>): Promise<void> {
    await waitFor(probe, { what, timeoutMs, signal: this.#signal });
  }
}
