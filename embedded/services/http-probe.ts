/** Longer than a garbage collection, shorter than anybody's patience. */
const probeTimeoutMs = 3000;

/** True when a GET of `url` gives 200 and, where it is asked for, a body that `expected` matches. */
export async function answers(url: string, expected = /^/): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(probeTimeoutMs) });
    const body = await response.text();
    return response.status === 200 && expected.test(body);
  } catch {
    return false;
  }
}
