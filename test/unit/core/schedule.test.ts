import { describe, expect, it } from 'vitest';
import { InterruptedError, InvalidInputError, PipelineError } from '../../../core/errors.ts';
import { parseSchedule, runSchedule } from '../../../core/schedule.ts';

const noon = Date.UTC(2099, 0, 15, 12, 0, 30);

describe('a schedule', () => {
  it.each([
    ['99 * * * *', 'Invalid value for minute: 99'],
    ['* * *', 'exactly five, six, or seven'],
    ['', 'exactly five, six, or seven'],
    ['whenever', 'exactly five, six, or seven'],
    ['0 0 30 2 *', 'never comes true'],
    ['* * * * * * 2020', 'never comes true'],
  ])('says what is wrong with "%s"', (expression, message) => {
    const error = caught(() => parseSchedule(expression));
    expect(error).toBeInstanceOf(InvalidInputError);
    expect((error as InvalidInputError).problems).toEqual([
      { path: '--schedule', message: expect.stringContaining(message) as string },
    ]);
  });

  it('runs a batch at each firing, in UTC, and says when the next one comes', async () => {
    const { firings, announced } = await follow({ expression: '0 13 * * *', batchMs: [60_000, 60_000] });
    expect(firings).toEqual(['2099-01-15T13:00:00.000Z', '2099-01-16T13:00:00.000Z']);
    expect(announced).toEqual([...firings, '2099-01-17T13:00:00.000Z']);
  });

  it('never runs two batches at once: firings during a batch are skipped and counted', async () => {
    const { firings, skipped } = await follow({ expression: '*/5 * * * *', batchMs: [17 * 60_000, 1000] });
    expect(firings).toEqual(['2099-01-15T12:05:00.000Z', '2099-01-15T12:25:00.000Z']);
    expect(skipped).toEqual([3]);
  });

  it('does not take a batch that is as long as its interval for a skipped one', async () => {
    const { firings, skipped } = await follow({ expression: '* * * * *', batchMs: [59_999, 1] });
    expect(firings).toEqual(['2099-01-15T12:01:00.000Z', '2099-01-15T12:02:00.000Z']);
    expect(skipped).toEqual([]);
  });

  it('ends by itself after its last firing', async () => {
    const { firings, error } = await follow({ expression: '0 0 13 15 1 * 2099', batchMs: [1, 1] });
    expect(firings).toEqual(['2099-01-15T13:00:00.000Z']);
    expect(error).toBeUndefined();
  });

  it('ends with what a batch throws', async () => {
    const run = runSchedule({
      schedule: parseSchedule('* * * * * *'),
      run: () => Promise.reject(new Error('a defect')),
      signal: new AbortController().signal,
      sleep: () => Promise.resolve(),
      now: steadily(),
    });
    await expect(run).rejects.toThrow('a defect');
  });

  it('goes on after a failure that somebody is told of, and ends with a defect all the same', async () => {
    const told: string[] = [];
    const outcomes = [new PipelineError('AWAY', { what: 'The server is away' }), new Error('a defect')];
    const run = runSchedule({
      schedule: parseSchedule('* * * * * *'),
      run: () => Promise.reject(outcomes.shift()!),
      signal: new AbortController().signal,
      onFailed: (message) => told.push(message),
      sleep: () => Promise.resolve(),
      now: steadily(),
    });
    await expect(run).rejects.toThrow('a defect');
    expect(told).toEqual(['The server is away']);
  });
});

/** Follows a schedule on a clock that moves only while somebody sleeps or a batch runs; then interrupts it. */
async function follow({ expression, batchMs }: { expression: string; batchMs: number[] }) {
  let time = noon;
  const firings: string[] = [];
  const announced: string[] = [];
  const skipped: number[] = [];
  const controller = new AbortController();
  const error: unknown = await runSchedule({
    schedule: parseSchedule(expression),
    signal: controller.signal,
    now: () => time,
    sleep: (ms) => {
      if (controller.signal.aborted) return Promise.reject(new InterruptedError());
      time += ms;
      return Promise.resolve();
    },
    onNext: (at) => announced.push(at.toISOString()),
    onSkipped: (count) => skipped.push(count),
    run: () => {
      firings.push(new Date(time).toISOString());
      time += batchMs[firings.length - 1] ?? 0;
      if (firings.length === batchMs.length) controller.abort();
      return Promise.resolve();
    },
  }).catch((thrown: unknown) => thrown);
  if (error !== undefined) expect(error).toBeInstanceOf(InterruptedError);
  return { firings, announced, skipped, error };
}

function steadily(): () => number {
  let time = noon;
  return () => (time += 1000);
}

function caught(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  return undefined;
}
