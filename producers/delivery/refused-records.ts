import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { PipelineError, codeOf } from '../../core/errors.ts';
import type { RoutedMessage } from './lane.ts';
import { eventIdOf } from './wire-format.ts';

/** A record that was not sent because it is larger than its topic allows. */
export interface RefusedRecord {
  topic: string;
  eventId: string;
  /** Size of its key and value, and what the topic takes. */
  bytes: number;
  maxBytes: number;
  /** Holds the value as it would have been sent. */
  file: string;
}

/**
 * Keeps a record that cannot be sent in a file named by its event id, so that nothing is lost and keeping it again
 * changes nothing.
 *
 * @throws PipelineError `RECORD_TOO_LARGE` without a folder, `STATE_NOT_WRITABLE` when the file cannot be written
 */
export function keepRefused(
  folder: string | undefined,
  topic: string,
  { key, value }: RoutedMessage,
  maxBytes: number,
): RefusedRecord {
  const eventId = eventIdOf(value) ?? 'unknown';
  const bytes = key.length + value.length;
  if (folder === undefined) {
    throw new PipelineError('RECORD_TOO_LARGE', {
      what: `The record ${eventId} of ${topic} has ${bytes} bytes, the topic takes ${maxBytes}`,
      todo: 'Raise max.message.bytes of the topic, or make the record smaller.',
    });
  }
  const file = path.join(folder, topic, `${eventId}.avro`);
  try {
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    writeFileSync(file, value, { mode: 0o600 });
  } catch (error) {
    throw new PipelineError('STATE_NOT_WRITABLE', {
      what: `A record that is too large for ${topic} cannot be kept (${codeOf(error) ?? 'unknown reason'})`,
      where: file,
      todo: 'Make room or correct the permissions, or point PIPELINE_HOME elsewhere.',
      cause: error,
    });
  }
  return { topic, eventId, bytes, maxBytes, file };
}
