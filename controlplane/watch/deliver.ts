import { messageOf } from '../../core/errors.ts';
import { retry } from '../../core/retry.ts';
import type { Notice } from './notices.ts';

/** A way to people. */
export interface Channel {
  name: string;
  /** Delivers or throws; `text` is the notice for reading. Has a deadline of its own. */
  send(notice: Notice, text: string, signal: AbortSignal): Promise<void>;
  close(): void;
}

export interface Delivery {
  channel: string;
  notice: Notice;
  /** Null when it was delivered. */
  failure: string | null;
}

export interface Notifier {
  /** Returns at once; whatever becomes of it, the caller is not disturbed. */
  notify(notice: Notice): void;
  /** Waits until everything is delivered or given up, at most for so long; then no more is sent. */
  close(deadlineMs: number): Promise<void>;
}

/** Notices waiting for one channel; a channel that is down for long loses the oldest. */
const queueLimit = 100;
const retries = 3;

/** Sends notices in the background, to each channel in order and independent of the others. */
export function createNotifier(
  channels: readonly Channel[],
  onDelivery: (delivery: Delivery) => void,
  { minDelayMs = 1000 } = {},
): Notifier {
  const stopped = new AbortController();
  const queues = channels.map((channel) => {
    const waiting: Notice[] = [];
    let working = Promise.resolve();
    let isWorking = false;
    const work = async () => {
      for (let notice = waiting.shift(); notice !== undefined; notice = waiting.shift()) {
        const sent = notice;
        const failure = await retry(() => channel.send(sent, textOf(sent), stopped.signal), {
          retries,
          minDelayMs,
          signal: stopped.signal,
        }).then(() => null, messageOf);
        onDelivery({ channel: channel.name, notice: sent, failure });
      }
      isWorking = false;
    };
    return {
      push: (notice: Notice) => {
        waiting.push(notice);
        const dropped = waiting.length > queueLimit ? waiting.shift() : undefined;
        if (dropped !== undefined) {
          onDelivery({ channel: channel.name, notice: dropped, failure: 'too many alerts are waiting' });
        }
        if (isWorking) return;
        isWorking = true;
        working = work();
      },
      done: () => working,
    };
  });
  return {
    notify: (notice) => {
      for (const queue of queues) queue.push(notice);
    },
    close: async (deadlineMs) => {
      const giveUp = setTimeout(() => {
        stopped.abort();
      }, deadlineMs);
      await Promise.all(queues.map((queue) => queue.done()));
      clearTimeout(giveUp);
      for (const channel of channels) channel.close();
    },
  };
}

/** A notice for reading, the same in a mail and in a chat. */
export function textOf({ status, subject, cause, reason, action, startedAt, endedAt }: Notice): string {
  if (status === 'resolved')
    return `${subject} has recovered (${cause}, ${startedAt} to ${endedAt ?? ''}).\n`;
  return `${subject}: ${cause}, since ${startedAt}\n${reason}\n${action}\n`;
}
