/** A ClickHouse type taken apart: `Map(String, Array(Int64))` is `Map` with two arguments. */
export interface ColumnType {
  /** As ClickHouse writes it. */
  text: string;
  /** What stands before the parenthesis, below wrappers. */
  name: string;
  /** Arguments of the type below its wrappers, which may be no types: a scale, a time zone, a value of an enum. */
  args: readonly string[];
  isNullable: boolean;
}

/** Types that change nothing in what the sink writes, and which argument they wrap. */
const wrappers: Readonly<Record<string, number>> = {
  LowCardinality: 0,
  SimpleAggregateFunction: 1,
  Nullable: 0,
};

export function parseColumnType(text: string): ColumnType {
  let isNullable = false;
  for (let current = text; ;) {
    const [, name = current, inner] = /^(\w+)\((.*)\)$/s.exec(current) ?? [];
    const args = inner === undefined ? [] : splitArguments(inner);
    const wrapped = wrappers[name];
    if (wrapped === undefined || args[wrapped] === undefined) return { text, name, args, isNullable };
    isNullable ||= name === 'Nullable';
    current = args[wrapped];
  }
}

/** The values of an `Enum8` or `Enum16`. */
export function enumValues({ args }: ColumnType): string[] {
  return args.map((arg) => (/^'((?:[^'\\]|\\.)*)'/.exec(arg)?.[1] ?? arg).replaceAll(/\\(.)/g, '$1'));
}

/** At commas that are in no parenthesis and no quotes: values of an enum may hold both. */
function splitArguments(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (const { 0: token, index } of text.matchAll(/'(?:[^'\\]|\\.)*'|[(),]/g)) {
    if (token === '(') depth += 1;
    else if (token === ')') depth -= 1;
    else if (token === ',' && depth === 0) {
      parts.push(text.slice(start, index).trim());
      start = index + 1;
    }
  }
  return [...parts, text.slice(start).trim()];
}
