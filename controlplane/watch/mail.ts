import { PipelineError, codeOf } from '../../core/errors.ts';
import { mailTransport } from '../../core/mail.ts';
import type { Channel } from './deliver.ts';
import type { MailSettings } from './settings.ts';

/** Mails each notice as plain text, over one connection at a time. */
export function createMail({ url, from, to }: MailSettings, { timeoutMs = 10_000 } = {}): Channel {
  const transport = mailTransport(url, timeoutMs);
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
