import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import type { CompressionTypes } from 'kafkajs';
import type { BenchStack } from './bench-stack.ts';
import { integer, quantile, type Measurement } from './measurement.ts';
import { preparePipeline } from './pipeline.ts';
import { producePayments, type PaymentsProduced } from './produce.ts';
import { kafkajs } from '../core/kafkajs/kafkajs.ts';

const records = 300_000;
/** Turn by turn, so that whatever else the machine does befalls all of them. */
const rounds = 3;

const codecs: readonly (readonly [name: string, codec: CompressionTypes])[] = [
  ['none', kafkajs.CompressionTypes.None],
  ['gzip', kafkajs.CompressionTypes.GZIP],
  ['lz4', kafkajs.CompressionTypes.LZ4],
];

interface Produced extends PaymentsProduced {
  /** What the broker's logs grew by. */
  bytesPerRecord: number;
}

/** What each codec costs the producer and saves the broker, on payments. */
export async function run(stack: BenchStack, signal: AbortSignal): Promise<Measurement[]> {
  const { target, settings } = stack;
  const catalog = await preparePipeline(stack);
  const logs = path.join(settings.home.data, 'kafka');
  const results = new Map<string, Produced[]>(codecs.map(([name]) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, compression] of codecs) {
      const before = logBytes(logs);
      const produced = await producePayments({
        target,
        catalog,
        records,
        signal,
        publisher: { compression },
      });
      const bytesPerRecord = (logBytes(logs) - before) / produced.records;
      results.get(name)?.push({ ...produced, bytesPerRecord });
    }
  }
  return [...results].map(([name, rows]) => {
    const median = (of: (row: Produced) => number) => quantile(rows.map(of), 0.5);
    const cpu = median(({ cpuMicroseconds }) => cpuMicroseconds).toFixed(1);
    const bytes = integer(median(({ bytesPerRecord }) => bytesPerRecord));
    return {
      name: `payments with codec ${name}: ${cpu} µs of the producer's processor and ${bytes} bytes each`,
      value: `${integer(median((row) => row.records / row.seconds))} records/s`,
      target: '-',
      ok: true,
    };
  });
}

function logBytes(folder: string): number {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.log'))
    .reduce((sum, { parentPath, name }) => sum + statSync(path.join(parentPath, name)).size, 0);
}
