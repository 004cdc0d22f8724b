import type { DocumentPath } from '../../core/line-of.ts';
import { fieldOf } from './resolve.ts';
import type { EnumShape, FieldShape, FixedShape, PrimitiveShape, RecordShape, Shape } from './shape.ts';

type Annotated = PrimitiveShape | FixedShape;

/** What a person changed, whoever it breaks. `path` is the field's, `at` a place in the new schema. */
export type Change = { path: string; at: DocumentPath } & (
  | { kind: 'field-added'; field: FieldShape }
  | { kind: 'field-removed'; field: FieldShape }
  | { kind: 'field-renamed'; from: FieldShape; to: FieldShape; byAlias: boolean }
  | { kind: 'default'; before: FieldShape; after: FieldShape }
  | {
      kind: 'symbols';
      before: EnumShape;
      after: EnumShape;
      added: readonly string[];
      removed: readonly string[];
    }
  | { kind: 'logical'; before: Annotated; after: Annotated }
);

/** Every change from one version of a schema to a later one that Avro's resolution does not speak of. */
export function findChanges(before: RecordShape, after: RecordShape): Change[] {
  return compareRecords(before, after, '', new Set());
}

function compareRecords(
  before: RecordShape,
  after: RecordShape,
  prefix: string,
  seen: Set<RecordShape>,
): Change[] {
  if (seen.has(after)) return [];
  seen.add(after);
  const pathOf = (field: FieldShape) => (prefix === '' ? field.name : `${prefix}.${field.name}`);
  const renamed = findRenamed(before, after);
  const replaced = new Set(renamed.map(({ from }) => from));
  const added = after.fields.filter(
    (field) =>
      !before.fields.some(({ name }) => name === field.name) && !renamed.some(({ to }) => to === field),
  );
  const removed = before.fields.filter(
    (field) => !after.fields.some(({ name }) => name === field.name) && !replaced.has(field),
  );
  const kept = after.fields.flatMap((field) => {
    const old = before.fields.find(({ name }) => name === field.name);
    return old === undefined ? [] : [{ old, field }];
  });
  return [
    ...renamed.map(({ from, to, byAlias }): Change => ({
      kind: 'field-renamed',
      path: pathOf(to),
      at: [...to.at, 'name'],
      from,
      to,
      byAlias,
    })),
    ...added.map((field): Change => ({ kind: 'field-added', path: pathOf(field), at: field.at, field })),
    ...removed.map((field): Change => ({
      kind: 'field-removed',
      path: pathOf(field),
      at: [...after.at, 'fields'],
      field,
    })),
    ...kept.flatMap(({ old, field }) => [
      ...compareDefaults(old, field, pathOf(field)),
      ...compareTypes(old.type, field.type, pathOf(field), seen),
    ]),
    ...renamed.flatMap(({ from, to }) => compareTypes(from.type, to.type, pathOf(to), seen)),
  ];
}

/**
 * Fields that an alias joins, and those that stand in a removed field's place with its type: that is what a
 * rename without an alias looks like.
 */
function findRenamed(before: RecordShape, after: RecordShape) {
  const names = (record: RecordShape) => new Set(record.fields.map(({ name }) => name));
  const [old, current] = [names(before), names(after)];
  return after.fields.flatMap((to, index) => {
    if (old.has(to.name)) return [];
    const aliased = fieldOf(before, to);
    if (aliased !== undefined) return current.has(aliased.name) ? [] : [{ from: aliased, to, byAlias: true }];
    const from = before.fields.find((field, position) => {
      if (current.has(field.name) || shapeText(field.type) !== shapeText(to.type)) return false;
      const [left, right] = [before.fields[position - 1]?.name, before.fields[position + 1]?.name];
      return left === after.fields[index - 1]?.name && right === after.fields[index + 1]?.name;
    });
    return from === undefined ? [] : [{ from, to, byAlias: false }];
  });
}

function compareDefaults(before: FieldShape, after: FieldShape, path: string): Change[] {
  if (!before.hasDefault) return [];
  const isSame = after.hasDefault && JSON.stringify(before.fallback) === JSON.stringify(after.fallback);
  const at = after.hasDefault ? [...after.at, 'default'] : after.at;
  return isSame ? [] : [{ kind: 'default', path, at, before, after }];
}

function compareTypes(before: Shape, after: Shape, path: string, seen: Set<RecordShape>): Change[] {
  return pairsOf(before, after).flatMap(([old, now]): Change[] => {
    if (old.kind === 'record' && now.kind === 'record') return compareRecords(old, now, path, seen);
    if (old.kind === 'array' && now.kind === 'array')
      return compareTypes(old.items, now.items, `${path}[]`, seen);
    if (old.kind === 'map' && now.kind === 'map')
      return compareTypes(old.values, now.values, `${path}{}`, seen);
    if (old.kind === 'enum' && now.kind === 'enum') {
      const added = now.symbols.filter((symbol) => !old.symbols.includes(symbol));
      const removed = old.symbols.filter((symbol) => !now.symbols.includes(symbol));
      if (added.length + removed.length === 0) return [];
      return [{ kind: 'symbols', path, at: now.at, before: old, after: now, added, removed }];
    }
    if (!isAnnotated(old) || !isAnnotated(now)) return [];
    if (JSON.stringify(old.logical) === JSON.stringify(now.logical)) return [];
    return [{ kind: 'logical', path, at: now.at, before: old, after: now }];
  });
}

/** What became of each type: of an optional field its one type, of any other union the type of the same kind. */
function pairsOf(before: Shape, after: Shape): (readonly [Shape, Shape])[] {
  const [old, now] = [withoutNull(before), withoutNull(after)];
  const [onlyOld, onlyNow] = [old[0], now[0]];
  if (old.length === 1 && now.length === 1 && onlyOld && onlyNow) return [[onlyOld, onlyNow]];
  return old.flatMap((one) => {
    const same = now.find((other) => kindOf(other) === kindOf(one));
    return same === undefined ? [] : [[one, same] as const];
  });
}

function withoutNull(shape: Shape): readonly Shape[] {
  const branches = shape.kind === 'union' ? shape.branches : [shape];
  return branches.filter((branch) => !(branch.kind === 'primitive' && branch.type === 'null'));
}

function kindOf(shape: Shape): string {
  if (shape.kind === 'primitive') return shape.type;
  return 'name' in shape ? `${shape.kind} ${shape.name}` : shape.kind;
}

function isAnnotated(shape: Shape): shape is Annotated {
  return shape.kind === 'primitive' || shape.kind === 'fixed';
}

/** The type without where it stands and without what is inside a named one: for comparing two. */
export function shapeText(shape: Shape): string {
  switch (shape.kind) {
    case 'union':
      return `[${shape.branches.map(shapeText).join()}]`;
    case 'array':
      return `array ${shapeText(shape.items)}`;
    case 'map':
      return `map ${shapeText(shape.values)}`;
    case 'primitive':
      return `${shape.type} ${JSON.stringify(shape.logical ?? null)}`;
    case 'fixed':
      return `fixed ${shape.name} ${shape.size} ${JSON.stringify(shape.logical ?? null)}`;
    default:
      return `${shape.kind} ${shape.name}`;
  }
}
