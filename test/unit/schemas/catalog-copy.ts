import { cpSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parse, stringify } from 'yaml';
import { InvalidInputError } from '../../../core/errors.ts';
import { projectRoot } from '../../../core/home.ts';
import { loadCatalog } from '../../../schemas/catalog.ts';

export interface CatalogFile {
  topics: Record<string, unknown>[];
  deadLetterTopics: Record<string, unknown>[];
}

export interface SchemaFile {
  doc?: string;
  fields: { name: string; type: unknown; doc?: string; default?: unknown }[];
}

/** The schema that {@link folderWith} changes. */
export const payments = 'avro/billing.payments.avsc';

export function field(schema: SchemaFile, name: string): SchemaFile['fields'][number] {
  return schema.fields.find((candidate) => candidate.name === name)!;
}

/** A copy of the catalog with some changes; those of `schema` are made to the payments. */
export function folderWith(changes: {
  catalog?: (catalog: CatalogFile) => unknown;
  schema?: (schema: SchemaFile) => unknown;
}): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'catalog-'));
  cpSync(path.join(projectRoot, 'schemas', 'avro'), path.join(folder, 'avro'), { recursive: true });
  const catalog = parse(
    readFileSync(path.join(projectRoot, 'schemas', 'topics.yaml'), 'utf8'),
  ) as CatalogFile;
  changes.catalog?.(catalog);
  writeFileSync(path.join(folder, 'topics.yaml'), stringify(catalog));
  const file = path.join(folder, payments);
  const schema = JSON.parse(readFileSync(file, 'utf8')) as SchemaFile;
  changes.schema?.(schema);
  writeFileSync(file, JSON.stringify(schema, null, 2));
  return folder;
}

export function problemsOf(folder: string): InvalidInputError['problems'] {
  try {
    loadCatalog(folder);
  } catch (error) {
    if (error instanceof InvalidInputError) return error.problems;
    throw error;
  }
  throw new Error('the catalog was accepted');
}
