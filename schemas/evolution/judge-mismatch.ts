import type { BrokenParty } from '../../core/finding.ts';
import type { Judgement } from './judge.ts';
import { resolve, type Mismatch } from './resolve.ts';
import type { EvolutionRule } from './rules.ts';
import { describeShape, type Shape } from './shape.ts';

/** `backward`: the new schema reads old records. `forward`: the old schema reads new ones. */
export type Direction = 'backward' | 'forward';

interface Context {
  demanded: ReadonlySet<Direction>;
  /** The schema's own record, which has no path. */
  isRoot: boolean;
}

const own =
  'Put the new values into a field of their own, with a default, and fill both until nobody reads the old one.';

/** What a mismatch means for the people and machines around the topic. */
export function judgeMismatch(
  { kind, path, reader, writer, at }: Mismatch,
  direction: Direction,
  { demanded, isRoot }: Context,
): Judgement {
  const isBackward = direction === 'backward';
  const [before, after] = (isBackward ? [writer, reader] : [reader, writer]).map((shape) =>
    shape === undefined ? 'nothing' : describeShape(shape),
  ) as [string, string];
  const of = isRoot ? 'the record' : path;
  const say = (
    rule: EvolutionRule,
    what: string,
    todo: string,
    more: readonly BrokenParty[] = [],
  ): Judgement => ({
    rule,
    level: demanded.has(direction) ? 'error' : 'warning',
    path,
    what,
    breaks: [isBackward ? 'producer on the old schema' : 'consumer on the old schema', ...more],
    todo,
    at: isBackward ? at.reader : at.writer,
  });
  switch (kind) {
    case 'no-default':
      return isBackward
        ? say('field-required', `${path} has no default`, `Give ${path} a default.`)
        : say('field-removed', `${path} is gone`, `Keep ${path}.`);
    case 'name':
      return say(
        'type-renamed',
        `${of} was ${before} and is ${after}`,
        "Keep the name: it is no one's business but the schema's. An alias helps Avro's consumers only.",
      );
    case 'size':
      return say('fixed-size-changed', `${of} was ${before} and is ${after}`, own, ['sink', 'table']);
    case 'symbols':
      return say('enum-symbol-removed', `${of} was ${before} and is ${after}`, own);
    case 'branch':
    case 'type':
      return judgeType({
        before,
        after,
        of,
        reader,
        writer,
        isBackward,
        isUnion: kind === 'branch' || reader.kind === 'union',
        say,
      });
  }
}

interface TypeMismatch {
  before: string;
  after: string;
  of: string;
  reader: Shape;
  writer: Shape | undefined;
  isBackward: boolean;
  isUnion: boolean;
  say: (rule: EvolutionRule, what: string, todo: string, more?: readonly BrokenParty[]) => Judgement;
}

function judgeType({ before, after, of, reader, writer, isBackward, isUnion, say }: TypeMismatch): Judgement {
  if (writer === undefined) throw new Error('only a missing field has no writer');
  if (isUnion && isBackward) {
    const todo = `Keep ${describeShape(writer)} in the union: records hold it. To be rid of it takes a new topic.`;
    return say('union-narrowed', `${of} no longer takes ${describeShape(writer)}`, todo, ['table']);
  }
  if (isUnion) {
    const todo =
      'Upgrade every consumer first, and make the column wider or Nullable (npm run clickhouse:scaffold).';
    return say('union-widened', `${of} also takes ${describeShape(writer)} now`, todo, ['sink', 'table']);
  }
  const changed = `${of} was ${before} and is ${after}`;
  const isPromotion = resolve(writer, reader).length === 0;
  if (!isPromotion) return say('type-changed', changed, own, ['sink', 'table']);
  if (isBackward) return say('type-narrowed', changed, `Keep ${before}. ${own}`, ['sink', 'table']);
  const todo =
    'The sink casts strictly: follow "Widening a number" in docs/schema-evolution.md. Upgrade consumers before producers.';
  return say('type-promoted', changed, todo, ['sink', 'table']);
}
