import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createCloudClient } from '../../../controlplane/confluent-cloud/cloud-client.ts';
import type { ConnectorService } from '../../../controlplane/connector-service.ts';
import { createConnectClient } from '../../../controlplane/kafka-connect/connect-client.ts';
import { describeError } from '../../../cli/report-error.ts';
import type { SenderOptions } from '../../../controlplane/send-request.ts';
import { PipelineError } from '../../../core/errors.ts';
import { html, json, scriptedServer, type Script } from './scripted-server.ts';

const credentials = { username: 'planted-key', password: 'planted-s3cret' };
const fast = { retries: 1, largestAnswerBytes: 10_000, timeoutMs: 2000 };

const clients: [string, (options: SenderOptions) => ConnectorService][] = [
  ['Kafka Connect', (options) => createConnectClient({ ...fast, credentials, ...options })],
  [
    'Confluent Cloud',
    (options) =>
      createCloudClient({ ...fast, environment: 'env-1', cluster: 'lkc-1', ...options, credentials }),
  ],
];

interface BadAnswer {
  what: string;
  script: Script;
  code: string;
  says: RegExp;
  /** Asked once only: repeating would not help. */
  once?: boolean;
}

const trouble: BadAnswer[] = [
  {
    what: 'malformed JSON',
    script: (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"a": {');
    },
    code: 'CONNECT_MALFORMED',
    says: /the answer of .* is not valid JSON/,
    once: true,
  },
  {
    what: 'JSON without end',
    script: (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const more = () => {
        while (!response.destroyed && response.write(`["${'x'.repeat(4000)}",`));
        response.once('drain', more);
      };
      more();
    },
    code: 'CONNECT_TOO_LARGE',
    says: /is too large/,
    once: true,
  },
  {
    what: 'JSON of another form',
    script: (_, response) => {
      json(response, 200, { a: 'planted-s3cret' });
    },
    code: 'INVALID_INPUT',
    says: /in a form this client does not know/,
    once: true,
  },
  {
    what: 'a page of HTML',
    script: (_, response) => {
      html(response, 200);
    },
    code: 'CONNECT_NOT_THERE',
    says: /answered 200 with text\/html/,
    once: true,
  },
  {
    what: 'a redirect to somewhere else',
    script: (_, response) => {
      response.writeHead(307, { location: 'http://127.0.0.1:1/planted-s3cret' }).end();
    },
    code: 'CONNECT_NOT_THERE',
    says: /answered 307/,
    once: true,
  },
  {
    what: 'credentials that have expired',
    script: (_, response) => {
      json(response, 401, { error_code: 401, message: 'the key planted-s3cret has expired' });
    },
    code: 'CONNECT_FORBIDDEN',
    says: /has expired/,
    once: true,
  },
  {
    what: 'a connection that breaks each time',
    script: (_, response) => response.destroy(),
    code: 'CONNECT_NO_ANSWER',
    says: /the connection to .* broke/,
  },
];

async function errorOf(act: Promise<unknown>): Promise<PipelineError> {
  const error: unknown = await act.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof PipelineError) return error;
  throw new Error(`expected a PipelineError, not ${String(error)}`);
}

describe.each(clients)('%s', (_, connect) => {
  test.each(trouble)('$what is a clear error', async ({ script, code, says, once }) => {
    const server = await scriptedServer(script);
    onTestFinished(server.close);
    const error = await errorOf(connect({ url: server.url }).plugins());
    expect(error).toMatchObject({ code, message: expect.stringMatching(says) as string });
    expect(server.received).toHaveLength(once === true ? 1 : 2);
    const shown = describeError(error);
    expect(shown.split('\n').length).toBeLessThanOrEqual(4);
    expect([shown, error.stack, JSON.stringify(error), String(error.cause)].join()).not.toMatch(/s3cret/);
  });

  test('a certificate that nobody signed, and TLS where there is none, are named as such', async () => {
    // Any TLS server with a certificate of its own making will do.
    const mail = new SMTPServer({ secure: true, logger: false });
    mail.on('error', () => undefined);
    await new Promise<void>((resolve) => {
      mail.listen(0, '127.0.0.1', resolve);
    });
    onTestFinished(() => {
      mail.close();
    });
    const plain = await scriptedServer((__, response) => response.end());
    onTestFinished(plain.close);
    const ports = [(mail.server.address() as AddressInfo).port, new URL(plain.url).port];
    for (const port of ports) {
      const error = await errorOf(connect({ url: `https://127.0.0.1:${String(port)}` }).plugins());
      expect(error, String(port)).toMatchObject({
        code: 'CONNECT_TLS',
        message: expect.stringMatching(/the encrypted connection to .* failed: .* \([A-Z_]+\)/) as string,
        todo: expect.stringContaining('NODE_EXTRA_CA_CERTS') as string,
      });
    }
    expect(plain.received).toEqual([]);
  });
});
