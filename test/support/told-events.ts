import { expect } from 'vitest';
import { readBounds } from '../../producers/delivery/routes.ts';
import { eventIdOf } from '../../producers/delivery/wire-format.ts';
import { eventsOfPart } from '../../producers/runs/backfill/events.ts';
import { referenceSince, type BackfillClaim } from '../../producers/runs/backfill/plan.ts';
import { Claims } from '../../producers/runs/claims.ts';
import { createScenario } from '../../producers/scenario/scenario.ts';
import { loadScenarioSettings } from '../../producers/scenario/settings.ts';
import { loadCatalog } from '../../schemas/catalog.ts';
import type { Target } from '../../targets/load-target.ts';
import { readTopics } from '../../targets/read-topics.ts';

const catalog = loadCatalog();
const topicNames = catalog.topics.map(({ topic }) => topic);

/** @param folder of the seed's claims */
export function backfillClaims(folder: string): BackfillClaim[] {
  return new Claims(folder).list().filter((claim): claim is BackfillClaim => claim.backfill !== undefined);
}

interface Landed {
  topic: string;
  key: string;
  eventId: string;
}

/** For each topic the offset of each partition. */
export type Offsets = Readonly<Record<string, readonly number[]>>;

/** Where the topics end now. */
export async function endOfTopics(target: Target): Promise<Offsets> {
  return (await readBounds(target, topicNames)).end;
}

/** The ids of the topics' records from `begin` on, in the order of each partition. */
async function readFrom(target: Target, begin: Offsets): Promise<Landed[]> {
  const end = await endOfTopics(target);
  const records = new Map<string, Landed>();
  await readTopics(
    target,
    topicNames.map((topic) => ({
      topic,
      partitions: (end[topic] ?? []).map((high, partition) => ({
        partition,
        low: begin[topic]?.[partition] ?? 0,
        high,
      })),
    })),
    (topic, partition, { key, value, offset }) => {
      const eventId = eventIdOf(value)!;
      records.set(`${topic}/${partition}/${offset}`, { topic, key: String(key), eventId });
    },
    { timeoutMs: 60_000 },
  );
  return [...records.values()];
}

/** What seed's backfills must have put on the broker: generated again, from the claims alone. */
function expectedOf(folder: string, seed: number): Landed[] {
  const scenario = createScenario(seed, loadScenarioSettings());
  const keys = new Map(catalog.topics.map(({ topic, key }) => [topic, key]));
  const claims = backfillClaims(folder);
  return claims.flatMap((claim) =>
    Array.from({ length: claim.backfill.parts + 1 }, (_, part) => {
      const told = { claim, referenceSince: referenceSince(claims, claim.number) };
      return [...eventsOfPart(scenario, told, part)].flat().map(({ topic, record }) => ({
        topic,
        key: String(record[keys.get(topic)!]),
        eventId: String(record['event_id']),
      }));
    }).flat(),
  );
}

/**
 * No duplicate, no gap, and each key's records of a topic in the order in which they happened.
 *
 * @param begin where the topics ended before the seed's first backfill
 */
export async function expectToldExactly(
  target: Target,
  folder: string,
  seed: number,
  begin: Offsets,
): Promise<{ total: number }> {
  const expected = expectedOf(folder, seed);
  const ids = new Set(expected.map(({ eventId }) => eventId));
  const landed = (await readFrom(target, begin)).filter(({ eventId }) => ids.has(eventId));
  expect(landed.length).toBe(expected.length);
  expect(sequences(landed)).toEqual(sequences(expected));
  return { total: expected.length };
}

function sequences(records: readonly Landed[]): Map<string, string[]> {
  const byKey = new Map<string, string[]>();
  for (const { topic, key, eventId } of records) {
    const sequence = byKey.get(`${topic}/${key}`);
    if (sequence === undefined) byKey.set(`${topic}/${key}`, [eventId]);
    else sequence.push(eventId);
  }
  return byKey;
}
