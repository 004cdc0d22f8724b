import { expect, test } from 'vitest';
import { readWatchSettings, secretsOf } from '../../../../controlplane/watch/settings.ts';
import { InvalidInputError } from '../../../../core/errors.ts';

function problemsOf(env: NodeJS.ProcessEnv): string[] {
  try {
    readWatchSettings(env);
    return [];
  } catch (error) {
    if (!(error instanceof InvalidInputError)) throw error;
    return error.problems.map(({ path }) => path);
  }
}

test('without any setting it listens on this machine only and tells nobody', () => {
  expect(readWatchSettings({ WATCH_PORT: '' })).toMatchObject({
    intervalMs: 2000,
    server: { host: '127.0.0.1', port: 8090, token: null },
    webhook: null,
    mail: null,
  });
});

test('settings are read in their units', () => {
  const settings = readWatchSettings({
    WATCH_INTERVAL_S: '0.5',
    WATCH_STALLED_AFTER_S: '90',
    WATCH_RESTARTS_PER_MINUTE: '7',
    WATCH_RESTARTS_PER_TASK: '3',
    WATCH_DLQ_PER_MINUTE: '0',
  });
  expect(settings.intervalMs).toBe(500);
  expect(settings.health).toMatchObject({ stalledAfterMs: 90_000, deadLettersPerMinute: 0 });
  expect(settings.restarts).toMatchObject({ fleetPerMinute: 7, restartsPerUnit: 3 });
});

test('another address needs a token', () => {
  expect(problemsOf({ WATCH_HOST: '0.0.0.0' })).toEqual(['WATCH_TOKEN']);
  expect(problemsOf({ WATCH_HOST: '0.0.0.0', WATCH_TOKEN: 'x' })).toEqual([]);
  for (const WATCH_HOST of ['127.0.0.1', 'localhost', '::1', '127.8.8.8'])
    expect(problemsOf({ WATCH_HOST })).toEqual([]);
});

test('everything that is wrong is reported together', () => {
  expect(
    problemsOf({
      WATCH_PORT: '99999',
      WATCH_INTERVAL_S: 'often',
      ALERT_WEBHOOK_URL: 'ftp://x',
      ALERT_SMTP_URL: 'mail.example.com',
      ALERT_MAIL_TO: 'ops',
    }).sort(),
  ).toEqual([
    'ALERT_MAIL_FROM',
    'ALERT_MAIL_TO[0]',
    'ALERT_SMTP_URL',
    'ALERT_WEBHOOK_URL',
    'WATCH_INTERVAL_S',
    'WATCH_PORT',
  ]);
});

test('mail needs a server, a sender and a recipient', () => {
  expect(problemsOf({ ALERT_SMTP_URL: 'smtp://mail:25' }).sort()).toEqual([
    'ALERT_MAIL_FROM',
    'ALERT_MAIL_TO',
  ]);
  expect(problemsOf({ ALERT_MAIL_TO: 'a@b' }).sort()).toEqual(['ALERT_MAIL_FROM', 'ALERT_SMTP_URL']);
});

test('its secrets are the token, the signature, the password, and the address of a webhook', () => {
  const settings = readWatchSettings({
    WATCH_TOKEN: 'tok',
    ALERT_WEBHOOK_URL: 'https://hooks.example.com/services/T00/B00/XYZ',
    ALERT_WEBHOOK_SECRET: 'sig',
    ALERT_SMTP_URL: 'smtp://loader:pa%2Fss@mail.example.com:587',
    ALERT_MAIL_FROM: 'a@b',
    ALERT_MAIL_TO: 'c@d, e@f',
  });
  expect(settings.mail?.to).toEqual(['c@d', 'e@f']);
  expect(secretsOf(settings)).toEqual(
    expect.arrayContaining(['tok', 'sig', 'pa/ss', 'pa%2Fss', '/services/T00/B00/XYZ']),
  );
});
