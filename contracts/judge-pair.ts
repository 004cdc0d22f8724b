import type { DescribedColumn } from '../clickhouse/describe-tables.ts';
import type { FindingLevel } from '../core/finding.ts';
import { enumValues, parseColumnType, type ColumnType } from './column-type.ts';
import type { FieldType, RecordField } from './record-fields.ts';
import type { ContractRule } from './rules.ts';
import { typeTable } from './type-table.ts';

/** What is wrong with one field and its column, without the names of topic and table. */
export interface PairProblem {
  rule: ContractRule;
  level: FindingLevel;
  what: string;
  todo: string;
}

/** A field against the column of its name. */
export function judgePair(field: RecordField, column: DescribedColumn): PairProblem[] {
  const type = parseColumnType(column.type);
  return [...judgeNull(field, column, type), ...judgeType(field, type, field.name)];
}

function judgeNull(field: RecordField, column: DescribedColumn, type: ColumnType): PairProblem[] {
  if (!field.isNullable) return [];
  const { name } = field;
  if (column.defaultKind === 'DEFAULT') {
    return [
      {
        rule: 'null-becomes-default',
        level: 'warning',
        what: `${name} may be null, and a null becomes the default of its column`,
        todo: `Make the column Nullable without a default, or let the field not be null.`,
      },
    ];
  }
  if (type.isNullable) return [];
  return [
    {
      rule: 'null-into-required',
      level: 'error',
      what: `${name} may be null, its column ${column.type} may not`,
      todo: 'Run "npm run clickhouse:scaffold": it writes the migration that makes the column Nullable.',
    },
  ];
}

function judgeType(field: FieldType, column: ColumnType, name: string): PairProblem[] {
  // The official sink takes a nullable Enum for one that is not, and shifts every byte behind it.
  const isBroken = column.isNullable && column.name.startsWith('Enum');
  const landing = isBroken ? undefined : typeTable[field.type][column.name];
  if (landing === undefined) {
    return [
      {
        rule: 'type-refused',
        level: 'error',
        what: `the sink can not write ${name} (${describe(field)}) into ${column.text}`,
        todo: `Make the column one of ${columnsFor(field)}, or cast the field on the connector (docs/schema-evolution.md).`,
      },
    ];
  }
  const special = specialProblems(field, column, name);
  if (special.length > 0) return special;
  if (landing === 'any' || landing === 'text') return nested(field, column, name);
  return [rangeProblem(field, column, name, landing)];
}

function specialProblems(field: FieldType, column: ColumnType, name: string): PairProblem[] {
  if (field.symbols !== undefined && column.name.startsWith('Enum')) {
    const known = enumValues(column);
    const missing = field.symbols.filter((symbol) => !known.includes(symbol));
    return missing.length === 0
      ? []
      : [
          {
            rule: 'enum-symbol-missing',
            level: 'error',
            what: `the column of ${name} lacks ${missing.join(', ')}, and the first record with one fails`,
            todo: 'Run "npm run clickhouse:scaffold": it turns the column into LowCardinality(String), which takes any symbol.',
          },
        ];
  }
  if (field.type === 'decimal') return decimalProblems(field, column, name);
  if (field.type === 'timestamp' && Number(column.args[0] ?? 3) < 3) {
    return [
      {
        rule: 'time-precision',
        level: 'warning',
        what: `${name} has milliseconds, its column ${column.text} keeps fewer digits`,
        todo: "Make the column DateTime64(3, 'UTC').",
      },
    ];
  }
  return [];
}

function decimalProblems(field: FieldType, column: ColumnType, name: string): PairProblem[] {
  const [precision, scale] = column.args.map(Number) as [number, number];
  const { precision: digits = 0, scale: places = 0 } = field;
  const what = `${name} is ${describe(field)}, its column ${column.text}`;
  const todo = `Make the column Decimal(${String(Math.max(digits, precision))}, ${String(places)}): "npm run clickhouse:scaffold" widens one of the same scale; for another scale add a field of its own.`;
  if (scale < places) {
    return [{ rule: 'decimal-scale', level: 'error', what: `${what}: decimal places would be lost`, todo }];
  }
  if (precision - scale < digits - places) {
    return [
      { rule: 'decimal-precision', level: 'error', what: `${what}: large numbers would not fit`, todo },
    ];
  }
  return [];
}

function nested(field: FieldType, column: ColumnType, name: string): PairProblem[] {
  if (field.items === undefined) return [];
  const inner = parseColumnType(column.args.at(-1) ?? '');
  const of = `${name}[]`;
  const problems = judgeType(field.items, inner, of);
  if (!field.items.isNullable || inner.isNullable) return problems;
  const what = `${of} may be null, ${inner.text} may not`;
  return [
    ...problems,
    { rule: 'null-into-required', level: 'error', what, todo: `Make its type Nullable(${inner.text}).` },
  ];
}

function rangeProblem(
  field: FieldType,
  column: ColumnType,
  name: string,
  landing: 'some' | 'raw',
): PairProblem {
  return {
    rule: 'value-range',
    level: 'warning',
    what:
      landing === 'raw'
        ? `${name} (${describe(field)}) lands in ${column.text} as the bare number, whatever its unit`
        : `not every ${describe(field)} fits the column ${column.text} of ${name}; the others are dead letters`,
    todo: `Use ${columnsFor(field)} unless the values are known to fit.`,
  };
}

function describe({ type, precision = 0, scale = 0 }: FieldType): string {
  return type === 'decimal' ? `decimal(${precision}, ${scale})` : type;
}

/** The columns that take every value. */
function columnsFor({ type, precision = 0, scale = 0 }: FieldType): string {
  const names = Object.entries(typeTable[type]).flatMap(([name, landing]) =>
    landing === 'any' ? [name] : [],
  );
  if (type === 'decimal') return `Decimal(${precision}, ${scale})`;
  return names.length === 0 ? 'a topic of its own' : names.join(' or ');
}
