import { InvalidInputError } from '../../../core/errors.ts';
import type { Catalog, CatalogTopic } from '../../../schemas/catalog.ts';

/** What most topics' names begin with; may be left out where a topic is named. */
const commonPrefix = 'billing.';

export interface ChosenTopics {
  /** In the order of the catalog: parents before children. */
  topics: readonly CatalogTopic[];
  /** Those that nobody asked for and the others refer to. */
  added: readonly string[];
}

/**
 * The named topics and all that their records refer to, directly or not: a payment without its invoice and its
 * customer would be of no use to anybody.
 *
 * @param names in full or without "billing."; undefined means every topic
 * @throws InvalidInputError naming each topic that the catalog does not have, and those it has
 */
export function chooseTopics({ topics }: Catalog, names: readonly string[] | undefined): ChosenTopics {
  if (names === undefined) return { topics, added: [] };
  const entries = new Map(topics.map((entry) => [entry.topic, entry]));
  const find = (name: string) => entries.get(name) ?? entries.get(`${commonPrefix}${name}`);
  const unknown = names.filter((name) => find(name) === undefined);
  if (unknown.length > 0 || names.length === 0) {
    const known = topics.map(({ topic }) => topic.replace(commonPrefix, '')).join(', ');
    throw new InvalidInputError({
      what: 'The topics to produce are not valid',
      where: 'the command line',
      problems:
        names.length === 0
          ? [{ path: '--only', message: 'name at least one topic' }]
          : unknown.map((name) => ({ path: '--only', message: `there is no topic "${name}"` })),
      todo: `The topics are: ${known}.`,
    });
  }
  const asked = names.map((name) => find(name)?.topic);
  const chosen = new Set<string>();
  const choose = (topic: string) => {
    if (chosen.has(topic)) return;
    chosen.add(topic);
    for (const parent of Object.values(entries.get(topic)?.references ?? {})) choose(parent);
  };
  for (const topic of asked) if (topic !== undefined) choose(topic);
  return {
    topics: topics.filter(({ topic }) => chosen.has(topic)),
    added: topics.map(({ topic }) => topic).filter((topic) => chosen.has(topic) && !asked.includes(topic)),
  };
}
