import path from 'node:path';
import { satisfies } from 'semver';
import { z } from 'zod';
import { projectRoot } from '../core/home.ts';
import { parseWith, readJson } from '../core/parse.ts';
import {
  checkDisk,
  checkJava,
  checkMaven,
  javaMajor,
  javaProgram,
  minimumJavaMajor,
  versionOutput,
  type Finding,
  type ProbeOptions,
} from './machine.ts';
import { describeTaken, takenPorts } from './ports.ts';
import { runningProcess } from './process/process-record.ts';
import { services } from './services/all-services.ts';
import { portsOf, type StackSettings } from './settings.ts';

/** The oldest Python that all of dbt and Superset run on. */
const minimumPythonMinor = 11;

/** Looks for everything the pipeline needs of this machine. Changes nothing. */
export async function examineMachine(settings: StackSettings, signal?: AbortSignal): Promise<Finding[]> {
  const probe = { env: settings.env, signal };
  return [
    judgeNode(process.versions.node, readEngines()),
    ...(await Promise.all([
      checkEngine(probe),
      checkJava(probe),
      checkCompiler(probe),
      checkMaven(probe),
      checkPython(probe),
      checkPorts(settings),
    ])),
    checkDisk(settings.home.root),
  ];
}

/** Node against the `engines` of package.json. */
export function judgeNode(version: string, engines: string): Finding {
  const name = 'Node';
  if (satisfies(version, engines)) return { name, ok: true, found: version };
  return {
    name,
    ok: false,
    found: `${version} is not one of ${engines}`,
    cure: 'Install Node 20.19, 22 or 24 (with nvm: nvm install), then run npm ci again.',
  };
}

/** Python with its venv module, for dbt and Superset. */
export function judgePython(output: string | undefined): Finding {
  const name = `Python 3.${minimumPythonMinor}+`;
  const cure = 'Install Python and its venv module (Debian: apt-get install python3 python3-venv).';
  if (output === undefined) {
    return { name, ok: false, found: 'not installed, or without its venv module', cure };
  }
  const [version = '', major, minor] = /(\d+)\.(\d+)\.\d+/.exec(output) ?? [];
  if (Number(major) > 3 || (Number(major) === 3 && Number(minor) >= minimumPythonMinor)) {
    return { name, ok: true, found: version };
  }
  return { name, ok: false, found: `${version || 'unknown'} is too old`, cure };
}

function readEngines(): string {
  const file = path.join(projectRoot, 'package.json');
  const what = 'package.json is not as expected';
  return parseWith(z.object({ engines: z.object({ node: z.string() }) }), readJson(file, what), what, file)
    .engines.node;
}

/** The native library of the ClickHouse engine, in a process of its own: a wrong one ends its process. */
async function checkEngine(probe: ProbeOptions): Promise<Finding> {
  const program = "const { query } = require('chdb'); console.log(query('SELECT version()'))";
  const version = await versionOutput(process.execPath, ['-e', program], { ...probe, cwd: projectRoot });
  const name = 'ClickHouse engine';
  if (version !== undefined) return { name, ok: true, found: version.trim().replaceAll('"', '') };
  return {
    name,
    ok: false,
    found: `chdb does not load on ${process.platform} ${process.arch}`,
    cure: 'Run npm ci without --omit=optional. It runs on Linux with glibc and on macOS, x64 and arm64.',
  };
}

/** The stand-in sink is compiled here, where the official one is not to be had. */
async function checkCompiler(probe: ProbeOptions): Promise<Finding> {
  const output = await versionOutput(javaProgram(probe.env, 'javac'), ['-version'], probe);
  const major = output === undefined ? undefined : javaMajor(output);
  const name = 'Java compiler';
  if (major !== undefined && major >= minimumJavaMajor) {
    return { name, ok: true, found: `javac ${String(major)}` };
  }
  return {
    name,
    ok: false,
    found: major === undefined ? 'not installed' : `javac ${String(major)} is too old`,
    cure: `Install a JDK ${minimumJavaMajor} or newer instead of a runtime only (Debian: apt-get install openjdk-17-jdk-headless).`,
  };
}

async function checkPython(probe: ProbeOptions): Promise<Finding> {
  const program = 'import venv, ensurepip, platform; print(platform.python_version())';
  return judgePython(await versionOutput('python3', ['-c', program], probe));
}

/** Ports of services that do not run must be free; those that run have theirs. */
async function checkPorts(settings: StackSettings): Promise<Finding> {
  const stopped = services.filter(({ name }) => runningProcess(settings.home, name) === undefined);
  const taken = await takenPorts(stopped.flatMap((service) => portsOf(settings, service)));
  const all = Object.values(settings.ports).join(', ');
  const name = 'Ports';
  if (taken.length === 0) return { name, ok: true, found: `${all} are free or ours` };
  return {
    name,
    ok: false,
    found: taken.map(describeTaken).join('; '),
    cure: `Stop what has them, or choose others with ${taken.map(({ variable }) => variable).join(', ')}.`,
  };
}
