import { readFileSync } from 'node:fs';
import { parseDocument } from 'yaml';
import type { z } from 'zod';
import { InvalidInputError, PipelineError, codeOf, messageOf, type Problem } from './errors.ts';

/** A parsed value, or everything that is wrong with it. */
export type Parsed<T> = { value: T; problems: [] } | { value: undefined; problems: Problem[] };

/** Checks `value` against `schema` and collects every problem, for callers that have problems of their own to add. */
export function check<S extends z.ZodType>(schema: S, value: unknown): Parsed<z.infer<S>> {
  const result = schema.safeParse(value);
  if (result.success) return { value: result.data, problems: [] };
  return { value: undefined, problems: result.error.issues.flatMap(toProblems) };
}

/**
 * Parses `value` with `schema`, or throws one {@link InvalidInputError} that lists every problem.
 *
 * @param where the file or address the value came from; shown to the reader
 */
export function parseWith<S extends z.ZodType>(
  schema: S,
  value: unknown,
  what: string,
  where: string,
): z.infer<S> {
  const parsed = check(schema, value);
  if (parsed.problems.length > 0) throw new InvalidInputError({ what, where, problems: parsed.problems });
  return parsed.value as z.infer<S>;
}

/** Reads a YAML file as plain data; every syntax error is reported, with its line. */
export function readYaml(file: string, what: string): unknown {
  const document = parseDocument(readText(file, what));
  if (document.errors.length === 0) return document.toJS();
  throw new InvalidInputError({
    what,
    where: file,
    problems: document.errors.map((error) => ({
      path: `line ${String(error.linePos?.[0].line ?? '?')}`,
      message: messageOf(error).replace(/ at line \d+, column \d+:?$/, ''),
    })),
  });
}

/** Reads a JSON file; a syntax error becomes a problem with its line. */
export function readJson(file: string, what: string): unknown {
  const text = readText(file, what);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new InvalidInputError({
      what,
      where: file,
      problems: [{ path: `line ${syntaxErrorLine(text, error)}`, message: reasonOf(error) }],
    });
  }
}

/** V8 gives the position of some syntax errors only; that of an unexpected token is found by bisection. */
function syntaxErrorLine(text: string, error: unknown): number {
  const position = /at position (\d+)/.exec(messageOf(error))?.[1];
  let end = position === undefined ? text.length : Number(position);
  if (messageOf(error).startsWith('Unexpected token') && position === undefined) {
    for (let sound = 0; end - sound > 1;) {
      const middle = Math.floor((sound + end) / 2);
      if (hasUnexpectedToken(text.slice(0, middle))) end = middle;
      else sound = middle;
    }
    end -= 1;
  }
  return text.slice(0, end).split('\n').length;
}

function hasUnexpectedToken(text: string): boolean {
  try {
    JSON.parse(text);
    return false;
  } catch (error) {
    return messageOf(error).startsWith('Unexpected token');
  }
}

/** V8's message without the piece of the file that it quotes and without the position. */
function reasonOf(error: unknown): string {
  return messageOf(error)
    .replace(/, (\.\.\.)?".*$/, '')
    .replace(/ (in JSON )?at position \d+.*$/, '');
}

export function readText(file: string, what: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const missing = codeOf(error) === 'ENOENT';
    throw new PipelineError(missing ? 'FILE_NOT_FOUND' : 'FILE_NOT_READABLE', {
      what: missing ? `${what}: there is no such file` : `${what}: ${messageOf(error)}`,
      where: file,
      todo: 'Restore the file, or name another one.',
      cause: error,
    });
  }
}

/** `['topics', 2, 'partitions']` as `topics[2].partitions`. */
export function dottedPath(path: readonly PropertyKey[]): string {
  const text = path
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`))
    .join('')
    .replace(/^\./, '');
  return text === '' ? '(top level)' : text;
}

function toProblems(issue: z.core.$ZodIssue): Problem[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: dottedPath([...issue.path, key]), message: 'unknown key' }));
  }
  return [{ path: dottedPath(issue.path), message: issue.message }];
}
