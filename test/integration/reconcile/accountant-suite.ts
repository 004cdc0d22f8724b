import { expect, it, onTestFinished } from 'vitest';
import { createAccountant } from '../../../controlplane/watch/accounting.ts';
import { waitFor } from '../../../core/wait.ts';
import type { Streams } from './streams.ts';

/** What the watcher keeps account of, beside its looks. */
export function accountantSuite(get: () => Streams): void {
  const timeoutMs = 30_000;
  const { signal } = new AbortController();

  it('tells what was passed over from what is on its way, again and again, without being waited for', async () => {
    const { newTopic, produce, land, deadLetter } = get();
    const { topic, dlq, options } = await newTopic();
    await produce(topic, 0, 20);
    await land(topic, 0, [0, 1, 5, 6]);
    await deadLetter(dlq, topic, 0, 2);
    const accountant = createAccountant({ ...options, intervalMs: 1000 });
    onTestFinished(() => accountant.close());
    expect(accountant.accounts()).toEqual({ at: null, error: null, topics: [] });
    accountant.keepUp(0, signal);
    expect(accountant.accounts().at).toBeNull();
    const first = await waitFor(() => accountant.accounts().at ?? undefined, {
      what: 'an account',
      timeoutMs,
    });
    const none = { empty: 0, tombstones: 0, expired: 0, redelivered: 0 };
    const account = { topic, produced: 20, landed: 4, deadLetters: 1, missing: 2, pending: 13, ...none };
    expect(accountant.accounts()).toMatchObject({ error: null, topics: [account] });

    await land(topic, 0, [3, 4, 7, 7]);
    // It is not due yet.
    accountant.keepUp(999, signal);
    expect(accountant.accounts().at).toBe(first);
    await waitFor(
      () => {
        accountant.keepUp(1000, signal);
        return accountant.accounts().at !== first;
      },
      { what: 'another account', timeoutMs },
    );
    expect(accountant.accounts().topics).toEqual([
      { ...account, landed: 7, missing: 0, pending: 12, redelivered: 1 },
    ]);
  });

  it('keeps what it knew, and says why, while a server is away', async () => {
    const { newTopic, produce } = get();
    const { topic, options } = await newTopic();
    await produce(topic, 0, 1);
    const clickhouse = { ...options.target.clickhouse, url: 'http://127.0.0.1:1' };
    const accountant = createAccountant({
      ...options,
      target: { ...options.target, clickhouse },
      intervalMs: 1000,
    });
    onTestFinished(() => accountant.close());
    accountant.keepUp(0, signal);
    await waitFor(() => accountant.accounts().error ?? undefined, { what: 'the reason', timeoutMs });
    expect(accountant.accounts()).toMatchObject({ at: null, topics: [] });
    expect(accountant.accounts().error).toContain('ClickHouse does not answer');
  });
}
