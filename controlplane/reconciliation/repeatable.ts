import { listItems, topicsOf } from '../connector-config.ts';
import type { Declaration } from '../connector-config.ts';

/** Transforms whose effect on a row is none, or is made in another way: coordinates, and the width of a number. */
const repeatable = new Set([
  'org.apache.kafka.connect.transforms.InsertField$Value',
  'org.apache.kafka.connect.transforms.Cast$Value',
]);

/** Why the rows of a topic cannot be written but by its connector; undefined where nothing speaks against it. */
export function whyOnlyTheSink(declarations: readonly Declaration[], topic: string): string | undefined {
  for (const { name, config } of declarations) {
    if (!topicsOf({ config }).includes(topic)) continue;
    const other = listItems(config['transforms'])
      .map((alias) => config[`transforms.${alias}.type`] ?? '')
      .find((type) => !repeatable.has(type));
    if (other !== undefined) {
      return `${name} changes its records by ${other.split('.').at(-1) ?? other}, which only Connect can do`;
    }
  }
  return undefined;
}
