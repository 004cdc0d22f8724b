import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PipelineError } from '../core/errors.ts';
import { projectRoot } from '../core/home.ts';
import { testEnvironment } from '../test/support/test-stack.ts';
import type { Measurement } from './measurement.ts';

/** A demo with this checkout's jars, as every run after the first one has them. */
export async function runLater(): Promise<Measurement[]> {
  const env = { ...process.env, ...(await testEnvironment()) };
  try {
    const seconds = await time('npm run demo -- --down', projectRoot, env);
    return [
      { name: 'demo, later run', value: `${seconds.toFixed(0)} s`, target: '< 90 s', ok: seconds < 90 },
    ];
  } finally {
    await rm(env['PIPELINE_HOME'] ?? '', { recursive: true, force: true });
  }
}

/** `npm ci && npm run demo` in an empty clone with empty caches: everything is downloaded. */
export async function runFirst(): Promise<Measurement[]> {
  const folder = await mkdtemp(path.join(tmpdir(), 'billing-first-'));
  try {
    const project = path.join(folder, 'project');
    await time(`git clone -q "${projectRoot}" "${project}"`, folder, process.env);
    // In the state folder itself, so that removing the folder removes all of it.
    const env = {
      ...process.env,
      ...(await testEnvironment(path.join(folder, 'state'))),
      PIPELINE_CACHE: '',
      npm_config_cache: path.join(folder, 'npm'),
      MAVEN_OPTS: `${process.env['MAVEN_OPTS'] ?? ''} -Dmaven.repo.local=${path.join(folder, 'm2')}`,
    };
    const seconds = await time('npm ci && npm run demo -- --down', project, env);
    return [
      {
        name: 'demo, first run, downloads included',
        value: `${seconds.toFixed(0)} s`,
        target: '< 360 s',
        ok: seconds < 360,
      },
    ];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function time(command: string, cwd: string, env: NodeJS.ProcessEnv): Promise<number> {
  const startedAt = performance.now();
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    const child = spawn('sh', ['-c', command], { cwd, env, stdio: ['ignore', 'ignore', 'inherit'] });
    child.once('error', reject).once('close', resolve);
  });
  if (exitCode !== 0)
    throw new PipelineError('BENCH_FAILED', { what: `"${command}" ended with ${String(exitCode)}` });
  return (performance.now() - startedAt) / 1000;
}
