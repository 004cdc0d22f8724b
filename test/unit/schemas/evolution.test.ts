import { describe, expect, it } from 'vitest';
import { judgeEvolution } from '../../../schemas/evolution/judge.ts';
import { resolve } from '../../../schemas/evolution/resolve.ts';
import { shapeOf } from '../../../schemas/evolution/shape.ts';
import { evolutionRules } from '../../../schemas/evolution/rules.ts';
import type { CompatibilityLevel } from '../../../schemas/catalog.ts';
import type { AvroRecord } from '../../../schemas/read-schema.ts';
import { evolutionCases } from '../../fixtures/evolution/all-cases.ts';
import { record } from '../../fixtures/evolution/build-case.ts';

function judge(level: CompatibilityLevel, next: AvroRecord, ...history: AvroRecord[]) {
  const versions = history.map((definition, index) => ({
    label: `version ${history.length - index}`,
    definition,
  }));
  return judgeEvolution({ level, next, history: versions });
}

function brief(judgements: ReturnType<typeof judge>): string[] {
  return judgements.map(({ level, rule, path }) => `${level} ${rule} ${path}`).sort();
}

const field = (name: string, type: AvroRecord['fields'][number]['type'], more: object = {}) => ({
  name,
  type,
  ...more,
});

describe('what a change of a schema breaks', () => {
  it.each(evolutionCases.map((one) => [one.name, one] as const))(
    '%s',
    (_, { before, after, backward, forward, found }) => {
      const [old, next] = [shapeOf(before), shapeOf(after)];
      expect({ backward: resolve(next, old).length === 0, forward: resolve(old, next).length === 0 }).toEqual(
        { backward, forward },
      );
      const judgements = judge('BACKWARD', after, before);
      expect(brief(judgements)).toEqual([...found].sort());
      for (const { what, todo, rule } of judgements) {
        expect(what).not.toMatch(/undefined|\.$/);
        expect(todo).toMatch(/\.$/);
        expect(evolutionRules).toHaveProperty(rule);
      }
      // Every level rejects what it demands, and NONE rejects nothing.
      const rejects = (level: CompatibilityLevel) =>
        judge(level, after, before).some((one) => one.level === 'error');
      if (!backward) expect(rejects('BACKWARD')).toBe(true);
      if (!forward) expect(rejects('FORWARD')).toBe(true);
      if (!backward || !forward) expect(rejects('FULL')).toBe(true);
      expect(rejects('NONE')).toBe(false);
    },
  );

  it('the cases are many, and each has a name of its own', () => {
    expect(new Set(evolutionCases.map(({ name }) => name)).size).toBe(evolutionCases.length);
    expect(evolutionCases.length).toBeGreaterThanOrEqual(60);
  });
});

describe('whom a change breaks', () => {
  it.each([
    ['a required field', record([]), record([field('a', 'int')]), ['producer on the old schema', 'sink']],
    [
      'a removed field',
      record([field('a', 'int')]),
      record([]),
      ['consumer on the old schema', 'sink', 'table'],
    ],
    [
      'a promotion',
      record([field('a', 'int')]),
      record([field('a', 'long')]),
      ['consumer on the old schema', 'sink', 'table'],
    ],
    [
      'a narrowing',
      record([field('a', 'long')]),
      record([field('a', 'int')]),
      ['producer on the old schema', 'sink', 'table'],
    ],
    [
      'a rename',
      record([field('a', 'int')]),
      record([field('b', 'int')]),
      ['consumer on the old schema', 'producer on the old schema', 'sink', 'table'],
    ],
    [
      'a type that fits in neither direction',
      record([field('a', 'int')]),
      record([field('a', 'string')]),
      ['producer on the old schema', 'sink', 'table', 'consumer on the old schema'],
    ],
  ])('%s', (_, before, after, breaks) => {
    expect(judge('BACKWARD', after, before).flatMap((one) => one.breaks)).toEqual(breaks);
  });
});

describe('transitive levels', () => {
  const first = record([field('a', 'int', { default: 0 })]);
  const second = record([]);
  const third = record([field('b', 'int', { default: 0 })]);

  it('compare with every version, and say against which one', () => {
    // Against version 2 an optional field became required; version 1 did not have it.
    const required = record([field('b', 'int')]);
    expect(brief(judge('BACKWARD', required, third, second))).toEqual(['warning default-removed b']);
    const judged = judge('BACKWARD_TRANSITIVE', required, third, second);
    expect(brief(judged)).toEqual(['error field-required b', 'warning default-removed b']);
    expect(judged.find(({ rule }) => rule === 'field-required')?.what).toContain('(against version 1)');
  });

  it('weigh the other direction as the level says', () => {
    const longer = record([field('a', 'long', { default: 0 })]);
    expect(brief(judge('FORWARD_TRANSITIVE', longer, second, first))).toContain('error type-promoted a');
    expect(brief(judge('FORWARD', longer, second, first))).toEqual(['error name-reused a']);
    expect(brief(judge('FULL_TRANSITIVE', longer, second, first))).toContain('error type-promoted a');
  });
});

describe('a removed name', () => {
  const gone = record([]);
  const was = record([field('a', 'int', { doc: 'Age in years.', default: 0 })]);

  it('may come back as it was', () => {
    expect(judge('BACKWARD', was, gone, was)).toEqual([]);
  });

  it('may not come back with another type, however long ago it was', () => {
    const next = record([field('a', ['null', 'string'], { default: null })]);
    const [judgement] = judge('BACKWARD', next, gone, gone, gone, was);
    expect(judgement).toMatchObject({ rule: 'name-reused', level: 'error', path: 'a' });
    expect(judgement?.what).toBe(
      'a was removed after version 1, where it was int, and comes back as ["null", string]'.replaceAll(
        '"',
        '',
      ),
    );
  });

  it('may not come back with another meaning', () => {
    const next = record([field('a', 'int', { doc: 'Age in months.', default: 0 })]);
    expect(judge('BACKWARD', next, gone, was)[0]?.what).toBe(
      'a was removed after version 1, where it was "Age in years.", and comes back as "Age in months."',
    );
  });
});

describe('places', () => {
  it('a finding is at the field in the new schema, a removed one at the list of fields', () => {
    const before = record([field('a', 'int'), field('b', 'int')]);
    const after = record([field('a', 'string'), field('c', ['null', 'int'], { default: null })]);
    const places = Object.fromEntries(judge('BACKWARD', after, before).map(({ path, at }) => [path, at]));
    expect(places).toEqual({ a: ['fields', 1, 'type'], b: ['fields'] });
  });
});
