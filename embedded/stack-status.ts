import path from 'node:path';
import { processInfo } from './process/process-info.ts';
import { readRecord, runningProcess } from './process/process-record.ts';
import { services } from './services/all-services.ts';
import type { Service, ServiceName } from './services/service.ts';
import type { StackSettings } from './settings.ts';

/**
 * - `ready`: its process runs and serves clients
 * - `not ready`: its process runs, but does not answer (yet)
 * - `died`: it was started and ended without `down`
 * - `stopped`: it was not started
 */
export type ServiceState = 'ready' | 'not ready' | 'died' | 'stopped';

export interface ServiceStatus {
  name: ServiceName;
  state: ServiceState;
  ready: boolean;
  pid: number | null;
  port: number;
  uptimeSeconds: number | null;
  /** Resident memory. */
  memoryBytes: number | null;
  /** The log file. */
  log: string;
}

export interface StackStatus {
  services: ServiceStatus[];
  /** On the worker's plugin path; null while no worker runs. */
  sink: { kind: 'official' | 'stand-in'; version: string; source: string } | null;
}

/** What runs and whether it serves its clients. Starts, stops and changes nothing. */
export async function stackStatus({ home, ports }: StackSettings): Promise<StackStatus> {
  const statusOf = async (service: Service): Promise<ServiceStatus> => {
    const { name } = service;
    const running = runningProcess(home, name);
    const log = path.join(home.logs, `${name}.log`);
    if (running === undefined) {
      return {
        name,
        state: readRecord(home, name) === undefined ? 'stopped' : 'died',
        ready: false,
        pid: null,
        port: ports[service.port],
        uptimeSeconds: null,
        memoryBytes: null,
        log,
      };
    }
    const { record } = running;
    const ready = await service.isReady(record.port);
    return {
      name,
      state: ready ? 'ready' : 'not ready',
      ready,
      pid: record.pid,
      port: record.port,
      uptimeSeconds: Math.max(0, Math.round((Date.now() - Date.parse(record.startedAt)) / 1000)),
      memoryBytes: processInfo(record.pid)?.memoryBytes ?? null,
      log,
    };
  };
  const sink = runningProcess(home, 'connect')?.record.sink;
  return {
    services: await Promise.all(services.map(statusOf)),
    sink: sink === undefined ? null : { kind: sink.kind, version: sink.version, source: sink.source },
  };
}
