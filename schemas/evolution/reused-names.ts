import { shapeText } from './changes.ts';
import type { Judgement } from './judge.ts';
import { describeShape, type FieldShape, type RecordShape } from './shape.ts';

interface Version {
  label: string;
  before: RecordShape;
}

/**
 * Fields that the version before lacks and an earlier one had, as something else. Records of that time still have
 * it, and its column holds their values: they would be read as the new meaning. The meaning is what `doc` says.
 */
export function findReusedNames(history: readonly Version[], next: RecordShape): Judgement[] {
  const [latest, ...earlier] = history;
  if (latest === undefined) return [];
  const current = new Set(latest.before.fields.map(({ name }) => name));
  return next.fields.flatMap((field): Judgement[] => {
    if (current.has(field.name)) return [];
    const former = lastWith(earlier, field.name);
    if (former === undefined) return [];
    const { label, field: old } = former;
    const isSameType = shapeText(old.type) === shapeText(field.type);
    if (isSameType && old.doc === field.doc) return [];
    const then = isSameType ? `"${old.doc}"` : describeShape(old.type);
    const now = isSameType ? `"${field.doc}"` : describeShape(field.type);
    return [
      {
        rule: 'name-reused',
        level: 'error',
        path: field.name,
        what: `${field.name} was removed after ${label}, where it was ${then}, and comes back as ${now}`,
        breaks: ['consumer on the old schema', 'producer on the old schema', 'table'],
        todo: 'Use a name that no version had: old records and old rows keep the old meaning. A field may come back only as it was, type and doc.',
        at: [...field.at, 'name'],
      },
    ];
  });
}

function lastWith(
  history: readonly Version[],
  name: string,
): { label: string; field: FieldShape } | undefined {
  for (const { label, before } of history) {
    const field = before.fields.find((one) => one.name === name);
    if (field !== undefined) return { label, field };
  }
  return undefined;
}
