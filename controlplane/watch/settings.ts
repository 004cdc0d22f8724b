import { z } from 'zod';
import { InvalidInputError, type Problem } from '../../core/errors.ts';
import { check } from '../../core/parse.ts';
import { defaultHealthLimits, type HealthLimits } from '../health.ts';
import { defaultRestartLimits, type RestartLimits } from './restart-policy.ts';

export interface WatchSettings {
  /** From the start of one look to the start of the next. */
  intervalMs: number;
  health: HealthLimits;
  restarts: RestartLimits;
  /** From one reconciliation to the next; null: none. */
  reconcileIntervalMs: number | null;
  server: ServerSettings;
  webhook: WebhookSettings | null;
  mail: MailSettings | null;
}

export interface ServerSettings {
  host: string;
  port: number;
  /** Demanded of whoever asks; null where everybody on this machine may. */
  token: string | null;
}

export interface WebhookSettings {
  url: string;
  /** Signs the body; null leaves the signature out. */
  secret: string | null;
}

export interface MailSettings {
  /** `smtp://` or `smtps://`, with credentials where the server wants them. */
  url: string;
  from: string;
  to: string[];
}

/** An empty variable counts as unset. */
const text = z
  .string()
  .optional()
  .transform((value) => value?.trim() || undefined);

function number(low: number, high: number) {
  const error = `expected a number from ${String(low)} to ${String(high)}`;
  return text
    .transform((value) => (value === undefined ? undefined : Number(value)))
    .pipe(z.number({ error }).min(low, { error }).max(high, { error }).optional());
}

const address = z.string().regex(/^[^\s@]+@[^\s@]+$/, 'expected a mail address');

const environmentSchema = z.object({
  WATCH_INTERVAL_S: number(0.2, 3600),
  WATCH_STALLED_AFTER_S: number(5, 86_400),
  WATCH_UNASSIGNED_AFTER_S: number(1, 86_400),
  WATCH_DLQ_PER_MINUTE: number(0, 1_000_000),
  WATCH_RESTARTS_PER_MINUTE: number(1, 10_000),
  WATCH_RESTARTS_PER_TASK: number(1, 1000),
  WATCH_RECONCILE_S: number(0, 86_400),
  WATCH_HOST: text,
  WATCH_PORT: number(0, 65_535),
  WATCH_TOKEN: text,
  ALERT_WEBHOOK_URL: text.pipe(
    z.url({ protocol: /^https?$/, error: 'expected an http:// or https:// address' }).optional(),
  ),
  ALERT_WEBHOOK_SECRET: text,
  ALERT_SMTP_URL: text.pipe(
    z
      .url({ protocol: /^smtps?$/, error: 'expected smtp://host:port or smtps://user:password@host:port' })
      .optional(),
  ),
  ALERT_MAIL_FROM: text.pipe(address.optional()),
  ALERT_MAIL_TO: text
    .transform((list) => list?.split(',').map((one) => one.trim()))
    .pipe(z.array(address).optional()),
});

/** Variables that others make necessary. */
function findMissing(env: NodeJS.ProcessEnv): Problem[] {
  const isSet = (name: string) => Boolean(env[name]?.trim());
  const demand = (name: string, message: string) => (isSet(name) ? [] : [{ path: name, message }]);
  const mail = ['ALERT_SMTP_URL', 'ALERT_MAIL_TO', 'ALERT_MAIL_FROM'];
  const sendsMail = isSet('ALERT_SMTP_URL') || isSet('ALERT_MAIL_TO');
  return [
    ...(isLoopback(env['WATCH_HOST']?.trim() || loopback)
      ? []
      : demand('WATCH_TOKEN', 'must be set, because WATCH_HOST lets other machines ask')),
    ...(sendsMail
      ? mail.flatMap((name) => demand(name, 'must be set for alerts by mail, together with the other two'))
      : []),
  ];
}

const loopback = '127.0.0.1';
const defaultPort = 8090;
/** Often enough that a failed task runs again within five seconds. */
const defaultIntervalMs = 2000;
const defaultReconcileMs = 30_000;

export function isLoopback(host: string): boolean {
  return /^(?:127(?:\.\d{1,3}){3}|localhost|::1)$/.test(host);
}

/**
 * Reads the watcher's settings.
 *
 * @throws InvalidInputError listing every malformed and every missing variable together
 */
export function readWatchSettings(env: NodeJS.ProcessEnv): WatchSettings {
  const parsed = check(environmentSchema, env);
  const problems = [...parsed.problems, ...findMissing(env)];
  const given = parsed.value;
  if (given === undefined || problems.length > 0) {
    throw new InvalidInputError({
      what: 'The settings of the watcher are not valid',
      where: 'the environment',
      problems,
    });
  }
  const ms = (seconds: number | undefined, fallback: number) =>
    seconds === undefined ? fallback : Math.round(seconds * 1000);
  return {
    intervalMs: ms(given.WATCH_INTERVAL_S, defaultIntervalMs),
    health: {
      stalledAfterMs: ms(given.WATCH_STALLED_AFTER_S, defaultHealthLimits.stalledAfterMs),
      unassignedAfterMs: ms(given.WATCH_UNASSIGNED_AFTER_S, defaultHealthLimits.unassignedAfterMs),
      deadLettersPerMinute: given.WATCH_DLQ_PER_MINUTE ?? defaultHealthLimits.deadLettersPerMinute,
    },
    restarts: {
      ...defaultRestartLimits,
      fleetPerMinute: given.WATCH_RESTARTS_PER_MINUTE ?? defaultRestartLimits.fleetPerMinute,
      restartsPerUnit: given.WATCH_RESTARTS_PER_TASK ?? defaultRestartLimits.restartsPerUnit,
    },
    reconcileIntervalMs:
      given.WATCH_RECONCILE_S === 0 ? null : ms(given.WATCH_RECONCILE_S, defaultReconcileMs),
    server: {
      host: given.WATCH_HOST ?? loopback,
      port: given.WATCH_PORT ?? defaultPort,
      token: given.WATCH_TOKEN ?? null,
    },
    webhook:
      given.ALERT_WEBHOOK_URL === undefined
        ? null
        : { url: given.ALERT_WEBHOOK_URL, secret: given.ALERT_WEBHOOK_SECRET ?? null },
    mail:
      given.ALERT_SMTP_URL === undefined
        ? null
        : { url: given.ALERT_SMTP_URL, from: given.ALERT_MAIL_FROM ?? '', to: given.ALERT_MAIL_TO ?? [] },
  };
}

/** What must not be repeated by anything the watcher writes. */
export function secretsOf({ server, webhook, mail }: WatchSettings): string[] {
  const inUrl = (url: string) => {
    const { username, password, pathname, search } = new URL(url);
    // A webhook's address is its credential.
    return [password, username && `${username}:${password}`, pathname.length > 8 ? pathname + search : ''];
  };
  return [
    server.token ?? '',
    webhook?.secret ?? '',
    ...(webhook === null ? [] : inUrl(webhook.url)),
    ...(mail === null ? [] : inUrl(mail.url).slice(0, 2)),
  ]
    .flatMap((secret) => [secret, decodeURIComponent(secret)])
    .filter((secret) => secret !== '');
}
