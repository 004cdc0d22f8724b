import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Document } from 'openapi-backend';
import { test } from 'vitest';
import { parse } from 'yaml';
import { projectRoot } from '../../../../core/home.ts';

/**
 * Where Confluent's published document of connect/v1 is: `CONFLUENT_OPENAPI`, or a folder beside the project's. It
 * is api/openapi.yaml of the folder connect/v1 in confluentinc/ccloud-sdk-go-v2, and no part of this project.
 *
 * @returns undefined where there is none
 */
export function findOpenApiDocument(env: NodeJS.ProcessEnv = process.env): string | undefined {
  const named = env['CONFLUENT_OPENAPI'];
  // A path that was given and leads nowhere is a mistake, and must not pass as "there is none".
  if (named) return named;
  const beside = path.join(projectRoot, '../shared/specs/confluent-connect-v1.openapi.yaml');
  return existsSync(beside) ? beside : undefined;
}

/** Stands for the tests that need the document where there is none: seen in the output, and counted as skipped. */
export function reportNotRun(what: string): void {
  const sentence =
    `NOT RUN: ${what}; set CONFLUENT_OPENAPI to the published OpenAPI document ` +
    '(connect/v1/api/openapi.yaml of confluentinc/ccloud-sdk-go-v2)';
  process.stderr.write(`${sentence}\n`);
  test.todo(sentence);
}

/** The path under which the document keeps the list with expansions: its query, which OpenAPI has no place for. */
export const expansionsQuery = '?expand=info,status,id';
/** The path that {@link readDocument} gives to that operation instead. */
export const expansionsPath = '/with-expansions';

export function readDocument(file: string): Document {
  const document = parse(readFileSync(file, 'utf8')) as Document;
  const paths = Object.entries(document.paths ?? {}).map(([at, operations]) => [
    at.replace(expansionsQuery, expansionsPath),
    operations,
  ]);
  return { ...document, paths: Object.fromEntries(paths) as Document['paths'] } as Document;
}
