import type { ServiceStatus, StackStatus } from '../embedded/stack-status.ts';
import { renderTable } from './output.ts';

/** The line that says which sink the embedded worker has. */
export function describeSink({ kind, version, source }: NonNullable<StackStatus['sink']>): string {
  const name = kind === 'official' ? 'the official ClickHouse sink' : "the project's stand-in";
  return `Sink: ${name} ${version}, from ${source}`;
}

/** The status as a person reads it. */
export function renderStatus({ services, sink }: StackStatus): string {
  const table = renderTable(
    [
      { title: 'Service' },
      { title: 'State' },
      { title: 'Pid', align: 'right' },
      { title: 'Port', align: 'right' },
      { title: 'Uptime', align: 'right' },
      { title: 'Memory', align: 'right' },
      { title: 'Log' },
    ],
    services.map(statusRow),
  );
  return sink === null ? table : `${table}\n\n${describeSink(sink)}`;
}

function statusRow(service: ServiceStatus): unknown[] {
  return [
    service.name,
    service.state,
    service.pid === null ? null : String(service.pid),
    String(service.port),
    service.uptimeSeconds === null ? null : formatDuration(service.uptimeSeconds),
    service.memoryBytes === null ? null : `${Math.round(service.memoryBytes / 1024 ** 2)} MB`,
    service.log,
  ];
}

/** The two largest units: `3d 4h`, `2m 5s`. */
export function formatDuration(seconds: number): string {
  const units = [
    ['d', Math.floor(seconds / 86_400)],
    ['h', Math.floor(seconds / 3600) % 24],
    ['m', Math.floor(seconds / 60) % 60],
    ['s', seconds % 60],
  ] as const;
  const first = units.findIndex(([, amount]) => amount > 0);
  if (first === -1) return '0s';
  return units
    .slice(first, first + 2)
    .map(([unit, amount]) => `${amount}${unit}`)
    .join(' ');
}
