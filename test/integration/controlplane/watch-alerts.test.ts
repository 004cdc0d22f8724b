import { createHmac } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { expect, onTestFinished, test } from 'vitest';
import { createNotifier, type Channel, type Delivery } from '../../../controlplane/watch/deliver.ts';
import { createMail } from '../../../controlplane/watch/mail.ts';
import type { Notice } from '../../../controlplane/watch/notices.ts';
import { createWebhook } from '../../../controlplane/watch/webhook.ts';
import { waitFor } from '../../../core/wait.ts';
import { scriptedServer, type Script } from './scripted-server.ts';

const notice: Notice = {
  status: 'firing',
  subject: 'billing-core-sink',
  cause: 'schema-mismatch',
  reason: 'Table raw_invoices does not exist — nirgends',
  action: 'Run clickhouse:migrate.',
  startedAt: '2026-03-01T12:00:00.000Z',
  endedAt: null,
};

/** Sends one notice through a channel and returns what became of it. */
async function deliver(channel: Channel, ...notices: Notice[]): Promise<Delivery[]> {
  const deliveries: Delivery[] = [];
  const notifier = createNotifier([channel], (delivery) => deliveries.push(delivery), { minDelayMs: 10 });
  for (const one of notices) notifier.notify(one);
  await notifier.close(20_000);
  return deliveries;
}

async function webhookServer(script: Script) {
  const server = await scriptedServer(script);
  onTestFinished(server.close);
  return server;
}

const answer =
  (...statuses: number[]): Script =>
  (_, response, attempt) => {
    response.writeHead(statuses[Math.min(attempt, statuses.length) - 1] ?? 200).end();
  };

test('a webhook gets the notice as JSON, signed with the shared secret', async () => {
  let signature: string | string[] | undefined;
  const { url, received } = await webhookServer((_, response) => {
    signature = response.req.headers['x-signature-256'];
    response.writeHead(204).end();
  });
  expect(await deliver(createWebhook({ url, secret: 'shared' }), notice)).toMatchObject([{ failure: null }]);
  const [request] = received;
  expect(JSON.parse(request?.body ?? '')).toEqual({
    text: 'billing-core-sink: schema-mismatch, since 2026-03-01T12:00:00.000Z\nTable raw_invoices does not exist — nirgends\nRun clickhouse:migrate.\n',
    ...notice,
  });
  expect(signature).toBe(
    `sha256=${createHmac('sha256', 'shared')
      .update(request?.body ?? '')
      .digest('hex')}`,
  );
});

test('a webhook that is busy is asked again, one that refuses is not', async () => {
  const busy = await webhookServer(answer(503, 429, 200));
  expect(await deliver(createWebhook({ url: busy.url, secret: null }), notice)).toMatchObject([
    { failure: null },
  ]);
  expect(busy.received).toHaveLength(3);

  const refusing = await webhookServer(answer(403));
  const [refused] = await deliver(
    createWebhook({ url: `${refusing.url}/hook-s3cret`, secret: null }),
    notice,
  );
  expect(refused?.failure).toBe('The webhook did not take the alert: HTTP 403');
  expect(refusing.received).toHaveLength(1);
});

test.each([
  ['nobody listens', 'http://127.0.0.1:1/hook-s3cret', /no answer \(ECONNREFUSED\)/],
  ['it redirects', undefined, /HTTP 302/],
])('where %s the alert is given up, without its address in what is said', async (_, url, says) => {
  const redirecting = await webhookServer((_request, response) => {
    response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end();
  });
  const [delivery] = await deliver(createWebhook({ url: url ?? redirecting.url, secret: null }), notice);
  expect(delivery?.failure).toMatch(says);
  expect(delivery?.failure).not.toContain('s3cret');
});

test('a webhook that never answers costs its deadline and nothing else', async () => {
  const silent = await webhookServer(() => undefined);
  const deliveries: Delivery[] = [];
  const channel = createWebhook({ url: silent.url, secret: null }, { timeoutMs: 100 });
  const notifier = createNotifier([channel], (delivery) => deliveries.push(delivery), { minDelayMs: 10 });
  const startedAt = performance.now();
  notifier.notify(notice);
  expect(performance.now() - startedAt).toBeLessThan(50);
  await notifier.close(20_000);
  expect(deliveries[0]?.failure).toMatch(/no answer \(ECONNABORTED\)/);
});

