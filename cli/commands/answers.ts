import { z } from 'zod';
import { runAnswers, type Answer, type AnswerOptions } from '../../clickhouse/answers.ts';
import { createClickHouse } from '../../clickhouse/client.ts';
import { PipelineError } from '../../core/errors.ts';
import { parseWith } from '../../core/parse.ts';
import type { Options, Run } from '../command.ts';
import { renderCsv } from '../render-csv.ts';
import { renderAnswer } from '../render-answers.ts';

export const run: Run = async (context, options, [asked]) => {
  const { signal, output } = context;
  const isCsv = options['csv'] === true;
  const numbers = readNumber(asked);
  if (isCsv && (numbers === undefined || output.json)) {
    throw new PipelineError('USAGE', {
      what: output.json ? '--csv and --json do not go together' : '--csv prints one answer',
      todo: 'For instance: npm run answers -- 5 --csv',
    });
  }
  const clickhouse = createClickHouse(context.target());
  try {
    const answers = await runAnswers(clickhouse, {
      signal,
      ...readFilters(options),
      ...(numbers === undefined ? {} : { numbers }),
    });
    output.print(answers.map(isCsv ? renderAnswerCsv : renderAnswer).join('\n\n'));
    output.document(
      answers.map(({ number, question, columns, rows }) => ({
        number,
        question,
        columns: columns.map(({ name }) => name),
        rows,
      })),
    );
    return 0;
  } finally {
    await clickhouse.close();
  }
};

function readNumber(asked: string | undefined): number[] | undefined {
  if (asked === undefined) return undefined;
  const number = Number(asked);
  if (Number.isInteger(number)) return [number];
  throw new PipelineError('USAGE', {
    what: `"${asked}" is not the number of a question`,
    todo: 'Run "npm run answers" for all of them, or "npm run answers -- 1" for one.',
  });
}

const lastMsOfDay = 86_400_000 - 1;
const date = z.iso.date('expected a date, as in 2026-03-31').transform((text) => new Date(text));
const filters = z
  .object({
    '--from': date.optional(),
    '--to': date.optional(),
    '--currency': z
      .string()
      .regex(/^[A-Z]{3}$/, 'expected an ISO 4217 code, as in EUR')
      .optional(),
    '--region': z
      .enum(['north_america', 'europe', 'asia_pacific'], 'expected north_america, europe or asia_pacific')
      .optional(),
  })
  .refine(({ '--from': from, '--to': to }) => from === undefined || to === undefined || from <= to, {
    path: ['--from'],
    error: 'expected a day before --to',
  });

function readFilters(options: Options): AnswerOptions {
  const given = {
    '--from': options['from'],
    '--to': options['to'],
    '--currency': options['currency'],
    '--region': options['region'],
  };
  const what = 'The options of answers are not valid';
  const {
    '--from': from,
    '--to': to,
    '--currency': currency,
    '--region': region,
  } = parseWith(filters, given, what, 'the command line');
  return {
    ...(from === undefined ? {} : { from }),
    // The last day is included.
    ...(to === undefined ? {} : { asOf: new Date(to.getTime() + lastMsOfDay) }),
    ...(currency === undefined ? {} : { currency }),
    ...(region === undefined ? {} : { region }),
  };
}

function renderAnswerCsv({ columns, rows }: Answer): string {
  return renderCsv(
    columns.map(({ name }) => name),
    rows,
  );
}
