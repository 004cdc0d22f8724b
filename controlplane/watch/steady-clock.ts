/** What of a clock is kept over a restart of the process. */
export interface SavedClock {
  /** Milliseconds the clock showed. */
  steadyMs: number;
  /** Time of day at that moment. */
  wallMs: number;
}

/** A time the process did not run counts for at most this much: nobody watched what happened meanwhile. */
const longestGapMs = 60_000;

/**
 * A clock for durations: it goes on where the process before left off, and follows the machine's monotonic clock
 * from there, so that setting the time of day changes nothing.
 */
export function createSteadyClock(
  saved: SavedClock | null,
  { wall = Date.now, monotonic = () => performance.now() } = {},
): () => number {
  const gap = saved === null ? 0 : wall() - saved.wallMs;
  const offset = (saved?.steadyMs ?? 0) + Math.min(Math.max(gap, 0), longestGapMs) - monotonic();
  return () => Math.round(monotonic() + offset);
}
