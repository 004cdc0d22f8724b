import { PipelineError, isAbort, messageOf } from '../../core/errors.ts';
import { applyFleet, planFleet, type FleetOptions } from '../fleet.ts';
import { hasChanges, type Operation } from '../plan.ts';

/** How what runs differs from what is declared. */
export interface Drift {
  /** Time of day, ISO 8601 in UTC; null before the first comparison. */
  checkedAt: string | null;
  changes: readonly { name: string; operation: Operation; keys: readonly string[] }[];
  /** Why it could not be compared; null when it could. */
  error: string | null;
}

export const driftUnknown: Drift = { checkedAt: null, changes: [], error: null };

/** One connector that was put right again, or not. */
export interface Restored {
  name: string;
  operation: Operation;
  failure: string | null;
}

/** For a reconciliation: the loop must go on, so that it does not wait until everything runs. */
const restoreTimeoutMs = 5000;

/**
 * Compares what runs with what is declared, and with `reconcile` restores it. Throws only when interrupted: a
 * declaration with a mistake in it must not end the watcher.
 */
export async function checkDrift(
  options: FleetOptions,
  { reconcile }: { reconcile: boolean },
): Promise<{ drift: Drift; restored: Restored[] }> {
  const checkedAt = new Date().toISOString();
  try {
    const planned = await planFleet(options);
    const changes = planned.plan.changes
      .filter(({ operation }) => operation !== 'none')
      .map(({ name, operation, diff, state }) => ({
        name,
        operation,
        keys: [...diff.map(({ key }) => key), ...(state === null ? [] : ['state'])],
      }));
    const drift = { checkedAt, changes, error: null };
    if (!reconcile || !hasChanges(planned.plan)) return { drift, restored: [] };
    const applied = await applyFleet(options, planned, {
      pace: { startTimeoutMs: restoreTimeoutMs, settleMs: 0 },
    });
    const restored = applied.map(({ change: { name, operation }, failure }) => ({
      name,
      operation,
      failure,
    }));
    const failed = new Set(restored.filter(({ failure }) => failure !== null).map(({ name }) => name));
    return { drift: { ...drift, changes: changes.filter(({ name }) => failed.has(name)) }, restored };
  } catch (error) {
    if (isAbort(error) && options.signal?.aborted === true) throw error;
    const said = error instanceof PipelineError ? messageOf(error) : `unexpected: ${messageOf(error)}`;
    return { drift: { checkedAt, changes: [], error: said }, restored: [] };
  }
}
