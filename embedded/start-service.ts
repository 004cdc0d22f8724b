import { createHash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { PipelineError } from '../core/errors.ts';
import type { Home } from '../core/home.ts';
import { waitFor } from '../core/wait.ts';
import { launch } from './process/launch.ts';
import { readRecord, runningProcess, type ProcessRecord } from './process/process-record.ts';
import type { KnownFailure, LaunchPlan, Service, ServiceContext } from './services/service.ts';

const shownLogLines = 6;

/** How much of a log's end is looked at; a Java stack trace fits several times. */
const inspectedBytes = 64 * 1024;

/** Variables that change how a JVM or Node starts: they are meant for somebody's own programs, not for these. */
const notPassedOn = ['JAVA_TOOL_OPTIONS', 'JDK_JAVA_OPTIONS', 'CLASSPATH', 'NODE_OPTIONS'];

/** English messages, whose causes are recognised below; paths of any characters; all logs in one time zone. */
const commonEnvironment = { LC_ALL: 'C.UTF-8', TZ: 'UTC' };

function serviceEnvironment(env: NodeJS.ProcessEnv, plan: LaunchPlan): NodeJS.ProcessEnv {
  const passedOn = Object.entries(env).filter(([name]) => !notPassedOn.includes(name));
  return { ...Object.fromEntries(passedOn), ...commonEnvironment, ...plan.env };
}

/** Of everything the service is started with: the same as long as nothing needs a restart. */
export function fingerprintOf(plan: LaunchPlan): string {
  return createHash('sha256').update(JSON.stringify(plan)).digest('hex').slice(0, 16);
}

/** Writes the service's files, prepares its folder and starts its process. Returns before it is ready. */
export async function startService(
  service: Service,
  context: ServiceContext,
  plan: LaunchPlan,
  signal: AbortSignal,
): Promise<ProcessRecord> {
  const { settings, dataFolder, sink } = context;
  await mkdir(path.join(dataFolder, 'tmp'), { recursive: true });
  for (const [file, content] of Object.entries(plan.files ?? {})) {
    await writeFile(file, content, { mode: 0o600 });
  }
  await service.prepare?.(context, plan, signal);
  return launch(settings.home, {
    service: service.name,
    file: plan.file,
    args: plan.args,
    env: serviceEnvironment(settings.env, plan),
    port: settings.ports[service.port],
    fingerprint: fingerprintOf(plan),
    ...(service.needsSink && sink !== undefined
      ? { sink: { kind: sink.kind, version: sink.version, source: sink.source, reason: sink.reason } }
      : {}),
  });
}

/**
 * Waits until the service's process serves its clients.
 *
 * @throws PipelineError at once when the process dies, with the cause if it is a known one and the last lines
 *   of its log; `SERVICE_NOT_READY` when it lives but the deadline passes
 */
export async function awaitReady(service: Service, home: Home, signal: AbortSignal): Promise<void> {
  const ready = async () => {
    const running = runningProcess(home, service.name);
    if (running === undefined) throw diedEarly(service, home);
    return service.isReady(running.record.port);
  };
  try {
    await waitFor(ready, {
      what: service.name,
      timeoutMs: service.readyTimeoutMs,
      pollIntervalMs: 150,
      signal,
    });
  } catch (error) {
    if (!(error instanceof PipelineError) || error.code !== 'TIMED_OUT') throw error;
    throw new PipelineError('SERVICE_NOT_READY', {
      what: `${service.name} was not ready within ${Math.round(service.readyTimeoutMs / 1000)} s`,
      where: readRecord(home, service.name)?.logFile ?? home.logs,
      todo: `${lastLines(logSinceStart(home, service.name))}\nIf it stays so: npm run down, then npm run up.`,
      retryable: true,
      cause: error,
    });
  }
}

function diedEarly(service: Service, home: Home): PipelineError {
  const log = logSinceStart(home, service.name);
  const known = knownFailureIn(log, service.knownFailures);
  return new PipelineError(known?.code ?? 'SERVICE_DIED', {
    what:
      known === undefined
        ? `${service.name} ended before it was ready`
        : `${service.name} could not start: ${known.what}`,
    where: readRecord(home, service.name)?.logFile ?? home.logs,
    todo: known?.todo ?? lastLines(log),
  });
}

/** The first known failure that the log shows. */
export function knownFailureIn(log: string, failures: readonly KnownFailure[]): KnownFailure | undefined {
  return failures.find(({ pattern }) => pattern.test(log));
}

/** The end of a log for a reader: without the frames of stack traces. */
export function lastLines(log: string, count = shownLogLines): string {
  return log
    .split('\n')
    .filter((line) => line.trim() !== '' && !/^\s+at |^\s*\.\.\. \d+ more/.test(line))
    .slice(-count)
    .map((line) => (line.length > 240 ? `${line.slice(0, 239)}…` : line))
    .join('\n');
}

/** What the service's present process has logged, without the line that says how it was started. */
function logSinceStart(home: Home, service: string): string {
  const record = readRecord(home, service);
  if (record === undefined) return '';
  const descriptor = openSync(record.logFile, 'r');
  try {
    const { size } = fstatSync(descriptor);
    const from = Math.max(record.logOffset, size - inspectedBytes);
    const buffer = Buffer.alloc(Math.max(0, size - from));
    readSync(descriptor, buffer, 0, buffer.length, from);
    return buffer.toString('utf8').replace(/^--- .*\n/, '');
  } finally {
    closeSync(descriptor);
  }
}
