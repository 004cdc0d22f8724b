import { createHmac } from 'node:crypto';
import axios from 'axios';
import { PipelineError, codeOf } from '../../core/errors.ts';
import type { Channel } from './deliver.ts';
import { isLoopback, type WebhookSettings } from './settings.ts';

/** Names the header that carries `sha256=<hex>` of the body, keyed with the shared secret. */
const signatureHeader = 'X-Signature-256';

/** Posts each notice as JSON: the fields of `Notice`, and `text` for those who only show a line. */
export function createWebhook({ url, secret }: WebhookSettings, { timeoutMs = 5000 } = {}): Channel {
  // A proxy for the world outside cannot reach this machine's own services.
  const direct = isLoopback(new URL(url).hostname) ? ({ proxy: false } as const) : {};
  return {
    name: 'webhook',
    async send(notice, text, signal) {
      const body = JSON.stringify({ text, ...notice });
      const response = await axios
        .post<unknown>(url, body, {
          timeout: timeoutMs,
          signal,
          maxRedirects: 0,
          ...direct,
          // The body is an answer to nobody; a page of any size must not be read.
          maxContentLength: 64 * 1024,
          validateStatus: () => true,
          headers: {
            'Content-Type': 'application/json',
            ...(secret === null
              ? {}
              : { [signatureHeader]: `sha256=${createHmac('sha256', secret).update(body).digest('hex')}` }),
          },
        })
        // The library's error carries the address, which is often a credential.
        .catch((error: unknown) => failed(`no answer (${codeOf(error) ?? 'unknown'})`, true));
      if (response.status >= 300) {
        throw failure(`HTTP ${String(response.status)}`, response.status === 429 || response.status >= 500);
      }
    },
    close: () => undefined,
  };
}

function failed(reason: string, retryable: boolean): never {
  throw failure(reason, retryable);
}

function failure(reason: string, retryable: boolean): PipelineError {
  return new PipelineError('ALERT_NOT_DELIVERED', {
    what: `The webhook did not take the alert: ${reason}`,
    retryable,
  });
}
