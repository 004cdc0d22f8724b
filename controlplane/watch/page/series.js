/** From the watcher's snapshots to what charts draw. Pure: no document, no clock. */

/** How much of the past the page keeps, that of watchers before included. */
const keptMs = 3_700_000;
/** A rate is the difference of two points this far apart at least, so that one batch is no peak. */
const rateSpanMs = 9000;
/** Between two points further apart than this nobody looked: the line is broken there. */
export const gapMs = 35_000;

/**
 * What is known after one more answer. The watcher sends only what is newer than `since`; what the page has from
 * before stays, also when the watcher was restarted and has forgotten it.
 */
export function merge(known, snapshot, since) {
  const atMs = Date.parse(snapshot.at);
  // A clock that was set back: what lies in the future now was another time.
  const isKept = (ms) => ms <= since && ms <= atMs && ms > atMs - keptMs;
  return {
    snapshot,
    atMs,
    points: [...(known?.points ?? []).filter((point) => isKept(point.atMs)), ...snapshot.history],
    journal: [
      ...(known?.journal ?? []).filter(({ at }) => isKept(Date.parse(at))),
      ...snapshot.journal,
    ].slice(-300),
  };
}

/** Where the next question begins. */
export function sinceOf(known) {
  return known?.points.at(-1)?.atMs ?? 0;
}

/** The history with the present as its last point. */
export function pointsOf({ points, snapshot, atMs }) {
  const topics = {};
  const landed = new Map(snapshot.freshness.map((entry) => [entry.topic, entry]));
  for (const { partitions } of snapshot.connectors) {
    for (const { topic, end, lag } of partitions) {
      const own = landed.get(topic);
      topics[topic] ??= { produced: 0, lag: 0, freshnessMs: own?.ageMs ?? null, landed: own?.rows ?? null };
      topics[topic].produced += end;
      topics[topic].lag += lag;
    }
  }
  const verdicts = Object.fromEntries(snapshot.connectors.map(({ name, verdict }) => [name, verdict]));
  const present = { atMs, topics: snapshot.servers.kafka.isUp ? topics : {}, verdicts };
  const last = points.at(-1);
  return last !== undefined && last.atMs >= atMs ? points : [...points, present];
}

/** `[[atMs, value or null], ...]` of the sum over topics of a field. */
export function sums(points, topics, field) {
  return points.map((point) => {
    let sum = null;
    for (const topic of topics) {
      const value = point.topics[topic]?.[field];
      if (value !== null && value !== undefined) sum = (sum ?? 0) + value;
    }
    return [point.atMs, sum];
  });
}

/** The smallest over the topics: how long ago anything landed. */
export function smallest(points, topics, field) {
  return points.map((point) => {
    const values = topics
      .map((topic) => point.topics[topic]?.[field])
      .filter((value) => typeof value === 'number');
    return [point.atMs, values.length === 0 ? null : Math.min(...values)];
  });
}

/** Growth per second of a counter. A counter that fell is another counter, and says nothing. */
export function rates(counter) {
  let from = 0;
  return counter.map(([at, value], index) => {
    while (from < index && at - counter[from + 1][0] >= rateSpanMs) from += 1;
    const [fromAt, fromValue] = counter[from];
    const span = at - fromAt;
    if (value === null || fromValue === null || span < rateSpanMs || span > gapMs) return [at, null];
    return [at, value < fromValue ? null : ((value - fromValue) * 1000) / span];
  });
}

/** Consecutive points of one verdict as `{from, to, verdict}`; null where nobody looked. */
export function stretches(points, name) {
  const found = [];
  let before;
  for (const { atMs, verdicts } of points) {
    const verdict = Object.hasOwn(verdicts, name) ? verdicts[name] : null;
    const last = found.at(-1);
    const isGap = before === undefined || atMs - before > gapMs;
    // A point tells of the time since the one before.
    if (!isGap && last?.verdict === verdict) last.to = atMs;
    else if (isGap) found.push({ from: atMs - 2000, to: atMs, verdict });
    else found.push({ from: before, to: atMs, verdict });
    before = atMs;
  }
  return found.filter(({ verdict }) => verdict !== null);
}

/** The last known value, its time, and the highest within the window. */
export function summary(series, fromMs) {
  let peak = null;
  for (const [at, value] of series)
    if (value !== null && at >= fromMs && (peak === null || value > peak)) peak = value;
  return { now: series.at(-1)?.[1] ?? null, peak };
}

/** The value at a time: of the nearest point, if it is near. */
export function valueAt(series, atMs) {
  let best = null;
  for (const point of series) {
    if (best === null || Math.abs(point[0] - atMs) < Math.abs(best[0] - atMs)) best = point;
  }
  return best !== null && Math.abs(best[0] - atMs) < gapMs ? best[1] : null;
}

/** Names of the connectors that are in trouble, or were within the last minute: one that comes and goes stays in. */
export function troubled(points, connectors) {
  const now = points.at(-1)?.atMs ?? 0;
  const recent = points.filter(({ atMs }) => atMs > now - 60_000);
  const isTrouble = (verdict) => verdict !== undefined && ['warn', 'bad'].includes(toneOf(verdict));
  return new Set(
    connectors
      .filter(
        ({ name, verdict }) => isTrouble(verdict) || recent.some(({ verdicts }) => isTrouble(verdicts[name])),
      )
      .map(({ name }) => name),
  );
}

/** Unhealthy, around a change, or sound: what colours and words depend on. */
export function toneOf(verdict) {
  if (verdict === 'healthy') return 'ok';
  if (verdict === 'starting' || verdict === 'paused' || verdict === 'stopped') return 'quiet';
  return verdict === 'dead-letters' || verdict === 'degraded' || verdict === 'stalled' ? 'warn' : 'bad';
}
