/** From a type of a column to those that hold all of its values, and that ClickHouse can turn it into. */
const wider: Readonly<Record<string, readonly string[]>> = {
  Int32: ['Int64'],
  Float32: ['Float64'],
  Enum8: ['String'],
  Enum16: ['String'],
  FixedString: ['String'],
};

/**
 * The type a column needs so that it takes what it took and what the schema asks for now; undefined where there is
 * none. Whether a dictionary (LowCardinality) is worth it stays as it was decided for the table.
 */
export function widenType(column: string, wanted: string): string | undefined {
  const [has, wants] = [takeApart(column), takeApart(wanted)];
  if (has.type !== wants.type && !isWider(has.type, wants.type)) return undefined;
  const isNullable = has.isNullable || wants.isNullable;
  const hasDictionary =
    wants.type === 'String' && (has.type === 'String' ? has.hasDictionary : wants.hasDictionary);
  const inner = isNullable ? `Nullable(${wants.type})` : wants.type;
  return hasDictionary ? `LowCardinality(${inner})` : inner;
}

function isWider(column: string, wanted: string): boolean {
  const [from, to] = [decimalOf(column), decimalOf(wanted)];
  if (from !== undefined && to !== undefined) return from.scale === to.scale && from.precision < to.precision;
  return wider[column.replace(/\(.*$/s, '')]?.includes(wanted) ?? false;
}

function takeApart(type: string): { type: string; isNullable: boolean; hasDictionary: boolean } {
  const plain = withoutDictionary(type);
  const inner = /^Nullable\((.*)\)$/s.exec(plain)?.[1];
  return { type: inner ?? plain, isNullable: inner !== undefined, hasDictionary: plain !== type };
}

function decimalOf(type: string): { precision: number; scale: number } | undefined {
  const [, precision, scale] = /^Decimal\((\d+), (\d+)\)$/.exec(type) ?? [];
  return precision === undefined ? undefined : { precision: Number(precision), scale: Number(scale) };
}

export function withoutDictionary(type: string): string {
  return type.replace(/^LowCardinality\((.*)\)$/, '$1');
}
