import { readFileSync } from 'node:fs';
import { processInfo } from '../embedded/process/process-info.ts';
import { runningProcess } from '../embedded/process/process-record.ts';
import { services } from '../embedded/services/all-services.ts';
import type { ServiceName } from '../embedded/services/service.ts';
import type { StackSettings } from '../embedded/settings.ts';

/** What one process took while it was watched. */
export interface ProcessUse {
  service: ServiceName;
  /** Resident memory at its highest, of samples half a second apart. */
  peakBytes: number;
  /** Processor time of all its threads; undefined where the system does not say. */
  cpuSeconds: number | undefined;
}

const sampleIntervalMs = 500;
/** Linux counts processor time in hundredths of a second, whatever the kernel's own clock (proc(5)). */
const ticksPerSecond = 100;

/** Watches the processes of a stack until it is stopped. */
export function watchProcesses({ home }: Pick<StackSettings, 'home'>): {
  stop: () => void;
  use: () => ProcessUse[];
} {
  const watched = services.flatMap(({ name }) => {
    const pid = runningProcess(home, name)?.record.pid;
    if (pid === undefined) return [];
    const cpuBefore = cpuSecondsOf(pid);
    return [{ name, pid, cpuBefore, cpuAfter: cpuBefore, peakBytes: 0 }];
  });
  const sample = () => {
    for (const entry of watched) {
      entry.peakBytes = Math.max(entry.peakBytes, processInfo(entry.pid)?.memoryBytes ?? 0);
      entry.cpuAfter = cpuSecondsOf(entry.pid);
    }
  };
  sample();
  const timer = setInterval(sample, sampleIntervalMs);
  return {
    stop: () => {
      clearInterval(timer);
      sample();
    },
    use: () =>
      watched.map(({ name, peakBytes, cpuBefore, cpuAfter }) => ({
        service: name,
        peakBytes,
        cpuSeconds: cpuBefore === undefined || cpuAfter === undefined ? undefined : cpuAfter - cpuBefore,
      })),
  };
}

function cpuSecondsOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // Behind the name, which may hold anything: state is field 3, user and system time are 14 and 15.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
  } catch {
    return undefined;
  }
}
