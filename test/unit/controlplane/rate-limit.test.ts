import { expect, test } from 'vitest';
import { createRateLimit } from '../../../controlplane/rate-limit.ts';

function limitAt(start = 1000) {
  let now = start;
  const limit = createRateLimit(() => now);
  return { limit, pass: (ms: number) => (now += ms) };
}

test('Retry-After of a 429 holds back every request until then', () => {
  const { limit, pass } = limitAt();
  limit.note(429, { 'retry-after': '3' });
  expect(limit.pauseMs()).toBe(3000);
  pass(2000);
  expect(limit.pauseMs()).toBe(1000);
  pass(2000);
  expect(limit.pauseMs()).toBe(0);
});

test('Retry-After may be a date', () => {
  const { limit } = limitAt();
  limit.note(429, { 'retry-after': new Date(Date.now() + 20_000).toUTCString() });
  expect(limit.pauseMs()).toBeGreaterThan(15_000);
  expect(limit.pauseMs()).toBeLessThanOrEqual(20_000);
});

test('the reset counts where a 429 has no Retry-After, and once nothing remains', () => {
  const { limit } = limitAt();
  limit.note(429, { 'x-ratelimit-reset': '7' });
  expect(limit.pauseMs()).toBe(7000);
  const { limit: other } = limitAt();
  other.note(200, { 'x-ratelimit-remaining': '1', 'x-ratelimit-reset': '7' });
  expect(other.pauseMs()).toBe(0);
  other.note(200, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '7' });
  expect(other.pauseMs()).toBe(7000);
});

test('what makes no sense holds nothing back', () => {
  for (const header of ['', 'soon', '-5', undefined]) {
    const { limit } = limitAt();
    limit.note(429, { 'retry-after': header, 'x-ratelimit-reset': header });
    expect(limit.pauseMs()).toBe(0);
  }
});
