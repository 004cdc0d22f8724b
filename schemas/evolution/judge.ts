import type { BrokenParty, FindingLevel } from '../../core/finding.ts';
import type { DocumentPath } from '../../core/line-of.ts';
import type { CompatibilityLevel } from '../catalog.ts';
import type { AvroRecord } from '../read-schema.ts';
import { findChanges, type Change } from './changes.ts';
import { judgeChange } from './judge-change.ts';
import { judgeMismatch, type Direction } from './judge-mismatch.ts';
import { findReusedNames } from './reused-names.ts';
import { resolve } from './resolve.ts';
import type { EvolutionRule } from './rules.ts';
import { shapeOf, type RecordShape } from './shape.ts';

/** An earlier version of a schema. */
export interface SchemaVersion {
  /** As a reviewer knows it: `version 3`, a commit. */
  label: string;
  definition: AvroRecord;
}

export interface Evolution {
  level: CompatibilityLevel;
  next: AvroRecord;
  /** Newest first. Fields that were removed long ago are looked up in all of them, whatever the level. */
  history: readonly SchemaVersion[];
}

/** A finding about one schema, still without its file. */
export interface Judgement {
  rule: EvolutionRule;
  level: FindingLevel;
  path: string;
  what: string;
  breaks: readonly BrokenParty[];
  todo: string;
  /** Where in the new schema. */
  at: DocumentPath;
}

/**
 * What the next version of a schema breaks, by the compatibility its subject has. Pure.
 *
 * What the level forbids is an error. What it allows and still breaks somebody is a warning: BACKWARD lets a
 * consumer on the old schema fail, because consumers are to be upgraded first. At NONE all are warnings.
 */
export function judgeEvolution({ level, next, history }: Evolution): Judgement[] {
  const after = shapeOf(next);
  const versions = history.map(({ label, definition }) => ({ label, before: shapeOf(definition) }));
  const compared = level.endsWith('_TRANSITIVE') ? versions : versions.slice(0, 1);
  const demanded = directionsOf(level);
  const found = new Map<string, Judgement>();
  const add = (judgement: Judgement) => {
    const key = `${judgement.rule}\n${judgement.path}`;
    const known = found.get(key);
    // The newest version says it first; an older one is heard only if it weighs more.
    if (known === undefined || (known.level !== 'error' && judgement.level === 'error')) {
      found.set(key, judgement);
    }
  };
  for (const [index, { label, before }] of compared.entries()) {
    for (const judgement of judgePair(before, after, demanded)) {
      add(index === 0 ? judgement : { ...judgement, what: `${judgement.what} (against ${label})` });
    }
  }
  findReusedNames(versions, after).forEach(add);
  const judgements = [...found.values()];
  return level === 'NONE' ? judgements.map((one) => ({ ...one, level: 'warning' as const })) : judgements;
}

/** Which of the two a level demands: the new schema reads old records, the old schema reads new ones. */
function directionsOf(level: CompatibilityLevel): ReadonlySet<Direction> {
  const demanded = new Set<Direction>();
  if (/^(BACKWARD|FULL)/.test(level)) demanded.add('backward');
  if (/^(FORWARD|FULL)/.test(level)) demanded.add('forward');
  return demanded;
}

function judgePair(before: RecordShape, after: RecordShape, demanded: ReadonlySet<Direction>): Judgement[] {
  const changes = findChanges(before, after);
  const explained = explainedBy(changes);
  const mismatches = [
    ...resolve(after, before).map((mismatch) => ({ direction: 'backward' as const, mismatch })),
    ...resolve(before, after).map((mismatch) => ({ direction: 'forward' as const, mismatch })),
  ].filter(({ mismatch: { kind, path } }) => !explained.has(`${kind} ${path}`));
  return [
    ...changes.map((change) => judgeChange(change, demanded)).filter((one) => one !== undefined),
    ...merge(
      mismatches.map(({ direction, mismatch }) =>
        judgeMismatch(mismatch, direction, { demanded, isRoot: mismatch.path === '' }),
      ),
    ),
  ];
}

/** Mismatches of which a change says more: one sentence each is enough. */
function explainedBy(changes: readonly Change[]): Set<string> {
  return new Set(
    changes.flatMap((change) => {
      switch (change.kind) {
        case 'field-renamed': {
          const old = `${change.path.slice(0, change.path.length - change.to.name.length)}${change.from.name}`;
          return [`no-default ${change.path}`, `no-default ${old}`];
        }
        case 'field-removed':
        case 'field-added':
          return [`no-default ${change.path}`];
        case 'logical':
          return [`type ${change.path}`, `branch ${change.path}`, `size ${change.path}`];
        case 'symbols':
          return [`symbols ${change.path}`];
        case 'default':
          return [];
      }
    }),
  );
}

/** A type that can be read in neither direction is one finding, and a promotion one in the direction it breaks. */
function merge(judgements: readonly Judgement[]): Judgement[] {
  const merged = new Map<string, Judgement>();
  for (const judgement of judgements) {
    const key = `${judgement.rule}\n${judgement.path}`;
    const known = merged.get(key);
    merged.set(
      key,
      known === undefined
        ? judgement
        : {
            ...known,
            level: [known.level, judgement.level].includes('error') ? 'error' : known.level,
            breaks: [...new Set([...known.breaks, ...judgement.breaks])],
          },
    );
  }
  return [...merged.values()];
}
