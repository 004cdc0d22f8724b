import { describe, expect, it } from 'vitest';
import { InterruptedError } from '../../../core/errors.ts';
import { pace } from '../../../producers/runs/live/pace.ts';

/** A clock that moves only while somebody sleeps, or works. */
function fakeTime() {
  const time = { ms: 0 };
  return {
    time,
    nowMs: () => time.ms,
    sleep: (ms: number, signal?: AbortSignal) => {
      if (signal?.aborted === true) return Promise.reject(new InterruptedError());
      time.ms += ms;
      return Promise.resolve();
    },
  };
}

describe('pace', () => {
  it.each([
    [1, 10_000],
    [0.5, 10_000],
    [333, 3000],
    [1000, 2500],
    [50_000, 1000],
  ])('yields %d events per second over %d ms, spread evenly', async (rate, durationMs) => {
    const { time, nowMs, sleep } = fakeTime();
    let events = 0;
    for await (const due of pace({ rate, durationMs, nowMs, sleep })) {
      events += due;
      expect(Math.abs(events - (rate * time.ms) / 1000)).toBeLessThanOrEqual(Math.max(1, rate * 0.051));
    }
    expect(events).toBe(Math.round((rate * durationMs) / 1000));
    expect(time.ms).toBeCloseTo(durationMs, -1);
  });

  it('makes up for a hiccup', async () => {
    const { time, nowMs, sleep } = fakeTime();
    let events = 0;
    for await (const due of pace({ rate: 100, durationMs: 5000, nowMs, sleep })) {
      if (events < 100 && events + due >= 100) time.ms += 800;
      events += due;
    }
    expect(events).toBe(500);
  });

  it('ends soon after its time when the events take longer than they should', async () => {
    const { time, nowMs, sleep } = fakeTime();
    let events = 0;
    for await (const due of pace({ rate: 1000, durationMs: 10_000, nowMs, sleep })) {
      time.ms += due * 4;
      events += due;
    }
    expect(events).toBeLessThan(3300);
    expect(time.ms).toBeLessThan(13_000);
  });

  it('stops at once when it is interrupted', async () => {
    const { nowMs, sleep } = fakeTime();
    const controller = new AbortController();
    const consume = async () => {
      for await (const due of pace({
        rate: 10,
        durationMs: 60_000,
        nowMs,
        sleep,
        signal: controller.signal,
      })) {
        if (due > 0) controller.abort();
      }
    };
    await expect(consume()).rejects.toThrow(InterruptedError);
  });
});