test('one channel that is down does not keep the other from telling, and loses the oldest beyond its room', async () => {
  const { url, received } = await webhookServer(answer(200));
  const deliveries: Delivery[] = [];
  const dead = createWebhook({ url: 'http://127.0.0.1:1', secret: null });
  const notifier = createNotifier(
    [{ ...dead, name: 'dead' }, createWebhook({ url, secret: null })],
    (delivery) => deliveries.push(delivery),
    { minDelayMs: 60_000 },
  );
  const subjects = Array.from({ length: 120 }, (_, index) => `c${String(index)}`);
  // In two parts, so that the channel that works never has more waiting than there is room for.
  for (const part of [subjects.slice(0, 60), subjects]) {
    for (const subject of part.slice(-60)) notifier.notify({ ...notice, subject });
    await waitFor(() => received.length === part.length, { what: 'the alerts', timeoutMs: 20_000 });
  }
  // The end comes, and with it the end of all attempts.
  await notifier.close(100);
  const lost = deliveries.filter(
    ({ channel, failure }) => channel === 'dead' && failure?.includes('too many') === true,
  );
  expect(lost.map(({ notice: { subject } }) => subject)).toEqual(subjects.slice(1, 20));
  expect(received.map(({ body }) => (JSON.parse(body) as Notice).subject)).toEqual(subjects);
});

interface Mailbox {
  url: string;
  mails: string[];
}

/** A real mail server that keeps what it gets. */
async function mailServer(options: SMTPServerOptions = {}): Promise<Mailbox> {
  const mails: string[] = [];
  const server = new SMTPServer({
    disabledCommands: ['STARTTLS'],
    authOptional: true,
    logger: false,
    onData: (stream, _session, done) => {
      let mail = '';
      stream.setEncoding('utf8').on('data', (chunk: string) => (mail += chunk));
      stream.on('end', () => {
        mails.push(mail);
        done();
      });
    },
    ...options,
  });
  server.on('error', () => undefined);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => {
          resolve();
        });
      }),
  );
  const { port } = server.server.address() as AddressInfo;
  return { url: `127.0.0.1:${String(port)}`, mails };
}

const envelope = { from: 'watch@example.com', to: ['ops@example.com', 'team@example.com'] };

test('a mail goes to everybody, with the connector and the cause as its subject', async () => {
  const logins: string[] = [];
  const { url, mails } = await mailServer({
    authOptional: false,
    authMethods: ['PLAIN'],
    onAuth: ({ username, password }, _session, done) => {
      logins.push(`${username ?? ''} ${password ?? ''}`);
      done(null, { user: username ?? '' });
    },
  });
  const channel = createMail({ ...envelope, url: `smtp://loader:pa%2Fss@${url}` });
  expect(
    await deliver(channel, notice, { ...notice, status: 'resolved', endedAt: '2026-03-01T12:10:00.000Z' }),
  ).toMatchObject([{ failure: null }, { failure: null }]);
  expect(logins[0]).toBe('loader pa/ss');
  expect(mails[0]).toMatch(/^Subject: \[firing\] billing-core-sink: schema-mismatch$/m);
  expect(mails[0]).toMatch(/^To: ops@example\.com, team@example\.com$/m);
  expect(mails[0]).toContain('Run clickhouse:migrate.');
  expect(mails[1]).toMatch(/^Subject: \[resolved\]/m);
  expect(mails[1]).toContain('has recovered');
});

test('a mail server that refuses the login is not asked again, and its words do not reach the log', async () => {
  let attempts = 0;
  const { url } = await mailServer({
    authOptional: false,
    onAuth: ({ password }, _session, done) => {
      attempts += 1;
      done(new Error(`wrong password ${password ?? ''}`));
    },
  });
  const [delivery] = await deliver(createMail({ ...envelope, url: `smtp://u:s3cret@${url}` }), notice);
  expect(delivery?.failure).toBe('The mail server did not take the alert (EAUTH)');
  expect(attempts).toBe(1);
});

test('a mail server that is away is asked four times and then given up', async () => {
  const [delivery] = await deliver(createMail({ ...envelope, url: 'smtp://127.0.0.1:1' }), notice);
  expect(delivery?.failure).toMatch(/did not take the alert \(E\w+\)/);
});
