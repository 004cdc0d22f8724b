import { isUnhealthy } from '../health.ts';
import type { WatchedConnector } from './assess-fleet.ts';

/** A connector that is unhealthy, or has been until a moment ago. Times are those of the steady clock. */
interface Recovering {
  since: number;
  /** Null while it is unhealthy. */
  healthySince: number | null;
}

/**
 * Measures how long connectors take to recover: from the first look that found one unhealthy to the first of those
 * that then found it healthy for `settleMs`. One that runs for a second between two failures has not recovered.
 */
export function trackRecoveries(
  before: Readonly<Record<string, Recovering>>,
  connectors: readonly Pick<WatchedConnector, 'name' | 'verdict'>[],
  at: number,
  settleMs: number,
): { recovering: Record<string, Recovering>; recovered: { name: string; afterMs: number }[] } {
  const recovering: Record<string, Recovering> = {};
  const recovered: { name: string; afterMs: number }[] = [];
  for (const { name, verdict } of connectors) {
    const known = before[name];
    if (isUnhealthy(verdict)) recovering[name] = { since: known?.since ?? at, healthySince: null };
    if (known === undefined || isUnhealthy(verdict)) continue;
    if (verdict === 'starting') recovering[name] = { ...known, healthySince: null };
    // Paused or stopped: somebody has taken it into their own hands.
    if (verdict !== 'healthy') continue;
    const healthySince = known.healthySince ?? at;
    if (at - healthySince < settleMs) recovering[name] = { ...known, healthySince };
    else recovered.push({ name, afterMs: healthySince - known.since });
  }
  return { recovering, recovered };
}
