import { killRound, killSeeds, withShortSessions, type KillRound } from '../test/support/kill-rounds.ts';
import type { BenchStack } from './bench-stack.ts';
import { integer, type Measurement } from './measurement.ts';
import { applyConnectors, preparePipeline } from './pipeline.ts';

/** Kills the sink's worker in the middle of its landing, again and again, and counts what does not agree afterwards. */
export async function run(stack: BenchStack): Promise<Measurement[]> {
  const { target, settings, env } = stack;
  const catalog = await preparePipeline(stack);
  const sink = await applyConnectors(stack, catalog);
  const rounds: KillRound[] = [];
  await withShortSessions({ target, catalog, env: { ...process.env, ...env } }, async () => {
    for (const seed of killSeeds) {
      const round = await killRound({ target, settings, catalog }, seed);
      rounds.push(round);
      const { killedAfterMs, records, redelivered, disagreements } = round;
      process.stderr.write(
        `  seed ${seed}: killed after ${killedAfterMs} ms, ${integer(records)} records, ${integer(redelivered)} redelivered${disagreements
          .slice(0, 5)
          .map((one) => `\n    ${one}`)
          .join('')}\n`,
      );
    }
  });
  const sum = (of: (round: KillRound) => number) => rounds.reduce((all, round) => all + of(round), 0);
  const wrong = sum(({ disagreements }) => disagreements.length);
  return [
    {
      name: `${rounds.length} kills of the worker (sink: ${sink}), ${integer(sum((round) => round.records))} records, ${integer(sum((round) => round.redelivered))} redelivered: disagreements`,
      value: integer(wrong),
      target: '0',
      ok: wrong === 0,
    },
  ];
}
