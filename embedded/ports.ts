import { createServer } from 'node:net';
import { PipelineError, codeOf } from '../core/errors.ts';
import { listenerOf } from './process/process-info.ts';

export interface PortUse {
  port: number;
  /** The environment variable that moves it. */
  variable: string;
  /** Whose port it is to be. */
  service: string;
}

export interface TakenPort extends PortUse {
  /** Undefined where the system does not tell. */
  owner: { pid: number; name: string } | undefined;
}

/** Those of `uses` that another process listens on. */
export async function takenPorts(uses: readonly PortUse[]): Promise<TakenPort[]> {
  const taken = await Promise.all(
    uses.map(async (use) => ((await isFree(use.port)) ? [] : [{ ...use, owner: listenerOf(use.port) }])),
  );
  return taken.flat();
}

/** "port 9092 of kafka is taken by java (pid 4711)" */
export function describeTaken({ port, service, owner }: TakenPort): string {
  const by = owner === undefined ? 'another process' : `${owner.name} (pid ${owner.pid})`;
  return `port ${port} of ${service} is taken by ${by}`;
}

/** @throws PipelineError `PORT_TAKEN` naming every taken port, who has it and the variable that moves ours */
export async function demandFree(uses: readonly PortUse[]): Promise<void> {
  const taken = await takenPorts(uses);
  if (taken.length === 0) return;
  const variables = taken.map(({ variable }) => variable);
  throw new PipelineError('PORT_TAKEN', {
    what: capitalise(taken.map(describeTaken).join(', and ')),
    todo: `Stop ${taken.length === 1 ? 'it' : 'them'}, or choose ${taken.length === 1 ? 'another port' : 'other ports'} with ${variables.join(', ')}.`,
  });
}

function capitalise(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

/** Whether a server could listen on the port now. Binding is the only sure test: it also sees sockets of others. */
async function isFree(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error) => {
      if (codeOf(error) === 'EADDRINUSE') resolve(false);
      else if (codeOf(error) === 'EACCES') resolve(true);
      else reject(error);
    });
    server.listen({ port, host: '127.0.0.1' }, () => {
      server.close(() => {
        resolve(true);
      });
    });
  });
}
