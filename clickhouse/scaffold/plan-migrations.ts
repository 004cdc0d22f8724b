import type { Problem } from '../../core/errors.ts';
import {
  addColumn,
  commentColumn,
  createLedgerView,
  createTable,
  ledgerViewOf,
  modifyColumn,
  type ColumnDefinition,
  type TableDefinition,
} from './migration-sql.ts';
import { widenType, withoutDictionary } from './widen-type.ts';

/** A table as the migrations so far make it. */
export interface ExistingTable {
  /** In the table's order. */
  columns: readonly ExistingColumn[];
}

export interface ExistingColumn {
  name: string;
  type: string;
  comment: string;
  hasDefault: boolean;
  /** Part of the partition or the sorting key: ClickHouse does not alter its type. */
  isInKey?: boolean;
}

/** A migration that is still to be written. */
export interface PlannedMigration {
  /** Without a number: `raw_orders`. */
  name: string;
  topic: string;
  /** What it does, in a few words. */
  what: string;
  sql: string;
}

export interface MigrationPlan {
  migrations: readonly PlannedMigration[];
  /** What no migration can be written for. */
  problems: readonly Problem[];
}

/**
 * What the migrations lack of the tables that the schemas want. Tables only grow: whatever would take something
 * away from one is a problem, with the way out of it.
 *
 * @param existing every table and view there is, by name
 */
export function planMigrations(
  wanted: readonly TableDefinition[],
  existing: ReadonlyMap<string, ExistingTable>,
  coordinates: readonly ColumnDefinition[],
): MigrationPlan {
  const migrations: PlannedMigration[] = [];
  const problems: Problem[] = [];
  for (const table of wanted) {
    const { name, topic } = table;
    const live = existing.get(name);
    if (live === undefined) {
      migrations.push({ name, topic, what: `create ${name}`, sql: createTable(table, coordinates) });
    } else {
      migrations.push(...newColumns(table, live), ...widerColumns(table, live), ...newComments(table, live));
      problems.push(...findProblems(table, live, coordinates));
    }
    const view = ledgerViewOf(name);
    if (!existing.has(view)) {
      migrations.push({
        name: view,
        topic,
        what: `enter ${name} into the ledger`,
        sql: createLedgerView(name),
      });
    }
  }
  return { migrations, problems };
}

function newColumns(table: TableDefinition, live: ExistingTable): PlannedMigration[] {
  const names = new Set(live.columns.map(({ name }) => name));
  return table.columns.flatMap((column, index) => {
    if (names.has(column.name)) return [];
    const before = table.columns[index - 1]?.name ?? '';
    return [
      {
        name: `${table.name}_add_${column.name}`,
        topic: table.topic,
        what: `add ${column.name} to ${table.name}`,
        sql: addColumn(table, column, before),
      },
    ];
  });
}

/** Every row that landed keeps its value. */
function widerColumns(table: TableDefinition, live: ExistingTable): PlannedMigration[] {
  return table.columns.flatMap(({ name, type }) => {
    const found = live.columns.find((column) => column.name === name);
    const wider = found === undefined ? undefined : wideningOf(found, type);
    if (wider === undefined) return [];
    return [
      {
        name: `${table.name}_widen_${name}`,
        topic: table.topic,
        what: `widen ${table.name}.${name} to ${wider}`,
        sql: modifyColumn(table, name, wider),
      },
    ];
  });
}

/** The type a column is to be widened to; undefined where it is right as it is, or can not be. */
function wideningOf(column: ExistingColumn, wanted: string): string | undefined {
  if (takes(column.type, wanted) || column.isInKey === true) return undefined;
  return widenType(column.type, wanted);
}

function newComments(table: TableDefinition, live: ExistingTable): PlannedMigration[] {
  return table.columns.flatMap((column) => {
    const found = live.columns.find(({ name }) => name === column.name);
    if (found === undefined || found.comment === column.comment) return [];
    return [
      {
        name: `${table.name}_comment_${column.name}`,
        topic: table.topic,
        what: `describe ${table.name}.${column.name} as its schema does`,
        sql: commentColumn(table, column),
      },
    ];
  });
}

function findProblems(
  table: TableDefinition,
  live: ExistingTable,
  coordinates: readonly ColumnDefinition[],
): Problem[] {
  return [
    ...fieldsWithoutDefault(table, live),
    ...changedTypes(table, live),
    ...columnsWithoutField(table, live, coordinates),
  ];
}

/** Its older records lack the field, and the sink refuses a record without a value for a required column. */
function fieldsWithoutDefault(table: TableDefinition, live: ExistingTable): Problem[] {
  return table.columns
    .filter(({ name }) => !live.columns.some((column) => column.name === name))
    .filter(({ type, fallback }) => fallback === undefined || (fallback === null && !isNullable(type)))
    .map(({ name }) => ({
      path: `${table.name}.${name}`,
      message: `records from before it lack this field: give it a default in schemas/${table.schema}, or make it ["null", T]`,
    }));
}

function changedTypes(table: TableDefinition, live: ExistingTable): Problem[] {
  return table.columns.flatMap(({ name, type }) => {
    const found = live.columns.find((column) => column.name === name);
    if (found === undefined || takes(found.type, type) || wideningOf(found, type) !== undefined) return [];
    if (found.isInKey === true) {
      return [
        {
          path: `${table.name}.${name}`,
          message:
            `the column is ${found.type} and part of the table's key, which can not become ${type}: keep the type of ` +
            `the field, and put the new values into a field of their own`,
        },
      ];
    }
    return [
      {
        path: `${table.name}.${name}`,
        message:
          `the column is ${found.type}, schemas/${table.schema} asks for ${type}: put the new values into a field of ` +
          `their own, or write a migration by hand (ALTER TABLE ${table.name} MODIFY COLUMN ${name} ${type})`,
      },
    ];
  });
}

/** A field that is gone: its column keeps the past, and the sink has to be able to leave it out. */
function columnsWithoutField(
  table: TableDefinition,
  live: ExistingTable,
  coordinates: readonly ColumnDefinition[],
): Problem[] {
  const known = new Set([...table.columns, ...coordinates].map(({ name }) => name));
  return live.columns
    .filter(({ name, type, hasDefault }) => !known.has(name) && !hasDefault && !isNullable(type))
    .map(({ name, type }) => ({
      path: `${table.name}.${name}`,
      message:
        `schemas/${table.schema} has no such field any more, and the sink refuses records without it: restore the field, ` +
        `or keep what landed and write a migration by hand that gives the column a default ` +
        `(ALTER TABLE ${table.name} MODIFY COLUMN ${name} DEFAULT defaultValueOfTypeName('${type}'))`,
    }));
}

/** Whether a dictionary is worth it is decided table by table, and a column may take null although nothing sends it. */
function takes(column: string, wanted: string): boolean {
  const plain = withoutDictionary(column);
  return [withoutDictionary(wanted), `Nullable(${withoutDictionary(wanted)})`].includes(plain);
}

function isNullable(type: string): boolean {
  return withoutDictionary(type).startsWith('Nullable(');
}
