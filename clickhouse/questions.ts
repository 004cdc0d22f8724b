import { readdirSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { projectRoot } from '../core/home.ts';
import { parseWith, readText } from '../core/parse.ts';

/** A file of `clickhouse/answers/`: one question of the catalog, its definition and its SQL. */
export interface Question {
  number: number;
  question: string;
  /** What exactly is counted, as the file's comment says it. */
  definition: string;
  period: Period;
  /** Column to draw as bars beside the rows. */
  bar?: string;
  /** Column to draw as one line below the rows, which are in the order of time; one line per currency. */
  spark?: string;
  /** Its parameters are `from`, `to`, and where it has them `currency` and `region`, empty for all. */
  sql: string;
}

/** What a question looks at unless somebody asks for other dates: whole days, UTC. */
export type Period = 'all' | { days: number; endingDaysAgo: number };

export const answersFolder = path.join(projectRoot, 'clickhouse', 'answers');
const dayMs = 86_400_000;

/** Every question there is a file for, by number. */
export function loadQuestions(folder = answersFolder): Question[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.sql'))
    .map((file) => {
      const at = path.join(folder, file);
      return parseQuestion(readText(at, 'An answer can not be read'), at);
    })
    .sort((a, b) => a.number - b.number);
}

const questionHeader = z.object({
  title: z
    .string('expected a first line such as "-- 1. How many payments are there?"')
    .regex(/^\d+\. .+\?$/, 'expected "<number>. <question>?"'),
  period: z
    .string('expected a line such as "-- period: 30 days"')
    .regex(
      /^(all|\d+ days(, ending \d+ days ago)?)$/,
      'expected "all", "N days" or "N days, ending N days ago"',
    ),
  bar: z.string().optional(),
  spark: z.string().optional(),
});

/**
 * Reads the comment a file begins with: `N. question`, then `key: value` lines, then an empty line and the
 * definition.
 */
export function parseQuestion(text: string, file: string): Question {
  const lines = text.split('\n');
  const end = lines.findIndex((line) => !line.startsWith('--'));
  const comment = lines.slice(0, end).map((line) => line.replace(/^-- ?/, ''));
  const [title, ...rest] = comment;
  const gap = rest.indexOf('');
  const settings = Object.fromEntries(
    rest.slice(0, Math.max(gap, 0)).map((line) => {
      const [key = '', ...value] = line.split(': ');
      return [key, value.join(': ')];
    }),
  );
  const header = parseWith(questionHeader, { title, ...settings }, 'An answer has no proper header', file);
  const [days = 0, endingDaysAgo = 0] = (header.period.match(/\d+/g) ?? []).map(Number);
  const [number = ''] = header.title.split('. ', 1);
  return {
    number: Number(number),
    question: header.title.slice(number.length + 2),
    definition: rest.slice(gap + 1).join('\n'),
    period: header.period === 'all' ? 'all' : { days, endingDaysAgo },
    ...(header.bar === undefined ? {} : { bar: header.bar }),
    ...(header.spark === undefined ? {} : { spark: header.spark }),
    sql: text,
  };
}

/**
 * Whole UTC days up to and including `asOf`'s, the last one as far as it went; a period that ends earlier ends
 * with the last instant of its last day. `all` begins with the epoch.
 */
export function periodOf(period: Period, asOf: Date): { from: Date; to: Date } {
  if (period === 'all') return { from: new Date(0), to: asOf };
  const { days, endingDaysAgo } = period;
  const today = Math.floor(asOf.getTime() / dayMs) * dayMs;
  if (endingDaysAgo === 0) return { from: new Date(today - (days - 1) * dayMs), to: asOf };
  const end = today - endingDaysAgo * dayMs;
  return { from: new Date(end - days * dayMs), to: new Date(end - 1) };
}
