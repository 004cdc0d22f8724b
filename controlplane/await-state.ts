import { PipelineError } from '../core/errors.ts';
import { waitFor } from '../core/wait.ts';
import type { ConnectorService } from './connector-service.ts';

export interface AwaitStateOptions {
  timeoutMs: number;
  pollIntervalMs: number;
  signal: AbortSignal | undefined;
}

/**
 * Pausing, stopping and resuming are asynchronous everywhere: the server says "accepted" at once, and the tasks follow one
 * by one.
 *
 * @throws PipelineError `TIMED_OUT`, or `CONNECT_NOT_FOUND` where the connector has gone meanwhile
 */
export async function awaitState(
  verb: 'pause' | 'resume' | 'stop',
  name: string,
  { address, read }: Pick<ConnectorService, 'address' | 'read'>,
  { timeoutMs, pollIntervalMs, signal }: AwaitStateOptions,
): Promise<void> {
  await waitFor(
    async () => {
      const live = await read(name, signal);
      if (live === undefined) throw noSuchConnector(`${verb} the connector ${name}`, address);
      if (verb === 'resume') return live.state !== 'PAUSED' && live.state !== 'STOPPED';
      if (verb === 'stop') return live.state === 'STOPPED' && live.tasks.length === 0;
      return live.state === 'PAUSED' && live.tasks.every((task) => task.state === 'PAUSED');
    },
    {
      what: `the connector ${name} to ${verb}`,
      timeoutMs,
      pollIntervalMs,
      todo: 'Run connectors:status to see how far it is.',
      ...(signal === undefined ? {} : { signal }),
    },
  );
}

export function noSuchConnector(purpose: string, address: string): PipelineError {
  return new PipelineError('CONNECT_NOT_FOUND', {
    what: `Cannot ${purpose}: there is no such connector`,
    where: address,
    todo: 'Run connectors:status to see what is there.',
  });
}
