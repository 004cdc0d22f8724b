import { PipelineError } from '../core/errors.ts';
import { ClickHouseQueryError, type ClickHouse, type ResultTable } from './client.ts';
import { answersFolder, loadQuestions, periodOf, type Question } from './questions.ts';

export interface Answer extends Omit<Question, 'sql' | 'period'> {
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
  /** Last instant. Default: the newest payment event that is not in the future, so that old data has answers too. */
  asOf?: Date;
  /** First instant to look at. Default: each question's own period before `asOf`. */
  from?: Date;
  /** ISO 4217 code, or sales region: answers that have one keep to it. */
  currency?: string;
  region?: string;
  /** Default `clickhouse/answers/`. */
  folder?: string;
  signal?: AbortSignal;
}

/**
 * Answers questions, in the order of their numbers.
 *
 * @throws PipelineError `UNKNOWN_QUESTION`, `CLICKHOUSE_NOT_MIGRATED`, `MODELS_NOT_BUILT`, and what the client throws
 */
export async function runAnswers(
  clickhouse: ClickHouse,
  { numbers, from: since, asOf, folder, signal, currency = '', region = '' }: AnswerOptions = {},
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
    for (const { sql, period, ...question } of questions) {
      if (numbers !== undefined && !numbers.includes(question.number)) continue;
      const { from, to } = since === undefined ? periodOf(period, until) : { from: since, to: until };
      const params = { from: clickhouseTime(from), to: clickhouseTime(to), currency, region };
      const { columns, rows } = await clickhouse.queryTable(sql, { params, ...options });
      answers.push({
        ...question,
        from: from.toISOString(),
        to: to.toISOString(),
        columns,
        rows: rows.map((row) => row.map((value, index) => cellOf(value, columns[index]?.type ?? ''))),
      });
    }
    return answers;
  } catch (error) {
    throw explainMissingTable(error, clickhouse);
  }
}

const unknownTable = '60';
const unknownDatabase = '81';

/** An answer reads tables that migrations make, and models that dbt makes from them. */
function explainMissingTable(error: unknown, { database, url }: ClickHouse): unknown {
  if (!(error instanceof ClickHouseQueryError)) return error;
  const { clickhouseCode, message } = error;
  if (clickhouseCode !== unknownTable && clickhouseCode !== unknownDatabase) return error;
  const missing = /\b(?:mart|fact|dim|int|stg)_\w+/.exec(message)?.[0];
  if (missing === undefined) {
    return new PipelineError('CLICKHOUSE_NOT_MIGRATED', {
      what: `The database ${database} lacks a table the answers read`,
      where: url,
      todo: 'Run "npm run clickhouse:migrate".',
      cause: error,
    });
  }
  return new PipelineError('MODELS_NOT_BUILT', {
    what: `The database ${database} lacks the model ${missing}, which an answer reads`,
    where: url,
    todo: 'Run "npm run dbt:refresh".',
    cause: error,
  });
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
