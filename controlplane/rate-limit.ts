/** What a server's answers say of how often it may be asked; shared by all requests of one client. */
export interface RateLimit {
  note(status: number, headers: Readonly<Record<string, unknown>>): void;
  /** How long the next request has to wait. */
  pauseMs(): number;
}

/**
 * Reads `Retry-After` of a 429, and the `X-RateLimit-*` headers of any answer, whose reset is in seconds from now
 * with Confluent, unlike GitHub's.
 *
 * @param now milliseconds of a clock that does not jump
 */
export function createRateLimit(now: () => number = () => performance.now()): RateLimit {
  let notBefore = 0;
  return {
    note(status, headers) {
      const resetMs = secondsOf(headers['x-ratelimit-reset']) * 1000;
      if (status === 429) notBefore = now() + (retryAfterMs(headers['retry-after']) ?? resetMs);
      else if (headers['x-ratelimit-remaining'] === '0') notBefore = now() + resetMs;
    },
    pauseMs: () => Math.max(0, notBefore - now()),
  };
}

function secondsOf(header: unknown): number {
  const seconds = Number(header ?? NaN);
  return Number.isFinite(seconds) && seconds > 0 ? seconds : 0;
}

/** Seconds, or a date (RFC 9110, 10.2.3); undefined where there is none. */
function retryAfterMs(header: unknown): number | undefined {
  if (typeof header !== 'string' || header.trim() === '') return undefined;
  const seconds = Number(header);
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1000);
  const at = Date.parse(header);
  return Number.isNaN(at) ? undefined : Math.max(0, at - Date.now());
}
