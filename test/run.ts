/**
 * `npm test`: everything CI runs, in the order of what fails fastest. Every stage runs even after a failure,
 * so that one run shows all there is to repair. Ends with the stages and their seconds, what failed and why,
 * and, as its last line, `N passed, N failed`: each test and each static check counts as one.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { renderTable } from '../cli/output.ts';
import { projectRoot, resolveHome } from '../core/home.ts';
import { ensurePrerequisites } from './support/prerequisites.ts';
import { readVitestReport, type StageResult } from './support/vitest-report.ts';

interface Stage extends StageResult {
  name: string;
  seconds: number;
}

const reports = mkdtempSync(path.join(tmpdir(), 'billing-tests-'));
// Stacks of the tests live in temporary folders, but share the jars of this checkout.
const env = { ...process.env, PIPELINE_CACHE: resolveHome(process.env).cache };

const checks: readonly (readonly [name: string, ...command: string[]])[] = [
  ['format', 'npx', 'prettier', '--check', '.'],
  ['lint', 'npx', 'eslint', '.', '--max-warnings', '0'],
  ['typecheck', 'npx', 'tsc'],
  ['unused', 'npx', 'knip'],
];
const projects = ['unit', 'integration', 'e2e'];

/** How much of a failed check's output the summary repeats. */
const shownLines = 12;

try {
  await ensurePrerequisites();
  // Each check keeps one core busy.
  const stages = await Promise.all(checks.map(([name, ...command]) => timed(name, () => check(command))));
  for (const name of projects) {
    process.stdout.write(`\n> ${name}\n`);
    stages.push(await timed(name, () => vitest(name)));
  }
  report(stages);
} finally {
  rmSync(reports, { recursive: true, force: true });
}

async function timed(name: string, run: () => Promise<StageResult>): Promise<Stage> {
  const startedAt = performance.now();
  const result = await run();
  return { name, ...result, seconds: Math.round((performance.now() - startedAt) / 1000) };
}

async function check(command: readonly string[]): Promise<StageResult> {
  let output = '';
  const exitCode = await execute(command, (text) => (output += text));
  // In one piece, as checks run side by side.
  process.stdout.write(`\n> ${command.join(' ')}\n${output}`);
  if (exitCode === 0) return { passed: 1, failed: 0, skipped: 0, failures: [] };
  const why = output.trimEnd().split('\n').slice(-shownLines).join('\n  ');
  return { passed: 0, failed: 1, skipped: 0, failures: [{ what: command.join(' '), why }] };
}

async function vitest(project: string): Promise<StageResult> {
  const file = path.join(reports, `${project}.json`);
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
  const exitCode = await execute(['npx', 'vitest', 'run', '--project', project, ...reporters]);
  return readVitestReport(file, exitCode);
}

/** Runs a command; its output goes to the terminal, or to `onOutput`. */
async function execute(
  [file = '', ...args]: readonly string[],
  onOutput?: (text: string) => void,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const output = onOutput === undefined ? 'inherit' : 'pipe';
    const child = spawn(file, args, { cwd: projectRoot, env, stdio: ['ignore', output, output] });
    for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', onOutput!);
    child.once('error', reject);
    child.once('close', (exitCode) => {
      resolve(exitCode ?? 1);
    });
  });
}

function report(stages: readonly Stage[]): void {
  const counted = ['passed', 'failed', 'skipped', 'seconds'] as const;
  const columns = ['stage', ...counted].map((title, index) => ({
    title,
    align: index === 0 ? ('left' as const) : ('right' as const),
  }));
  const rows = stages.map((stage) => [stage.name, ...counted.map((column) => stage[column])]);
  process.stdout.write(`\n${renderTable(columns, rows)}\n\n`);
  for (const { name, failures } of stages) {
    for (const { what, why } of failures) process.stdout.write(`FAILED ${name}: ${what}\n  ${why}\n`);
  }
  const total = (column: (typeof counted)[number]) => stages.reduce((sum, stage) => sum + stage[column], 0);
  const skipped = total('skipped') > 0 ? `, ${total('skipped')} skipped` : '';
  process.stdout.write(`${total('passed')} passed, ${total('failed')} failed${skipped}\n`);
  process.exitCode = total('failed') > 0 ? 1 : 0;
}
