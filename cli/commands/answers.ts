import { runAnswers } from '../../clickhouse/answers.ts';
import { createClickHouse } from '../../clickhouse/client.ts';
import { PipelineError } from '../../core/errors.ts';
import type { Run } from '../command.ts';
import { renderAnswer } from '../render-answers.ts';

export const run: Run = async (context, _options, [asked]) => {
  const { signal, output } = context;
  const number = Number(asked ?? NaN);
  if (asked !== undefined && !Number.isInteger(number)) {
    throw new PipelineError('USAGE', {
      what: `"${asked}" is not the number of a question`,
      todo: 'Run "npm run answers" for all of them, or "npm run answers -- 1" for one.',
    });
  }
  const clickhouse = createClickHouse(context.target());
  try {
    const answers = await runAnswers(clickhouse, {
      signal,
      ...(asked === undefined ? {} : { numbers: [number] }),
    });
    output.print(answers.map(renderAnswer).join('\n\n'));
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
