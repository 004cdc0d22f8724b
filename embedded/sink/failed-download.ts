import { rmSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { readJson } from '../../core/parse.ts';

/** How long a failed download is not tried again: an offline start must not wait for the network each time. */
const quietMs = 6 * 3_600_000;

const failureSchema = z.strictObject({ url: z.string(), at: z.iso.datetime(), reason: z.string() });
export type FailedDownload = z.infer<typeof failureSchema>;

/** The remembered failure of a download from `url` that is recent enough to save trying again. */
export function recentFailure(file: string, url: string, now = new Date()): FailedDownload | undefined {
  let remembered: unknown;
  try {
    remembered = readJson(file, 'The remembered download');
  } catch {
    return undefined;
  }
  const parsed = failureSchema.safeParse(remembered);
  if (!parsed.success || parsed.data.url !== url) return undefined;
  const ageMs = now.getTime() - Date.parse(parsed.data.at);
  // A negative age: the clock was set back, so the entry tells nothing.
  return ageMs >= 0 && ageMs < quietMs ? parsed.data : undefined;
}

export function rememberFailure(file: string, url: string, reason: string, now = new Date()): void {
  const failure: FailedDownload = { url, at: now.toISOString(), reason };
  writeFileSync(file, `${JSON.stringify(failure, null, 2)}\n`);
}

export function forgetFailure(file: string): void {
  rmSync(file, { force: true });
}
