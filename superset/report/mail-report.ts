import path from 'node:path';
import { z } from 'zod';
import { PipelineError, codeOf } from '../../core/errors.ts';
import { mailTransport } from '../../core/mail.ts';
import { parseWith } from '../../core/parse.ts';

const timeoutMs = 30_000;
const address = z.string().regex(/^[^\s@]+@[^\s@]+$/, 'expected a mail address');

export interface MailSettings {
  /** `smtp://` or `smtps://`, with credentials where the server wants them. A secret. */
  url: string;
  from: string;
  to: string[];
}

/**
 * Recipients of the command line, and the mail server that alerts use, too.
 *
 * @throws InvalidInputError
 */
export function resolveMailSettings(env: NodeJS.ProcessEnv, to: string): MailSettings {
  const error = 'must be set to send mail, as in smtp://user:password@mail.example.com:587';
  return parseWith(
    z
      .object({
        ALERT_SMTP_URL: z.url({ protocol: /^smtps?$/, error }),
        ALERT_MAIL_FROM: z.string('must be set to send mail').pipe(address),
        '--mail': z.array(address).min(1),
      })
      .transform((given) => ({
        url: given.ALERT_SMTP_URL,
        from: given.ALERT_MAIL_FROM,
        to: given['--mail'],
      })),
    {
      ALERT_SMTP_URL: env['ALERT_SMTP_URL'] || undefined,
      ALERT_MAIL_FROM: env['ALERT_MAIL_FROM'] || undefined,
      '--mail': to.split(',').map((one) => one.trim()),
    },
    'The settings of the mail are not valid',
    'the environment and the command line',
  );
}

/**
 * Sends a report as an attachment.
 *
 * @throws PipelineError `REPORT_NOT_DELIVERED`, without what the server says: it may repeat the credentials
 */
export async function mailReport(
  { url, from, to }: MailSettings,
  report: { title: string; link: string; file: string; content: Buffer },
): Promise<void> {
  const transport = mailTransport(url, timeoutMs);
  try {
    await transport.sendMail({
      from,
      to,
      subject: `Report: ${report.title}`,
      text: `${report.title}, as it looks now.\n\nThe dashboard itself, with its filters: ${report.link}\n`,
      attachments: [{ filename: path.basename(report.file), content: report.content }],
    });
  } catch (error) {
    const code = codeOf(error) ?? 'unknown';
    throw new PipelineError('REPORT_NOT_DELIVERED', {
      what: `The mail server did not take the report (${code})`,
      where: new URL(url).host,
      todo: 'Check ALERT_SMTP_URL, ALERT_MAIL_FROM and the recipients.',
      retryable: code !== 'EAUTH' && code !== 'EENVELOPE',
    });
  } finally {
    transport.close();
  }
}
