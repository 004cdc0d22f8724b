import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { codeOf } from '../../core/errors.ts';

export interface ProcessInfo {
  /** Differs between two processes that had the same pid one after the other, also across a reboot. */
  identity: string;
  /** The program's name, for messages. */
  name: string;
  /** Resident memory. */
  memoryBytes: number;
}

/** What the system says about `pid`, or undefined when there is no such process or only its corpse is left. */
export function processInfo(pid: number): ProcessInfo | undefined {
  return process.platform === 'linux' ? fromProc(pid) : fromPs(pid);
}

function fromProc(pid: number): ProcessInfo | undefined {
  const stat = readProc(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // "pid (name) state ppid ...": the name may hold spaces and brackets itself (proc_pid_stat(5)).
  const nameEnd = stat.lastIndexOf(')');
  const fields = stat.slice(nameEnd + 2).split(' ');
  const state = fields[0];
  const startTicks = fields[19];
  if (startTicks === undefined || state === 'Z' || state === 'X') return undefined;
  const bootId = readProc('/proc/sys/kernel/random/boot_id')?.trim() ?? '';
  const residentKilobytes = /^VmRSS:\s+(\d+)/m.exec(readProc(`/proc/${pid}/status`) ?? '')?.[1] ?? '0';
  return {
    identity: `${bootId}/${startTicks}`,
    name: stat.slice(stat.indexOf('(') + 1, nameEnd),
    memoryBytes: Number(residentKilobytes) * 1024,
  };
}

function fromPs(pid: number): ProcessInfo | undefined {
  const { stdout, status } = spawnSync('ps', ['-o', 'lstart=,state=,rss=,comm=', '-p', String(pid)], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
  });
  const match = /^(\S+ +\S+ +\d+ [\d:]+ \d{4}) +(\S+) +(\d+) +(.*)$/.exec(stdout.trim());
  if (status !== 0 || match === null) return undefined;
  const [, started = '', state = '', kilobytes = '0', name = ''] = match;
  if (state.startsWith('Z')) return undefined;
  return { identity: started, name, memoryBytes: Number(kilobytes) * 1024 };
}

/**
 * The process that listens on `port`, or undefined where that cannot be told: on other systems than Linux, or
 * when it belongs to another user.
 */
export function listenerOf(port: number): { pid: number; name: string } | undefined {
  const inodes = new Set(['/proc/net/tcp', '/proc/net/tcp6'].flatMap((table) => socketInodes(table, port)));
  if (inodes.size === 0) return undefined;
  for (const pid of readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)) {
    for (const descriptor of listDescriptors(pid)) {
      const inode = /^socket:\[(\d+)\]$/.exec(descriptor)?.[1];
      if (inode !== undefined && inodes.has(inode)) return { pid, name: processInfo(pid)?.name ?? 'unknown' };
    }
  }
  return undefined;
}

/** Inodes of the sockets of a /proc/net/tcp table that listen on `port`. */
function socketInodes(table: string, port: number): string[] {
  const listening = '0A';
  const hexPort = port.toString(16).toUpperCase().padStart(4, '0');
  return (readProc(table) ?? '')
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[1]?.endsWith(`:${hexPort}`) && fields[3] === listening)
    .flatMap((fields) => fields[9] ?? []);
}

function listDescriptors(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap((descriptor) => {
      try {
        return readlinkSync(`/proc/${pid}/fd/${descriptor}`);
      } catch {
        return [];
      }
    });
  } catch {
    return [];
  }
}

/** A file of /proc; undefined when its process is gone, which may happen while it is being read. */
function readProc(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (['ENOENT', 'ESRCH', 'EACCES'].includes(codeOf(error) ?? '')) return undefined;
    throw error;
  }
}
