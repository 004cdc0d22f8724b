import { createClickHouse } from '../clickhouse/client.ts';
import { waitUntilReconciled } from '../controlplane/reconcile.ts';
import type { BenchStack } from './bench-stack.ts';
import { PaymentsSink, paymentsTopic, sinkTables } from './connect-sink.ts';
import { KafkaEngine, engineTables } from './kafka-engine.ts';
import { integer, quantile, type Measurement } from './measurement.ts';
import { applyConnectors, preparePipeline } from './pipeline.ts';
import { producePayments } from './produce.ts';
import { timeLanding, type Landing, type LandingTables } from './time-landing.ts';

const records = 1_000_000;
const rounds = 3;
const timeoutMs = 300_000;

/**
 * The same payments, waiting on the broker, landed in turn by the sink and by ClickHouse's own Kafka engine: in
 * one run, into one server, so that whatever else the machine does befalls both. The time begins when the one or
 * the other is started and ends when its table has every record.
 */
export async function run(stack: BenchStack, signal: AbortSignal): Promise<Measurement[]> {
  const { target, settings } = stack;
  const catalog = await preparePipeline(stack);
  const clickhouse = createClickHouse(target);
  try {
    const sinkName = await applyConnectors(stack, catalog);
    const sink = new PaymentsSink(target, clickhouse, signal);
    const engine = new KafkaEngine(target, clickhouse);
    await sink.prepare();
    await engine.prepare();
    const produced = await producePayments({ target, catalog, records, signal });
    const land = async (contestant: PaymentsSink | KafkaEngine, tables: LandingTables) => {
      await contestant.reset();
      const options = { clickhouse, settings, tables, topic: paymentsTopic, records, timeoutMs, signal };
      const landing = await timeLanding(options, () => contestant.start());
      await contestant.stop();
      return landing;
    };
    const bySink: Landing[] = [];
    const byEngine: Landing[] = [];
    for (let round = 0; round < rounds; round += 1) {
      bySink.push(await land(sink, sinkTables));
      byEngine.push(await land(engine, engineTables));
    }
    const { clean } = await waitUntilReconciled({
      target,
      catalog,
      topics: [paymentsTopic],
      timeoutMs: 30_000,
      signal,
    });
    const sinkRate = median(bySink, ({ rowsPerSecond }) => rowsPerSecond);
    const engineRate = median(byEngine, ({ rowsPerSecond }) => rowsPerSecond);
    const insertRows = median(bySink, ({ medianInsertRows }) => medianInsertRows);
    const ratio = sinkRate / engineRate;
    return [
      {
        name: `producing ${integer(produced.records)} payments, Avro`,
        value: `${integer(produced.records / produced.seconds)} records/s`,
        target: '>= 50,000',
        ok: produced.records / produced.seconds >= 50_000,
      },
      {
        name: `landing them through Connect (sink: ${sinkName}), median of ${rounds}`,
        value: `${integer(sinkRate)} rows/s`,
        target: '>= 60,000',
        ok: clean && sinkRate >= 60_000,
      },
      {
        name: "the same through ClickHouse's Kafka engine",
        value: `${integer(engineRate)} rows/s`,
        target: '-',
        ok: true,
      },
      { name: 'sink : engine', value: ratio.toFixed(2), target: '>= 1.20', ok: ratio >= 1.2 },
      {
        name: 'rows per insert, median: sink, engine',
        value: `${integer(insertRows)}, ${integer(median(byEngine, (landing) => landing.medianInsertRows))}`,
        target: '> 5,000',
        ok: insertRows > 5000,
      },
      {
        name: 'parts made: sink, engine',
        value: `${integer(median(bySink, ({ partsMade }) => partsMade))}, ${integer(median(byEngine, ({ partsMade }) => partsMade))}`,
        target: '-',
        ok: true,
      },
      {
        name: 'processor time for each row: sink, engine',
        value: `${cpuPerRow(bySink)}, ${cpuPerRow(byEngine)}`,
        target: '-',
        ok: true,
      },
    ];
  } finally {
    await clickhouse.close();
  }
}

function median(landings: readonly Landing[], value: (landing: Landing) => number): number {
  return quantile(landings.map(value), 0.5);
}

/** Of all processes together: unlike the rate it does not depend on what else the machine does. */
function cpuPerRow(landings: readonly Landing[]): string {
  const microseconds = median(
    landings,
    ({ processes }) => (processes.reduce((sum, { cpuSeconds = NaN }) => sum + cpuSeconds, 0) * 1e6) / records,
  );
  return Number.isNaN(microseconds) ? 'unknown' : `${microseconds.toFixed(1)} µs`;
}
