import { expect, test } from 'vitest';
import { Slots } from '../../../embedded/clickhouse/slots.ts';

const never = new AbortController().signal;

test('slots are given in the order they were asked for', async () => {
  const slots = new Slots(1);
  const order: number[] = [];
  const release = await slots.acquire(never);
  const waiting = [1, 2, 3].map(async (number) => {
    const free = await slots.acquire(never);
    order.push(number);
    free();
  });
  release();
  await Promise.all(waiting);
  expect(order).toEqual([1, 2, 3]);
});

test('who stops waiting takes no slot, and one given back twice counts once', async () => {
  const slots = new Slots(1);
  const release = await slots.acquire(never);
  const impatient = new AbortController();
  const refused = slots.acquire(impatient.signal);
  impatient.abort();
  await expect(refused).rejects.toMatchObject({ code: 'INTERRUPTED' });
  release();
  release();
  await slots.acquire(never);
  let second = false;
  const waiting = slots.acquire(never).then((free) => {
    second = true;
    return free;
  });
  await Promise.resolve();
  expect(second).toBe(false);
  void waiting;
});
