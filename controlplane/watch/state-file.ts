import { mkdirSync, readFileSync, renameSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { codeOf } from '../../core/errors.ts';
import { replaceFile } from '../../core/replace-file.ts';
import { causeClasses } from '../trace-causes.ts';
import { initialPolicyState } from './restart-policy.ts';

const time = z.number();
const recordSchema = z.object({
  restarts: z.array(time),
  dueAt: time.nullable(),
  runningSince: time.nullable(),
});
const policySchema = z.object({
  clockMs: time,
  seenAt: time.nullable(),
  fleetRestarts: z.array(time),
  waitsForClickHouse: z.boolean(),
  units: z.record(z.string(), recordSchema),
});
const memorySchema = z.object({
  partitions: z.record(z.string(), z.object({ committed: z.number(), waitingSince: time.nullable() })),
  deadLetters: z.array(z.object({ at: time, written: z.number() })),
  unsettledSince: time.nullable(),
});
const incidentSchema = z.object({
  subject: z.string(),
  cause: z.enum(causeClasses),
  reason: z.string(),
  action: z.string(),
  openedAt: time,
  seenAt: time,
  startedMs: time,
  lastSeenMs: time,
  isTold: z.boolean(),
});

const stateSchema = z.object({
  version: z.literal(1),
  clock: z.object({ steadyMs: time, wallMs: time }).nullable(),
  policy: policySchema,
  memories: z.record(z.string(), memorySchema),
  /** Connectors that are unhealthy, or have been until a moment ago. */
  recovering: z.record(z.string(), z.object({ since: time, healthySince: time.nullable() })),
  incidents: z.record(z.string(), incidentSchema),
});

/** All the watcher remembers beyond its process. Its times are those of the steady clock. Holds no secret. */
export type WatchState = z.infer<typeof stateSchema>;

export const initialWatchState: WatchState = {
  version: 1,
  clock: null,
  policy: initialPolicyState,
  memories: {},
  recovering: {},
  incidents: {},
};

/**
 * Reads the state of the watcher before. A file that cannot be understood is set aside under a name of its own and
 * reported; the watcher starts with an empty memory, which costs nothing but what it knew of the last hour.
 */
export function loadState(file: string, onCorrupt: (setAside: string) => void): WatchState {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return initialWatchState;
    throw error;
  }
  const parsed = stateSchema.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  const setAside = `${file}.corrupt`;
  renameSync(file, setAside);
  onCorrupt(setAside);
  return initialWatchState;
}

export function saveState(file: string, state: WatchState): void {
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  replaceFile(file, JSON.stringify(state));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
