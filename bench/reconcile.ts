import { createClickHouse, type ClickHouse } from '../clickhouse/client.ts';
import { readLedger, type TopicBounds } from '../clickhouse/ledger.ts';
import { migrate } from '../clickhouse/migrate.ts';
import { countOffsets } from '../clickhouse/offset-ranges.ts';
import { PipelineError } from '../core/errors.ts';
import { processInfo } from '../embedded/process/process-info.ts';
import { runningProcess } from '../embedded/process/process-record.ts';
import type { BenchStack } from './bench-stack.ts';
import { integer, type Measurement } from './measurement.ts';

const topics = 5;
const partitions = 8;
const hours = 50;
/** Of each topic, partition and hour: a hundred million in all. */
const perHour = 50_000;
const perPartition = hours * perHour;
/** One in so many offsets of a partition did not land, and before every hour a stretch of ten. */
const gapEvery = 10_007;
const rounds = 5;
const limits = { seconds: 2, megabytes: 500 } as const;
const sampleMs = 20;

/** Reads a ledger of a hundred million offsets, in which every partition lacks some, as `reconcile` does. */
export async function run({ target, settings }: BenchStack, signal: AbortSignal): Promise<Measurement[]> {
  await migrate(target);
  const clickhouse = createClickHouse(target);
  try {
    await fill(clickhouse, signal);
    const pid = runningProcess(settings.home, 'clickhouse')?.record.pid;
    if (pid === undefined)
      throw new PipelineError('NOT_RUNNING', { what: 'There is no ClickHouse to watch' });
    const bounds = Array.from({ length: topics }, (_, topic): TopicBounds => ({
      topic: nameOf(topic),
      partitions: Array.from({ length: partitions }, (__, partition) => ({
        partition,
        low: 0,
        high: perPartition,
      })),
    }));
    return [
      ...(await measure('gaps in every partition', clickhouse, bounds, pid, signal)),
      ...(await measureWorst(clickhouse, pid, signal)),
    ];
  } finally {
    await clickhouse.close();
  }
}

/** Every second offset of a topic, for which no compression helps. */
async function measureWorst(
  clickhouse: ClickHouse,
  pid: number,
  signal: AbortSignal,
): Promise<Measurement[]> {
  await clickhouse.command('TRUNCATE TABLE ledger');
  await insert(clickhouse, 0, 'number % 2 = 0', signal);
  const bounds = [{ topic: nameOf(0), partitions: oddsOf() }];
  return measure('every second offset missing, of 20 million', clickhouse, bounds, pid, signal);
}

function oddsOf() {
  return Array.from({ length: partitions }, (_, partition) => ({ partition, low: 0, high: perPartition }));
}

function nameOf(topic: number): string {
  return `bench.topic-${topic}`;
}

async function fill(clickhouse: ClickHouse, signal: AbortSignal): Promise<void> {
  for (let topic = 0; topic < topics; topic += 1) {
    await insert(clickhouse, topic, `number % ${gapEvery} != 0 AND number % ${perHour} >= 10`, signal);
  }
}

/** The entries of one topic, hour by hour, as the views make them. */
async function insert(
  clickhouse: ClickHouse,
  topic: number,
  condition: string,
  signal: AbortSignal,
): Promise<void> {
  await clickhouse.command(
    `INSERT INTO ledger
     SELECT {topic:String}, partition, toDateTime('2026-01-01 00:00:00', 'UTC') + intDiv(number, ${perHour}) * 3600 AS hour,
            groupBitmapState(number), count(), toDateTime64(hour, 3, 'UTC'), toDateTime64(hour, 3, 'UTC')
     FROM (SELECT number FROM numbers(${perPartition}) WHERE ${condition}) AS offsets
     CROSS JOIN (SELECT toInt32(number) AS partition FROM numbers(${partitions})) AS all_partitions
     GROUP BY partition, hour`,
    { params: { topic: nameOf(topic) }, signal },
  );
}

async function measure(
  name: string,
  clickhouse: ClickHouse,
  bounds: readonly TopicBounds[],
  pid: number,
  signal: AbortSignal,
): Promise<Measurement[]> {
  const memory = () => (processInfo(pid)?.memoryBytes ?? 0) + process.memoryUsage.rss();
  const before = memory();
  let highest = before;
  const sampler = setInterval(() => {
    highest = Math.max(highest, memory());
  }, sampleMs);
  const seconds: number[] = [];
  let counted = { landed: 0, missing: 0 };
  try {
    for (let round = 0; round < rounds; round += 1) {
      const started = performance.now();
      const ledger = await readLedger(clickhouse, bounds, signal);
      seconds.push((performance.now() - started) / 1000);
      highest = Math.max(highest, memory());
      const all = [...ledger.values()];
      counted = {
        landed: all.reduce((sum, one) => sum + one.landed, 0),
        missing: all.reduce((sum, { gaps, gapsBeyond }) => sum + countOffsets(gaps) + gapsBeyond, 0),
      };
    }
  } finally {
    clearInterval(sampler);
  }
  const offsets = bounds.reduce(
    (sum, topic) => sum + topic.partitions.reduce((all, { low, high }) => all + high - low, 0),
    0,
  );
  if (counted.landed + counted.missing !== offsets) {
    throw new PipelineError('BENCH_FAILED', {
      what: `${integer(counted.landed)} landed and ${integer(counted.missing)} missing are not ${integer(offsets)}`,
    });
  }
  const [slowest, growth] = [Math.max(...seconds), (highest - before) / 2 ** 20];
  return [
    {
      name: `reconcile's ledger, ${integer(offsets)} offsets, ${name}, slowest of ${rounds}`,
      value: `${slowest.toFixed(2)} s`,
      target: `< ${limits.seconds} s`,
      ok: slowest < limits.seconds,
    },
    {
      name: `memory of it, engine and process together (${integer(counted.missing)} missing)`,
      value: `${growth.toFixed(0)} MB`,
      target: `< ${limits.megabytes} MB`,
      ok: growth < limits.megabytes,
    },
  ];
}
