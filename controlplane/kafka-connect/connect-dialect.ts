import { z } from 'zod';
import type { Dialect } from '../send-request.ts';

const errorSchema = z.object({ message: z.string() });
const notFoundSchema = z.object({ error_code: z.literal(404) });
const lookAtTheWorker = 'Look at the worker (npm run logs -- connect)';

/** How a worker of Kafka Connect words its errors. */
export const connectDialect: Dialect = {
  product: 'Kafka Connect',
  advice: {
    unreachable: 'Start it (embedded: npm run up), or correct CONNECT_URL.',
    timedOut: `${lookAtTheWorker}: it may be rebalancing or out of memory.`,
    repeat: `${lookAtTheWorker}, then run the command again.`,
    otherServer: 'Correct CONNECT_URL. A worker that has just been started may need some seconds more.',
    forbidden: 'Check the credentials in CONNECT_URL.',
    busy: 'The workers are rebalancing: run the command again in a moment.',
  },
  // An invalid configuration is worded in three paragraphs; the last one points to another endpoint.
  messageOf: (body) =>
    errorSchema.safeParse(body).data?.message.split('You can also find the above list', 1)[0],
  isNotFound: (body) => notFoundSchema.safeParse(body).success,
};
