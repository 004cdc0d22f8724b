import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { describeError } from '../../../cli/report-error.ts';
import { InterruptedError, InvalidInputError, PipelineError } from '../../../core/errors.ts';

describe('describeError', () => {
  const describePlain = (error: unknown) => stripVTControlCharacters(describeError(error));

  it('says what failed, where and what to do in three lines', () => {
    const error = new PipelineError('KAFKA_UNREACHABLE', {
      what: 'Kafka does not answer',
      where: '127.0.0.1:9092',
      todo: 'Start it with "npm run up".',
    });
    expect(describePlain(error)).toBe(
      'error Kafka does not answer\n  at 127.0.0.1:9092\n  Start it with "npm run up".',
    );
  });

  it('leaves out what it does not know', () => {
    expect(describePlain(new PipelineError('X', { what: 'It failed' }))).toBe('error It failed');
  });

  it('lists every problem of an invalid input', () => {
    const error = new InvalidInputError({
      what: 'The catalog is not valid',
      where: 'topics.yaml',
      problems: [
        { path: 'topics[0].key', message: 'expected string' },
        { path: 'topics[1].color', message: 'unknown key' },
      ],
    });
    expect(describePlain(error).split('\n')).toEqual([
      'error The catalog is not valid',
      '  at topics.yaml',
      '  - topics[0].key: expected string',
      '  - topics[1].color: unknown key',
      '  Correct the lines above and run the command again.',
    ]);
  });

  it('tells a defect of ours from a mistake of the user, and shows no stack', () => {
    const text = describePlain(new TypeError('x is undefined'));
    expect(text).toContain('Unexpected: x is undefined');
    expect(text).toContain('--verbose');
    expect(text).not.toContain('    at ');
  });

  it('calls an interruption by its name', () => {
    expect(describePlain(new InterruptedError())).toBe('stopped Interrupted');
  });
});
