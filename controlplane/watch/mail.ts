import { createTransport } from 'nodemailer';
import { PipelineError, codeOf } from '../../core/errors.ts';
import type { Channel } from './deliver.ts';
import type { MailSettings } from './settings.ts';

/** Mails each notice as plain text, over one connection at a time. */
export function createMail({ url, from, to }: MailSettings, { timeoutMs = 10_000 } = {}): Channel {
  const transport = createTransport({
    ...connectionOf(url),
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
  });
  return {
    name: 'mail',
    async send({ status, subject, cause }, text) {
      try {
        await transport.sendMail({ from, to, subject: `[${status}] ${subject}: ${cause}`, text });
      } catch (error) {
        // A refused login or recipient (5xx) is refused again; the server's words may repeat the credentials.
        const code = codeOf(error) ?? 'unknown';
        throw new PipelineError('ALERT_NOT_DELIVERED', {
          what: `The mail server did not take the alert (${code})`,
          retryable: code !== 'EAUTH' && code !== 'EENVELOPE',
        });
      }
    },
    close: () => {
      transport.close();
    },
  };
}

/** `smtp://` begins in plain text and changes to TLS where the server offers it; `smtps://` is TLS from the start. */
function connectionOf(url: string) {
  const { protocol, hostname, port, username, password } = new URL(url);
  const secure = protocol === 'smtps:';
  return {
    host: hostname,
    port: Number(port) || (secure ? 465 : 587),
    secure,
    ...(username === ''
      ? {}
      : { auth: { user: decodeURIComponent(username), pass: decodeURIComponent(password) } }),
  };
}
