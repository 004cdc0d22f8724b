import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, renameSync, statSync, writeSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { PipelineError, messageOf } from '../../core/errors.ts';
import { projectRoot, type Home } from '../../core/home.ts';
import { waitFor } from '../../core/wait.ts';
import { processInfo } from './process-info.ts';
import { removeRecord, runningProcess, writeRecord, type ProcessRecord } from './process-record.ts';

/** A log above this size is set aside as `<name>.log.1` at the next start. */
const logSizeLimitBytes = 10 * 1024 * 1024;

/** How long a process may take to vanish after SIGKILL. */
const killDeadlineMs = 10_000;

export interface Launch {
  service: string;
  file: string;
  args: readonly string[];
  env: NodeJS.ProcessEnv;
  port: number;
  fingerprint: string;
  sink?: ProcessRecord['sink'];
}

/**
 * Starts a process in a session of its own, so that it survives this one and no Ctrl-C reaches it, with both
 * of its streams appended to its log, and records it.
 */
export async function launch(home: Home, { file, args, env, ...what }: Launch): Promise<ProcessRecord> {
  const logFile = path.join(home.logs, `${what.service}.log`);
  const { descriptor, offset } = openLog(
    logFile,
    `${what.service}: ${path.basename(file)} ${args.join(' ')}`,
  );
  try {
    const child = spawn(file, args, {
      cwd: projectRoot,
      env,
      detached: true,
      stdio: ['ignore', descriptor, descriptor],
    });
    // An error without a pid is thrown below; without a listener it would end this process.
    let failure: Error | undefined;
    child.once('error', (error) => (failure = error));
    child.unref();
    // Recorded in the same turn as the spawn: an interruption finds every process there is.
    const identity = child.pid === undefined ? undefined : processInfo(child.pid)?.identity;
    if (child.pid === undefined || identity === undefined) {
      await delay(0);
      throw new PipelineError('SERVICE_NOT_STARTED', {
        what: `${what.service} could not be started: ${failure === undefined ? 'it ended at once' : messageOf(failure)}`,
        where: file,
      });
    }
    const record: ProcessRecord = {
      ...what,
      pid: child.pid,
      identity,
      startedAt: new Date().toISOString(),
      logFile,
      logOffset: offset,
    };
    writeRecord(home, record);
    return record;
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Ends the service's process: SIGTERM, and SIGKILL when it is still there after `timeoutMs`.
 * A service that does not run is fine. Removes the record.
 */
export async function terminate(
  home: Home,
  service: string,
  timeoutMs: number,
): Promise<'stopped' | 'killed' | 'not running'> {
  const running = runningProcess(home, service);
  if (running === undefined) {
    removeRecord(home, service);
    return 'not running';
  }
  const { pid } = running.record;
  const isGone = () => runningProcess(home, service) === undefined;
  const wait = (waitMs: number) =>
    waitFor(isGone, { what: `${service} (pid ${pid}) to end`, timeoutMs: waitMs, pollIntervalMs: 50 });
  let outcome: 'stopped' | 'killed' = 'stopped';
  try {
    signalProcess(pid, 'SIGTERM');
    await wait(timeoutMs);
  } catch {
    outcome = 'killed';
    signalProcess(pid, 'SIGKILL');
    await wait(killDeadlineMs);
  }
  removeRecord(home, service);
  return outcome;
}

function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    // It ended between the check and the signal.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

function openLog(logFile: string, title: string): { descriptor: number; offset: number } {
  mkdirSync(path.dirname(logFile), { recursive: true });
  const size = () => statSync(logFile, { throwIfNoEntry: false })?.size ?? 0;
  if (size() > logSizeLimitBytes) renameSync(logFile, `${logFile}.1`);
  const offset = size();
  const descriptor = openSync(logFile, 'a', 0o600);
  writeSync(descriptor, `--- ${new Date().toISOString()} ${title}\n`);
  return { descriptor, offset };
}
