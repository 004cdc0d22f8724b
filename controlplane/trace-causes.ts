import { tracePatterns } from './trace-patterns.ts';

/** Why a connector is unhealthy, in classes that differ in what has to be done about them. */
export const causeClasses = [
  'transient',
  'capacity',
  'authentication',
  'configuration',
  'schema-mismatch',
  'poison-record',
  'unknown',
] as const;
export type CauseClass = (typeof causeClasses)[number];

/** What a person does about each class; docs/runbook.md says it at length. */
export const nextActions: Readonly<Record<CauseClass, string>> = {
  transient:
    'Check that ClickHouse, the brokers and the registry answer; the failed tasks then need a restart.',
  capacity: 'Give ClickHouse room (parts, memory, disk) before a restart; a restart alone makes it worse.',
  authentication: "Correct the credentials in the target's settings, then run connectors:apply.",
  configuration: 'Correct the declaration or the setting it names, then run connectors:apply.',
  'schema-mismatch':
    'Bring table and schema together (npm run clickhouse:migrate), then restart; before, it does not help.',
  'poison-record':
    'Look at the record named in the trace; with errors.tolerance=all it goes to the dead letter topic (npm run dlq).',
  unknown: "Read the worker's log (npm run logs -- connect).",
};

export interface TraceSummary {
  cause: CauseClass;
  /** The line of the trace that says why. */
  headline: string;
  /** Of the pattern that recognised it; null where none did. */
  pattern: string | null;
}

/**
 * Reads a Java stack trace as Kafka Connect reports it. Connect and the sink wrap what happened several times
 * ("Exiting WorkerSinkTask due to unrecoverable exception", "Number of records: 20000"), so the headline is the first
 * message the class was recognised by, which often names the record or the table, and the innermost cause where none
 * was.
 */
export function summarizeTrace(trace: string): TraceSummary {
  const messages = messagesOf(trace);
  const innermost = messages.at(-1) ?? '';
  const match = tracePatterns.find(({ pattern }) => messages.some((message) => pattern.test(message)));
  if (match === undefined) return { cause: 'unknown', headline: innermost, pattern: null };
  const { id, cause, pattern } = match;
  const recognised = messages.find((message) => pattern.test(message)) ?? innermost;
  const isWrapper = recognised.endsWith('Tolerance exceeded in error handler');
  return { cause, headline: isWrapper ? innermost : recognised, pattern: id };
}

const causedBy = 'Caused by: ';
const wrapper = /^java\.util\.concurrent\.ExecutionException: (?=[\w.]+: )/;
const startsMessage = /^(?:[\w$]+\.)+[\w$]+(?::|$)/;

/** The message of each cause, outermost first; one that goes over several lines is joined to one. */
function messagesOf(trace: string): string[] {
  const messages: string[] = [];
  for (const line of trace.split('\n')) {
    const text = line.trim();
    if (text === '' || /^\s+at |^\s*\.\.\. \d+ (?:more|common frames)/.test(line)) continue;
    if (text.startsWith(causedBy)) messages.push(text.slice(causedBy.length).replace(wrapper, ''));
    else if (messages.length === 0 || startsMessage.test(text)) messages.push(text);
    else messages.push(`${messages.pop() ?? ''} ${text}`);
  }
  return messages;
}
