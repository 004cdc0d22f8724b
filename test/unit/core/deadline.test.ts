import { getEventListeners } from 'node:events';
import { expect, test } from 'vitest';
import { withDeadline } from '../../../core/deadline.ts';

const limits = (signal = new AbortController().signal, deadlineMs = 60_000) => ({
  what: 'It',
  deadlineMs,
  signal,
});
const deaf = () => new Promise<never>(() => undefined);

test('what is done in time is returned, and what it throws is thrown', async () => {
  expect(await withDeadline(limits(), () => Promise.resolve(7))).toBe(7);
  await expect(withDeadline(limits(), () => Promise.reject(new Error('no')))).rejects.toThrow('no');
});

test('work that does not heed its signal is waited for no longer than the deadline', async () => {
  const working = withDeadline(limits(undefined, 20), deaf);
  await expect(working).rejects.toMatchObject({
    code: 'TIMED_OUT',
    message: 'It did not answer within 0.02 s',
  });
});

test('the deadline aborts the work', async () => {
  let reason: unknown;
  const working = withDeadline(
    limits(undefined, 20),
    (signal) =>
      new Promise((resolve) => {
        signal.addEventListener('abort', () => {
          reason = signal.reason;
          resolve(undefined);
        });
      }),
  );
  await expect(working).rejects.toMatchObject({ code: 'TIMED_OUT' });
  expect(reason).toMatchObject({ code: 'TIMED_OUT' });
});

test('an interruption ends it, before and meanwhile', async () => {
  const controller = new AbortController();
  const working = withDeadline(limits(controller.signal), deaf);
  controller.abort();
  await expect(working).rejects.toMatchObject({ code: 'INTERRUPTED' });
  await expect(withDeadline(limits(controller.signal), deaf)).rejects.toMatchObject({ code: 'INTERRUPTED' });
});

test('nothing is left on a signal that lives on', async () => {
  const { signal } = new AbortController();
  for (let call = 0; call < 20; call += 1) {
    await withDeadline(limits(signal), () => Promise.resolve());
    await withDeadline(limits(signal, 1), deaf).catch(() => undefined);
  }
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});
