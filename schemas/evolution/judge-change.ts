import type { BrokenParty, FindingLevel } from '../../core/finding.ts';
import type { Change } from './changes.ts';
import type { Direction } from './judge-mismatch.ts';
import type { Judgement } from './judge.ts';
import type { EvolutionRule } from './rules.ts';
import { describeLogical, type Logical } from './shape.ts';

interface Verdict {
  rule: EvolutionRule;
  level: FindingLevel;
  what: string;
  breaks: readonly BrokenParty[];
  todo: string;
}

type Demanded = ReadonlySet<Direction>;
type Of<Kind extends Change['kind']> = Extract<Change, { kind: Kind }>;

const producer = 'producer on the old schema';
const consumer = 'consumer on the old schema';

/** What a change breaks; undefined where it breaks nobody. */
export function judgeChange(change: Change, demanded: Demanded): Judgement | undefined {
  const verdict = verdictOf(change, demanded);
  return verdict === undefined ? undefined : { ...verdict, path: change.path, at: change.at };
}

function verdictOf(change: Change, demanded: Demanded): Verdict | undefined {
  switch (change.kind) {
    case 'field-added':
      return added(change, demanded);
    case 'field-removed':
      return removed(change, demanded);
    case 'field-renamed':
      return renamed(change);
    case 'default':
      return defaults(change);
    case 'symbols':
      return symbols(change, demanded);
    case 'logical':
      return logical(change, demanded);
  }
}

function added({ path, field }: Of<'field-added'>, demanded: Demanded): Verdict | undefined {
  if (field.hasDefault) return undefined;
  return {
    rule: 'field-required',
    level: levelOf(demanded, 'backward'),
    what: `the new field ${path} has no default, so records without it can not be read`,
    breaks: [producer, 'sink'],
    todo: `Make it ["null", T] with "default": null, or give it a default that is true of the records that are there.`,
  };
}

function removed({ path, field }: Of<'field-removed'>, demanded: Demanded): Verdict {
  const hasDefault = field.hasDefault;
  return {
    rule: 'field-removed',
    level: hasDefault ? 'warning' : levelOf(demanded, 'forward'),
    what: hasDefault
      ? `${path} is gone: consumers on the old schema read its default, and its column gets no new values`
      : `${path} is gone and had no default: consumers on the old schema can not read the new records`,
    breaks: hasDefault ? ['table'] : [consumer, 'sink', 'table'],
    todo: 'Upgrade its readers first, keep its column, and let it take a default. Never use the name for something else.',
  };
}

function renamed({ from, to, byAlias }: Of<'field-renamed'>): Verdict {
  return {
    rule: 'field-renamed',
    level: 'error',
    what: byAlias
      ? `${from.name} became ${to.name}: the alias helps Avro's consumers, the sink and the table know fields by name only`
      : `${from.name} became ${to.name}: to everybody else one field is gone and another is new`,
    breaks: byAlias ? [consumer, 'sink', 'table'] : [consumer, producer, 'sink', 'table'],
    todo: `Keep ${from.name}. Where the name must change, add ${to.name} at the end with a default, fill both, and retire ${from.name} once nobody reads it.`,
  };
}

function defaults({ path, before, after }: Of<'default'>): Verdict {
  const was = JSON.stringify(before.fallback);
  return after.hasDefault
    ? {
        rule: 'default-changed',
        level: 'warning',
        what: `the default of ${path} was ${was} and is ${JSON.stringify(after.fallback)}: records from before the field read differently, rows that landed do not change`,
        breaks: ['table'],
        todo: 'Keep the default, unless it was wrong from the start; then correct the column and its rows by a migration as well.',
      }
    : {
        rule: 'default-removed',
        level: 'warning',
        what: `${path} lost its default ${was}: records from before the field can no longer be read`,
        breaks: [producer],
        todo: 'Keep the default: topics keep their records for ever, and some are older than the field.',
      };
}

function symbols(change: Of<'symbols'>, demanded: Demanded): Verdict | undefined {
  const { path, before, after, added: more, removed: fewer } = change;
  if (fewer.length > 0) {
    const hasDefault = after.fallback !== undefined;
    return {
      rule: 'enum-symbol-removed',
      level: hasDefault ? 'warning' : levelOf(demanded, 'backward'),
      what: hasDefault
        ? `${path} lost ${fewer.join(', ')}: records that hold it are read as ${String(after.fallback)}`
        : `${path} lost ${fewer.join(', ')}: records that hold it can not be read`,
      breaks: [producer],
      todo: 'Keep the symbol; let its doc say that it is no longer produced.',
    };
  }
  if (after.fallback === undefined) {
    return {
      rule: 'enum-without-default',
      level: 'error',
      what: `${path} has ${more.join(', ')} more and no default symbol, so consumers on the old schema fail on the first one`,
      breaks: [consumer],
      todo: 'Give the enum a default, such as "unknown", one release before it grows.',
    };
  }
  if (before.fallback !== undefined) return undefined;
  return {
    rule: 'enum-symbol-added',
    level: levelOf(demanded, 'forward'),
    what: `${path} has ${more.join(', ')} more, and the old enum had no default to read it as`,
    breaks: [consumer],
    todo: 'Release the default alone first; let the enum grow once every consumer has it.',
  };
}

function logical({ path, before, after }: Of<'logical'>, demanded: Demanded): Verdict {
  if (isWider(before.logical, after.logical) && sameBytes(before, after)) {
    return {
      rule: 'decimal-widened',
      level: levelOf(demanded, 'forward'),
      what: `${path} was ${describe(before.logical)} and is ${describe(after.logical)}: its column and consumers on the old schema have fewer digits`,
      breaks: [consumer, 'sink', 'table'],
      todo: 'Widen the column first (npm run clickhouse:scaffold writes it), upgrade consumers, then producers.',
    };
  }
  return {
    rule: 'logical-type-changed',
    level: 'error',
    what: `${path} was ${describe(before.logical)} and is ${describe(after.logical)}: the same bytes are another value`,
    breaks: [consumer, producer, 'sink', 'table'],
    todo: 'Keep it. Put the new values into a field of their own, with a default, and fill both until nobody reads the old one.',
  };
}

function sameBytes(before: Of<'logical'>['before'], after: Of<'logical'>['after']): boolean {
  if (before.kind === 'fixed') return after.kind === 'fixed' && after.size === before.size;
  return after.kind === 'primitive' && after.type === before.type;
}

function isWider(before: Logical | undefined, after: Logical | undefined): boolean {
  if (before?.name !== 'decimal' || after?.name !== 'decimal') return false;
  return before.scale === after.scale && (before.precision ?? 0) < (after.precision ?? 0);
}

function describe(logical: Logical | undefined): string {
  return logical === undefined ? 'a plain type' : describeLogical(logical);
}

function levelOf(demanded: Demanded, direction: Direction): FindingLevel {
  return demanded.has(direction) ? 'error' : 'warning';
}
