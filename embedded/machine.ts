import { existsSync, statfsSync } from 'node:fs';
import path from 'node:path';
import { PipelineError } from '../core/errors.ts';
import { runCommand } from '../core/run-command.ts';

/** The first Java that Kafka 4 runs on. */
export const minimumJavaMajor = 17;

const probeTimeoutMs = 20_000;

/** The java program: JAVA_HOME's, or the first on the PATH. */
export function javaProgram(env: NodeJS.ProcessEnv, tool: 'java' | 'javac' = 'java'): string {
  const home = env['JAVA_HOME'];
  const inHome = home ? path.join(home, 'bin', tool) : undefined;
  return inHome !== undefined && existsSync(inHome) ? inHome : tool;
}

/** Something this machine should have. */
export interface Finding {
  name: string;
  ok: boolean;
  /** What was found: a version, an address, or what is wrong. */
  found: string;
  /** How to get it, where it is not all right. */
  cure?: string;
}

export interface ProbeOptions {
  env: NodeJS.ProcessEnv;
  signal?: AbortSignal | undefined;
  cwd?: string;
}

/** What a program prints about its version; undefined when it is not there or does not work. */
export async function versionOutput(
  file: string,
  args: readonly string[],
  { env, signal, cwd }: ProbeOptions,
): Promise<string | undefined> {
  try {
    const { stdout, stderr } = await runCommand(file, args, {
      purpose: `Asking ${file} for its version`,
      env,
      timeoutMs: probeTimeoutMs,
      ...(cwd === undefined ? {} : { cwd }),
      ...(signal === undefined ? {} : { signal }),
    });
    return `${stdout}\n${stderr}`;
  } catch (error) {
    if (signal?.aborted) throw error;
    return undefined;
  }
}

/** `17` of `openjdk version "17.0.15"`, `8` of `java version "1.8.0_392"`, `21` of `javac 21-ea`. */
export function javaMajor(text: string): number | undefined {
  const match = /(?:version "|javac )(?:1\.)?(\d+)/.exec(text);
  return match === null ? undefined : Number(match[1]);
}

/** Java to run the services, without the compiler. */
export async function checkJava(probe: ProbeOptions): Promise<Finding> {
  const file = javaProgram(probe.env);
  return judgeJava(await versionOutput(file, ['-version'], probe), file);
}

/** Pure part of {@link checkJava}. */
export function judgeJava(versionText: string | undefined, file: string): Finding {
  const cure = `Install a JDK ${minimumJavaMajor} or newer (Debian: apt-get install openjdk-17-jdk-headless), or point JAVA_HOME at one.`;
  const name = `Java ${minimumJavaMajor}+`;
  if (versionText === undefined) return { name, ok: false, found: 'not installed', cure };
  const major = javaMajor(versionText);
  const version = /version "([^"]+)"/.exec(versionText)?.[1];
  const where = file === 'java' ? '' : ` (${file})`;
  if (major === undefined) return { name, ok: false, found: `${file} does not say its version`, cure };
  return major < minimumJavaMajor
    ? { name, ok: false, found: `Java ${version ?? major} is too old${where}`, cure }
    : { name, ok: true, found: `${version ?? major}${where}` };
}

export async function checkMaven(probe: ProbeOptions): Promise<Finding> {
  const text = await versionOutput('mvn', ['-B', '--version'], probe);
  // With a terminal's colours around it where Maven thinks that it has one.
  const version = /Apache Maven ([\d.]+[\w.-]*)/.exec(text ?? '')?.[1];
  return version === undefined
    ? {
        name: 'Maven',
        ok: false,
        found: text === undefined ? 'not installed' : 'does not work',
        cure: 'Install Maven 3.6 or newer (Debian: apt-get install maven). It fetches the jars, once.',
      }
    : { name: 'Maven', ok: true, found: version };
}

/** Free space for the state: data of a demo is below 1 GB, and Kafka and ClickHouse stop badly on a full disk. */
export const minimumFreeBytes = 2 * 1024 ** 3;

export function checkDisk(folder: string, requiredBytes = minimumFreeBytes): Finding {
  let existing = folder;
  while (!existsSync(existing)) existing = path.dirname(existing);
  const { bavail, bsize } = statfsSync(existing);
  const free = bavail * bsize;
  const name = 'Disk space';
  const found = `${gigabytes(free)} free at ${folder}`;
  return free >= requiredBytes
    ? { name, ok: true, found }
    : {
        name,
        ok: false,
        found: `only ${found}`,
        cure: `Free ${gigabytes(requiredBytes)} there, or move the state to another disk with PIPELINE_HOME.`,
      };
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1024 ** 3).toFixed(1)} GB`;
}

/**
 * @throws PipelineError `MACHINE_NOT_READY` naming everything that is missing with its cure
 */
export function demandAll(findings: readonly Finding[]): void {
  const missing = findings.filter(({ ok }) => !ok);
  if (missing.length === 0) return;
  throw new PipelineError('MACHINE_NOT_READY', {
    what: `The stack cannot start here: ${missing.map(({ name, found }) => `${name}: ${found}`).join('; ')}`,
    todo: missing.map(({ cure }) => cure).join('\n'),
  });
}
