import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import type { Home } from '../../core/home.ts';
import { replaceFile } from '../../core/replace-file.ts';
import { processInfo, type ProcessInfo } from './process-info.ts';

const recordSchema = z.object({
  service: z.string(),
  pid: z.int().positive(),
  /** Tells the process apart from a later one with the same pid. */
  identity: z.string(),
  startedAt: z.iso.datetime(),
  port: z.int(),
  /** Of everything the process was started with: another one means that it must be restarted. */
  fingerprint: z.string(),
  logFile: z.string(),
  /** Where this process's part of the log begins, in bytes. */
  logOffset: z.int(),
  /** Only of the Connect worker: the sink on its plugin path. */
  sink: z
    .object({
      kind: z.enum(['official', 'stand-in']),
      version: z.string(),
      source: z.string(),
      reason: z.string(),
    })
    .optional(),
});

/** What is known about a process that was started, kept in `<home>/run/<service>.json`. */
export type ProcessRecord = z.infer<typeof recordSchema>;

export interface RunningProcess {
  record: ProcessRecord;
  info: ProcessInfo;
}

export function writeRecord(home: Home, record: ProcessRecord): void {
  replaceFile(recordFile(home, record.service), JSON.stringify(record, null, 2));
}

export function removeRecord(home: Home, service: string): void {
  rmSync(recordFile(home, service), { force: true });
}

/** The service's process, or undefined when it has none: never started, stopped, or dead. */
export function runningProcess(home: Home, service: string): RunningProcess | undefined {
  const record = readRecord(home, service);
  if (record === undefined) return undefined;
  const info = processInfo(record.pid);
  return info?.identity === record.identity ? { record, info } : undefined;
}

/** The last record of the service, whether its process lives or not. */
export function readRecord(home: Home, service: string): ProcessRecord | undefined {
  try {
    return recordSchema.parse(JSON.parse(readFileSync(recordFile(home, service), 'utf8')));
  } catch {
    // Absent, or written by another version of this file: a process behind it shows up at the port check.
    return undefined;
  }
}

function recordFile(home: Home, service: string): string {
  return path.join(home.run, `${service}.json`);
}
