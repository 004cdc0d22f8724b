/** What stands for a secret value wherever a person, a log or a file could see it. */
export const secretMark = '(secret)';

/**
 * Keys of Kafka Connect, its converters and clients that hold credentials. A value under such a key is masked
 * even where nobody marked it, because a live connector may have been written by somebody else.
 */
const secretKeyPattern = /password|passphrase|secret|token|credential|jaas\.config|user\.info|private\.?key/i;

export function isSecretKey(key: string): boolean {
  return secretKeyPattern.test(key);
}

/** Replaces every secret it knows in a text that came from a server. */
export type Mask = (text: string) => string;

/**
 * Servers repeat what they were sent: a validation error quotes the value, a trace the connection URL. The mask
 * covers the forms such a value takes there: as it is, in a JSON string, in a URL.
 */
export function createMask(secrets: Iterable<string>): Mask {
  const forms = new Set<string>();
  for (const secret of secrets) {
    if (secret.trim() === '') continue;
    for (const form of [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)]) {
      forms.add(form);
    }
  }
  // Longest first: a secret that contains another one must go as a whole.
  const ordered = [...forms].sort((a, b) => b.length - a.length);
  return (text) => ordered.reduce((masked, form) => masked.replaceAll(form, secretMark), text);
}

/** The secret values of a configuration: those of `secretKeys`, and those whose key gives them away. */
export function secretValues(
  config: Readonly<Record<string, string>>,
  secretKeys: ReadonlySet<string> = new Set(),
): string[] {
  return Object.entries(config)
    .filter(([key]) => secretKeys.has(key) || isSecretKey(key))
    .map(([, value]) => value);
}

/** The secrets of settings of any depth: values whose key gives them away, and credentials within addresses. */
export function secretsWithin(settings: object): string[] {
  return Object.entries(settings).flatMap(([key, value]: [string, unknown]) => {
    if (typeof value === 'object' && value !== null) return secretsWithin(value);
    if (typeof value !== 'string') return [];
    const password = URL.canParse(value) ? new URL(value).password : '';
    return [
      ...(isSecretKey(key) ? [value] : []),
      ...(password === '' ? [] : [password, decodeURIComponent(password)]),
    ];
  });
}

/** Confluent Cloud gives a secret back as asterisks; nothing can be said of what is behind them. */
export function isWithheld(value: string): boolean {
  return /^\*{2,}$/.test(value);
}
