import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { formatDuration, renderStatus } from '../../../cli/stack-text.ts';
import type { ServiceStatus } from '../../../embedded/stack-status.ts';

const running: ServiceStatus = {
  name: 'kafka',
  state: 'ready',
  ready: true,
  pid: 12_345,
  port: 9092,
  uptimeSeconds: 3725,
  memoryBytes: 300 * 1024 ** 2,
  log: '/state/logs/kafka.log',
};

test('the status is a table with the sink below it', () => {
  const stopped: ServiceStatus = {
    ...running,
    name: 'connect',
    state: 'stopped',
    ready: false,
    pid: null,
    port: 8083,
    uptimeSeconds: null,
    memoryBytes: null,
    log: '/state/logs/connect.log',
  };
  const sink = { kind: 'stand-in', version: '0.1.0', source: '/project/stand-in' } as const;
  expect(stripVTControlCharacters(renderStatus({ services: [running, stopped], sink })).split('\n')).toEqual([
    'Service  State      Pid  Port  Uptime  Memory  Log',
    'kafka    ready    12345  9092   1h 2m  300 MB  /state/logs/kafka.log',
    'connect  stopped      -  8083       -       -  /state/logs/connect.log',
    '',
    "Sink: the project's stand-in 0.1.0, from /project/stand-in",
  ]);
});

test('without a worker there is no sink to name', () => {
  expect(renderStatus({ services: [running], sink: null })).not.toContain('Sink');
});

test.each([
  [0, '0s'],
  [59, '59s'],
  [60, '1m 0s'],
  [3599, '59m 59s'],
  [86_399, '23h 59m'],
  [200_000, '2d 7h'],
])('%d seconds read as %s', (seconds, text) => {
  expect(formatDuration(seconds)).toBe(text);
});
