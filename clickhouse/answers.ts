import { readdirSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { PipelineError } from '../core/errors.ts';
import { projectRoot } from '../core/home.ts';
import { parseWith, readText } from '../core/parse.ts';
import { ClickHouseQueryError, type ClickHouse, type ResultTable } from './client.ts';

/** A file of `clickhouse/answers/`: one question of the catalog, its definition and its SQL. */
export interface Question {
  number: number;
  question: string;
  /** What exactly is counted, as the file's comment says it. */
  definition: string;
  /** Whole days, UTC, the last one included. */
  days: number;
  /** How many days before the newest event the period ends. */
  endingDaysAgo: number;
  /** Column to draw as bars. */
  bar?: string;
  sql: string;
}

export interface Answer extends Omit<Question, 'sql' | 'days' | 'endingDaysAgo'> {
  /** First and last instant looked at, ISO 8601, UTC. */
  from: string;
  to: string;
  columns: ResultTable['columns'];
  /** Amounts are in minor units of the row's currency. */
  rows: Cell[][];
}

/** Integers beyond 2^53 are strings, and so are dates. */
export type Cell = string | number | null;

export interface AnswerOptions {
  /** Default: every question there is a file for. */
  numbers?: readonly number[];
  /** Default: the newest payment event that is not in the future, so that old data has answers too. */
  asOf?: Date;
  /** Default `clickhouse/answers/`. */
  folder?: string;
  signal?: AbortSignal;
}

const answersFolder = path.join(projectRoot, 'clickhouse', 'answers');
const dayMs = 86_400_000;

/**
 * Answers questions, in the order of their numbers.
 *
 * @throws PipelineError `UNKNOWN_QUESTION`, `CLICKHOUSE_NOT_MIGRATED`, and what the client throws
 */
export async function runAnswers(
  clickhouse: ClickHouse,
  { numbers, asOf, folder, signal }: AnswerOptions = {},
): Promise<Answer[]> {
  const questions = loadQuestions(folder);
  const unknown = numbers?.find((number) => !questions.some((question) => question.number === number));
  if (unknown !== undefined) {
    throw new PipelineError('UNKNOWN_QUESTION', {
      what: `There is no answer to question ${unknown} yet`,
      where: folder ?? answersFolder,
      todo: `Ask one of: ${questions.map(({ number }) => number).join(', ')}.`,
    });
  }
  const options = signal === undefined ? {} : { signal };
  try {
    const until = asOf ?? (await newestEvent(clickhouse, signal));
    const answers: Answer[] = [];
    for (const { sql, ...question } of questions) {
      if (numbers !== undefined && !numbers.includes(question.number)) continue;
      const { from, to } = periodOf(question, until);
      const params = { from: clickhouseTime(from), to: clickhouseTime(to) };
      const { columns, rows } = await clickhouse.queryTable(sql, { params, ...options });
      answers.push({
        number: question.number,
        question: question.question,
        definition: question.definition,
        ...(question.bar === undefined ? {} : { bar: question.bar }),
        from: from.toISOString(),
        to: to.toISOString(),
        columns,
        rows: rows.map((row) => row.map((value, index) => cellOf(value, columns[index]?.type ?? ''))),
      });
    }
    return answers;
  } catch (error) {
    const unknownTableOrDatabase = ['60', '81'];
    if (!(error instanceof ClickHouseQueryError) || !unknownTableOrDatabase.includes(error.clickhouseCode)) {
      throw error;
    }
    throw new PipelineError('CLICKHOUSE_NOT_MIGRATED', {
      what: `The database ${clickhouse.database} lacks a table the answers read`,
      where: clickhouse.url,
      todo: 'Run "npm run clickhouse:migrate".',
      cause: error,
    });
  }
}

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
    .regex(/^\d+ days(, ending \d+ days ago)?$/, 'expected "N days" or "N days, ending N days ago"'),
  bar: z.string().optional(),
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
    days,
    endingDaysAgo,
    ...(header.bar === undefined ? {} : { bar: header.bar }),
    sql: text,
  };
}

/**
 * Whole UTC days up to and including `asOf`'s, the last one as far as it went; a period that ends earlier ends
 * with the last instant of its last day.
 */
export function periodOf(
  { days, endingDaysAgo }: Pick<Question, 'days' | 'endingDaysAgo'>,
  asOf: Date,
): { from: Date; to: Date } {
  const today = Math.floor(asOf.getTime() / dayMs) * dayMs;
  if (endingDaysAgo === 0) return { from: new Date(today - (days - 1) * dayMs), to: asOf };
  const end = today - endingDaysAgo * dayMs;
  return { from: new Date(end - days * dayMs), to: new Date(end - 1) };
}

async function newestEvent(clickhouse: ClickHouse, signal?: AbortSignal): Promise<Date> {
  const [row] = await clickhouse.query(
    `SELECT toUnixTimestamp64Milli(max(occurred_at)) AS newest FROM raw_payments WHERE occurred_at <= now64(3)`,
    signal === undefined ? {} : { signal },
  );
  const newest = Number(row?.['newest']);
  // The greatest of no times is the epoch.
  return newest > 0 ? new Date(newest) : new Date();
}

function clickhouseTime(time: Date): string {
  return time.toISOString().replace('T', ' ').replace('Z', '');
}

/** ClickHouse writes 64-bit integers as strings: a number where nothing is lost by it. */
function cellOf(value: unknown, type: string): Cell {
  if (value === null || typeof value === 'number') return value;
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const number = Number(text);
  return /\bU?Int\d+\b/.test(type) && Number.isSafeInteger(number) ? number : text;
}
