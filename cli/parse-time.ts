const unitsMs = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** `90s`, `15m`, `24h` or `7d`, in milliseconds; undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)([smhd])$/.exec(text.trim());
  return match === null ? undefined : Number(match[1]) * unitsMs[match[2] as keyof typeof unitsMs];
}

/**
 * A time such as `2026-03-01T12:30:00Z`, or how long ago it was, in milliseconds; undefined for anything else. Without
 * an offset a time is in UTC, whatever the machine's zone.
 */
export function parseInstant(text: string, nowMs: number): number | undefined {
  const ago = parseDuration(text);
  if (ago !== undefined) return nowMs - ago;
  const match = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)(Z|[+-]\d{2}:\d{2})?)?$/.exec(
    text.trim(),
  );
  if (match === null) return undefined;
  const [, date = '', time = '00:00', zone = 'Z'] = match;
  const at = Date.parse(`${date}T${time}${zone}`);
  if (Number.isNaN(at)) return undefined;
  // JavaScript takes 30 February for 2 March.
  return new Date(Date.parse(`${date}T00:00Z`)).toISOString().startsWith(date) ? at : undefined;
}

/** `45 s`, `12 min`, `3.4 h`, `5 d`. */
export function formatAge(ms: number): string {
  const seconds = ms / 1000;
  if (seconds < 100) return `${Math.round(seconds)} s`;
  if (seconds < 6000) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${(seconds / 3600).toFixed(1)} h` : `${Math.round(seconds / 86_400)} d`;
}
