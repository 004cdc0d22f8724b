import { PipelineError } from '../../core/errors.ts';
import { parseWith } from '../../core/parse.ts';
import { waitFor } from '../../core/wait.ts';
import type { PartitionOffset } from '../connector-service.ts';
import type { Send } from '../send-request.ts';
import { toWire } from '../sink-offsets.ts';
import { offsetsRequestSchema } from './cloud-answers.ts';

interface OffsetRequestOptions {
  send: Send;
  pathOf: (name: string) => string;
  timeoutMs: number;
  pollIntervalMs: number;
  signal: AbortSignal | undefined;
}

/**
 * Asks the service to move a connector's offsets and waits for the end: it stops the connector for the moment,
 * and takes one such request at a time.
 *
 * @param offsets undefined to forget all of them
 * @throws PipelineError `OFFSETS_REFUSED` with the service's reason, or `TIMED_OUT`
 */
export async function requestOffsets(
  name: string,
  offsets: readonly PartitionOffset[] | undefined,
  { send, pathOf, timeoutMs, pollIntervalMs, signal }: OffsetRequestOptions,
): Promise<void> {
  const purpose = `${offsets === undefined ? 'reset' : 'alter'} the offsets of the connector ${name}`;
  const path = `${pathOf(name)}/offsets/request`;
  const body = offsets === undefined ? { type: 'DELETE' } : { type: 'PATCH', offsets: toWire(offsets) };
  await send({ method: 'POST', path, body, purpose }, { signal });
  const { phase, message } = await waitFor(
    async () => {
      const answer = await send({ method: 'GET', path: `${path}/status`, purpose }, { signal });
      const { status } = parseWith(
        offsetsRequestSchema,
        answer.body,
        'Confluent Cloud answered in a form this client does not know',
        path,
      );
      return !status.phase.startsWith('PENDING') && status;
    },
    {
      what: `the offsets of the connector ${name} to be changed`,
      timeoutMs,
      pollIntervalMs,
      ...(signal === undefined ? {} : { signal }),
    },
  );
  if (phase === 'APPLIED') return;
  throw new PipelineError('OFFSETS_REFUSED', {
    what: `Cannot ${purpose}: ${message ?? phase}`,
    where: path,
    todo: 'Correct the offsets; the connector goes on where it was.',
  });
}
