import path from 'node:path';
import { projectRoot } from '../../core/home.ts';
import type { ServiceContext } from './service.ts';

/** Log4j's configuration of the broker and the worker: one line an event, on standard output. */
const log4jFile = path.join(projectRoot, 'embedded', 'services', 'log4j2.xml');

export interface JvmOptions {
  /** The heap's cap. Threads, classes and buffers come on top, 100 to 200 MB. */
  maxHeapMegabytes: number;
  /** Off-heap buffers of the network layer. */
  maxDirectMegabytes: number;
}

/** Arguments every JVM of the stack gets. Nothing is written outside of the service's folder. */
export function jvmArguments(
  { dataFolder }: ServiceContext,
  { maxHeapMegabytes, maxDirectMegabytes }: JvmOptions,
): string[] {
  return [
    `-Xmx${maxHeapMegabytes}m`,
    `-XX:MaxDirectMemorySize=${maxDirectMegabytes}m`,
    // On two cores and a heap of this size it is as fast as G1 and takes 100 MB less beside the heap.
    '-XX:+UseSerialGC',
    // Java copies each read and write of a socket through direct memory and by default keeps the largest such
    // buffer of every thread: a few large fetches would exhaust the cap above.
    '-Djdk.nio.maxCachedBufferSize=1048576',
    // A process without memory must end, and be reported, rather than limp on.
    '-XX:+ExitOnOutOfMemoryError',
    // Otherwise each JVM leaves a file in the system's temporary folder.
    '-XX:-UsePerfData',
    `-Djava.io.tmpdir=${path.join(dataFolder, 'tmp')}`,
    '-Djava.net.preferIPv4Stack=true',
    '-Djava.awt.headless=true',
  ];
}

/** Arguments of the programs that log through Log4j. */
export const log4jArguments: readonly string[] = [`-Dlog4j2.configurationFile=${log4jFile}`];

/** glibc gives each thread an arena of its own, which a JVM with 100 threads pays for with its memory. */
export const jvmEnvironment = { MALLOC_ARENA_MAX: '2' } as const;

/** Renders a Java properties file, which is Latin-1 and takes a backslash for the start of an escape. */
export function renderProperties(properties: Readonly<Record<string, string | number>>): string {
  return Object.entries(properties)
    .map(([key, value]) => `${key}=${escapeProperty(String(value))}\n`)
    .join('');
}

function escapeProperty(value: string): string {
  return value
    .replaceAll('\\', '\\\\')
    .replaceAll(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
