import type { DocumentPath } from '../../core/line-of.ts';
import type { FieldShape, RecordShape, Shape } from './shape.ts';

/**
 * Why a reader cannot read what a writer wrote.
 * - `no-default`: the writer lacks a field of the reader, which has no default for it
 * - `type`: neither the same type nor a promotion of it
 * - `branch`: the writer's union may hold a type that the reader does not take
 * - `symbols`: the writer's enum has symbols that the reader's lacks, and the reader's has no default
 * - `size`: of two fixed
 * - `name`: of two records, enums or fixed, and no alias joins them
 */
export const mismatchKinds = ['no-default', 'type', 'branch', 'symbols', 'size', 'name'] as const;
export type MismatchKind = (typeof mismatchKinds)[number];

export interface Mismatch {
  kind: MismatchKind;
  /** `address.city`, `tags[]` for items, `tags{}` for values. */
  path: string;
  reader: Shape;
  /** Undefined where the writer has no such field. */
  writer: Shape | undefined;
  /** Where it is in the reader's and in the writer's .avsc. */
  at: { reader: DocumentPath; writer: DocumentPath };
  /** The symbols that the reader lacks. */
  symbols: readonly string[];
}

/** What may be read as something else (Avro specification, "Schema Resolution"), by what was written. */
const promotions: Readonly<Record<string, readonly string[]>> = {
  int: ['long', 'float', 'double'],
  long: ['float', 'double'],
  float: ['double'],
  string: ['bytes'],
  bytes: ['string'],
};

/** Whether a primitive may be read as another one; the same counts. */
export function promotes(written: string, read: string): boolean {
  return written === read || (promotions[written]?.includes(read) ?? false);
}

/**
 * Everything that keeps a reader from reading a writer's records, by Avro's rules of schema resolution. Logical
 * types are not looked at, as no registry does: they are a rule of ours.
 *
 * A union counts as unreadable as soon as one of its branches is: Avro itself would fail only on the first such
 * record, registries refuse the schema.
 */
export function resolve(reader: Shape, writer: Shape): Mismatch[] {
  return compare({ reader, writer, path: '', seen: new Map() });
}

interface Pair {
  reader: Shape;
  writer: Shape;
  path: string;
  /** Pairs of records that are being compared: a recursive type meets itself again. */
  seen: Map<RecordShape, Set<RecordShape>>;
}

function compare(pair: Pair): Mismatch[] {
  const { reader, writer } = pair;
  if (writer.kind === 'union') {
    return writer.branches.flatMap((branch) => compareBranch(pair, branch, 'branch'));
  }
  if (reader.kind === 'union') return compareBranch(pair, writer, 'type');
  if (reader.kind === 'primitive' && writer.kind === 'primitive') {
    return promotes(writer.type, reader.type) ? [] : [mismatch(pair, 'type')];
  }
  if (reader.kind === 'array' && writer.kind === 'array') {
    return compare({ ...pair, reader: reader.items, writer: writer.items, path: `${pair.path}[]` });
  }
  if (reader.kind === 'map' && writer.kind === 'map') {
    return compare({ ...pair, reader: reader.values, writer: writer.values, path: `${pair.path}{}` });
  }
  return compareNamed(pair);
}

/** One type that was written, against whatever the reader takes. */
function compareBranch(pair: Pair, branch: Shape, kind: 'branch' | 'type'): Mismatch[] {
  const { reader } = pair;
  const candidates = reader.kind === 'union' ? reader.branches : [reader];
  const results = candidates.map((candidate) => ({
    candidate,
    // A pair of its own: what fails here may be tried again.
    found: compare({ ...pair, reader: candidate, writer: branch, seen: copyOf(pair.seen) }),
  }));
  if (results.some(({ found }) => found.length === 0)) return [];
  // Of an optional field it is clear which type was meant; of other unions, the one of the same kind. Its own
  // reasons say more than "no branch fits".
  const only = soleTypeOf(reader);
  const isOnly = only !== undefined && soleTypeOf(pair.writer) === branch;
  const meant = results.find(({ candidate }) =>
    isOnly ? candidate === only : isSameKind(candidate, branch),
  );
  if (meant === undefined || (!isOnly && meant.candidate.kind === 'primitive')) {
    return [{ ...mismatch(pair, kind), writer: branch }];
  }
  return meant.found;
}

function compareNamed(pair: Pair): Mismatch[] {
  const { reader, writer } = pair;
  if (reader.kind === 'enum' && writer.kind === 'enum') {
    if (!haveOneName(reader, writer)) return [mismatch(pair, 'name')];
    const symbols = writer.symbols.filter((symbol) => !reader.symbols.includes(symbol));
    return symbols.length === 0 || reader.fallback !== undefined
      ? []
      : [{ ...mismatch(pair, 'symbols'), symbols }];
  }
  if (reader.kind === 'fixed' && writer.kind === 'fixed') {
    if (!haveOneName(reader, writer)) return [mismatch(pair, 'name')];
    return reader.size === writer.size ? [] : [mismatch(pair, 'size')];
  }
  if (reader.kind === 'record' && writer.kind === 'record') {
    if (!haveOneName(reader, writer)) return [mismatch(pair, 'name')];
    return compareFields(pair, reader, writer);
  }
  return [mismatch(pair, 'type')];
}

function compareFields(pair: Pair, reader: RecordShape, writer: RecordShape): Mismatch[] {
  const met = pair.seen.get(reader) ?? new Set();
  if (met.has(writer)) return [];
  pair.seen.set(reader, met.add(writer));
  return reader.fields.flatMap((field) => {
    const path = pair.path === '' ? field.name : `${pair.path}.${field.name}`;
    const written = fieldOf(writer, field);
    if (written !== undefined) {
      return compare({ ...pair, reader: field.type, writer: written.type, path });
    }
    if (field.hasDefault) return [];
    return [
      {
        kind: 'no-default' as const,
        path,
        reader: field.type,
        writer: undefined,
        at: { reader: field.at, writer: [...writer.at, 'fields'] },
        symbols: [],
      },
    ];
  });
}

/** The writer's field that the reader's is read from: by name, or by one of the reader's aliases. */
export function fieldOf(writer: RecordShape, field: FieldShape): FieldShape | undefined {
  return (
    writer.fields.find(({ name }) => name === field.name) ??
    writer.fields.find(({ name }) => field.aliases.includes(name))
  );
}

/** Avro compares names without their namespace; only the reader's aliases count. */
function haveOneName(
  reader: { name: string; aliases: readonly string[] },
  writer: { name: string; fullName: string },
): boolean {
  return reader.name === writer.name || reader.aliases.includes(writer.fullName);
}

/** The type of a field, with or without null beside it; undefined where there are more. */
function soleTypeOf(shape: Shape): Shape | undefined {
  const types = (shape.kind === 'union' ? shape.branches : [shape]).filter((branch) => !isNull(branch));
  return types.length === 1 ? types[0] : undefined;
}

function isNull(shape: Shape): boolean {
  return shape.kind === 'primitive' && shape.type === 'null';
}

function isSameKind(a: Shape, b: Shape): boolean {
  if (a.kind !== b.kind) return false;
  return !('name' in a) || !('name' in b) || a.name === b.name;
}

function mismatch({ reader, writer, path }: Pair, kind: MismatchKind): Mismatch {
  return { kind, path, reader, writer, at: { reader: reader.at, writer: writer.at }, symbols: [] };
}

function copyOf(seen: Pair['seen']): Pair['seen'] {
  return new Map([...seen].map(([reader, writers]) => [reader, new Set(writers)]));
}
