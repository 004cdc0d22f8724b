import type { IHeaders, KafkaMessage } from 'kafkajs';
import type { Target } from '../../targets/load-target.ts';
import { readTopics, type ReadTopicsOptions } from '../../targets/read-topics.ts';
import { sourceOf, type SourceRecord } from '../dead-letters.ts';
import type { TopicOffsets } from '../topic-offsets.ts';
import { summarizeTrace, type CauseClass } from '../trace-causes.ts';

/** Headers that a replayed record carries: which dead letter it was, and for the how-manieth time. */
export const originHeader = 'dlq.origin';
export const attemptHeader = 'dlq.attempt';
const connectPrefix = '__connect.errors.';

/** A record of a dead letter topic. */
export interface DeadLetter {
  /** Its own coordinates, as in `billing.core.dlq/0/12`: the name it goes by. */
  id: string;
  topic: string;
  partition: number;
  offset: number;
  /** Time of day of the record, milliseconds. Connect keeps that of the source record. */
  atMs: number;
  /** Where it came from; undefined for a record without Connect's context headers. */
  source: SourceRecord | undefined;
  cause: CauseClass;
  /** The line of the trace that says why. May quote a server: mask it before it is shown. */
  headline: string;
  /** Class of the exception, without its package; empty where no header tells. */
  exception: string;
  /** Such as `VALUE_CONVERTER` or `TASK_PUT`. */
  stage: string;
  connector: string;
  /** How often it has come back from a replay. */
  attempts: number;
  message: KafkaMessage;
}

/** Which dead letters are meant; what is left out does not matter. */
export interface LetterFilter {
  cause?: CauseClass;
  /** Of the record that failed, as `reconcile` names it. */
  topic?: string;
  partition?: number;
  offset?: number;
}

/** Reads what the broker holds of dead letter topics, in the order of partition and offset. */
export async function readLetters(
  target: Target,
  topics: readonly TopicOffsets[],
  options: ReadTopicsOptions,
): Promise<DeadLetter[]> {
  const letters = new Map<string, DeadLetter>();
  const ends = new Map(
    topics.flatMap(({ topic, partitions }) =>
      partitions.map(({ partition, high }) => [`${topic}/${partition}`, high] as const),
    ),
  );
  await readTopics(
    target,
    topics,
    (topic, partition, message) => {
      // Records beyond what was asked for would be there in one run and not in the next.
      if (Number(message.offset) >= (ends.get(`${topic}/${partition}`) ?? 0)) return;
      const letter = toLetter(topic, partition, message);
      letters.set(letter.id, letter);
    },
    options,
  );
  return [...letters.values()].sort(
    (a, b) => a.topic.localeCompare(b.topic) || a.partition - b.partition || a.offset - b.offset,
  );
}

export function toLetter(topic: string, partition: number, message: KafkaMessage): DeadLetter {
  const text = (name: string) => headerText(message.headers, connectPrefix + name) ?? '';
  const exception = text('exception.class.name');
  const said = text('exception.message');
  const told = summarizeTrace(text('exception.stacktrace') || `${exception}: ${said}`);
  const stage = text('stage');
  // Whatever a converter or a transform throws, it is this record that it could not read.
  const isRecords = told.cause === 'unknown' && /CONVERTER$|^TRANSFORMATION$/.test(stage);
  return {
    id: `${topic}/${partition}/${message.offset}`,
    topic,
    partition,
    offset: Number(message.offset),
    atMs: Number(message.timestamp),
    source: sourceOf(message),
    cause: isRecords ? 'poison-record' : told.cause,
    headline: told.headline.replace(/^(?:[\w$]+\.)+(?=[\w$]+)/, '').replace(/^: $/, ''),
    exception: exception.split('.').at(-1) ?? '',
    stage,
    connector: text('connector.name'),
    attempts: Number(headerText(message.headers, attemptHeader) ?? 0) || 0,
    message,
  };
}

export function matches({ cause, source }: DeadLetter, filter: LetterFilter): boolean {
  return (
    (filter.cause === undefined || filter.cause === cause) &&
    (filter.topic === undefined || filter.topic === source?.topic) &&
    (filter.partition === undefined || filter.partition === source?.partition) &&
    (filter.offset === undefined || filter.offset === source?.offset)
  );
}

/** The headers of the record as it was, and which dead letter it is sent for. */
export function headersForReplay({ id, attempts, message }: DeadLetter): IHeaders {
  const own = Object.entries(message.headers ?? {}).filter(([name]) => !name.startsWith(connectPrefix));
  return { ...Object.fromEntries(own), [originHeader]: id, [attemptHeader]: String(attempts + 1) };
}

/** The first value of a header as text; Kafka allows several. */
export function headerText(headers: IHeaders | undefined, name: string): string | undefined {
  const value = headers?.[name];
  return (Array.isArray(value) ? value[0] : value)?.toString();
}
