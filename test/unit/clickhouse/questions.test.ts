import { describe, expect, it } from 'vitest';
import { loadQuestions, parseQuestion, periodOf } from '../../../clickhouse/questions.ts';
import { InvalidInputError } from '../../../core/errors.ts';

const file = `-- 7. How much is outstanding?
-- period: 30 days, ending 14 days ago
-- bar: total
--
-- outstanding: total - paid,
-- on open invoices.
SELECT 1 AS total
`;

describe('parseQuestion', () => {
  it('reads number, question, period, bar and definition from the comment', () => {
    expect(parseQuestion(file, 'x.sql')).toEqual({
      number: 7,
      question: 'How much is outstanding?',
      definition: 'outstanding: total - paid,\non open invoices.',
      period: { days: 30, endingDaysAgo: 14 },
      bar: 'total',
      sql: file,
    });
  });

  it('names everything that is wrong with the comment', () => {
    try {
      parseQuestion('-- How much?\n-- period: a month\n--\nSELECT 1\n', 'x.sql');
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(InvalidInputError);
      expect((error as InvalidInputError).problems.map(({ path }) => path)).toEqual(['title', 'period']);
    }
  });
});

describe('a question on all history', () => {
  it('begins with the epoch, and may draw a line', () => {
    const text = '-- 26. What is the MRR?\n-- period: all\n-- spark: mrr_minor\n--\n-- MRR.\nSELECT 1\n';
    expect(parseQuestion(text, 'x.sql')).toMatchObject({ period: 'all', spark: 'mrr_minor' });
    const to = new Date('2025-03-15T10:30:00.123Z');
    expect(periodOf('all', to)).toEqual({ from: new Date(0), to });
  });
});

describe('periodOf', () => {
  const asOf = new Date('2025-03-15T10:30:00.123Z');

  it('takes whole days, the last one as far as it went', () => {
    const { from, to } = periodOf({ days: 14, endingDaysAgo: 0 }, asOf);
    expect([from.toISOString(), to]).toEqual(['2025-03-02T00:00:00.000Z', asOf]);
  });

  it('ends with a whole day when it ends earlier', () => {
    const { from, to } = periodOf({ days: 30, endingDaysAgo: 14 }, asOf);
    expect([from.toISOString(), to.toISOString()]).toEqual([
      '2025-01-30T00:00:00.000Z',
      '2025-02-28T23:59:59.999Z',
    ]);
  });
});

describe('the questions of the project', () => {
  it('are those of the catalog that have their events, each with a definition', () => {
    const questions = loadQuestions();
    const catalog = [...Array.from({ length: 34 }, (_, index) => index + 1), 37, 39];
    expect(questions.map(({ number }) => number)).toEqual(catalog);
    for (const { definition } of questions) expect(definition).not.toBe('');
  });
});
