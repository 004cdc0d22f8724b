import { z } from 'zod';
import type { Dialect } from '../send-request.ts';

/**
 * The API documents `{error: {code, message}}` and, for two answers of its create, the bare pair. Its gateway,
 * which refuses unknown keys and addresses, words errors as JSON:API does.
 */
const errorSchema = z.union([
  z
    .object({ error: z.object({ code: z.coerce.number().optional(), message: z.string() }) })
    .transform(({ error }) => error),
  z
    .object({ errors: z.tuple([z.object({ status: z.coerce.number(), detail: z.string() })], z.unknown()) })
    .transform(({ errors: [first] }) => ({ code: first.status, message: first.detail })),
  z
    .object({ code: z.number().optional(), error_code: z.number().optional(), message: z.string() })
    .transform(({ code, error_code, message }) => ({ code: code ?? error_code, message })),
]);

const lookAtTheService = "Look at Confluent's status page, then run the command again.";

/** How Confluent Cloud words its errors. */
export const cloudDialect: Dialect = {
  product: 'Confluent Cloud',
  advice: {
    unreachable: 'Check the network and CONFLUENT_CLOUD_URL.',
    timedOut: lookAtTheService,
    repeat: lookAtTheService,
    otherServer: 'Correct CONFLUENT_CLOUD_URL, or unset it for the public address.',
    forbidden:
      'Check CONFLUENT_CLOUD_API_KEY and CONFLUENT_CLOUD_API_SECRET: a Cloud API key, not a key of the Kafka\n' +
      'cluster, whose owner may manage connectors of the environment.',
    busy: 'Something else is changing the connector: run the command again in a moment.',
  },
  messageOf: (body) => errorSchema.safeParse(body).data?.message,
  isNotFound: (body) => errorSchema.safeParse(body).data?.code === 404,
};
