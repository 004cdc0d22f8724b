/**
 * `npm test`: everything CI runs, in the order of what fails fastest. Every stage runs even after a failure,
 * so that one run shows all there is to repair. Prints the stages with their seconds and, as its last line,
 * `N passed, N failed`: each test and each static check counts as one.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import { renderTable } from '../cli/output.ts';
import { projectRoot, resolveHome } from '../core/home.ts';
import { ensurePrerequisites } from './support/prerequisites.ts';

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

const vitestReport = z.object({
  success: z.boolean(),
  numPassedTests: z.number(),
  numFailedTests: z.number(),
  numPendingTests: z.number(),
  numTodoTests: z.number(),
  numFailedTestSuites: z.number(),
});

const reports = mkdtempSync(path.join(tmpdir(), 'billing-tests-'));
// Stacks of the tests live in temporary folders, but share the jars of this checkout.
const env = { ...process.env, PIPELINE_CACHE: resolveHome(process.env).cache };

const stages: readonly (readonly [name: string, run: () => Promise<Counts>])[] = [
  ['format', () => check('npx', 'prettier', '--check', '.')],
  ['lint', () => check('npx', 'eslint', '.', '--max-warnings', '0')],
  ['typecheck', () => check('npx', 'tsc')],
  ['unused', () => check('npx', 'knip')],
  ['unit', () => vitest('unit')],
  ['integration', () => vitest('integration')],
  ['e2e', () => vitest('e2e')],
];

try {
  await ensurePrerequisites();
  const total: Counts = { passed: 0, failed: 0, skipped: 0 };
  const rows: unknown[][] = [];
  for (const [name, run] of stages) {
    process.stdout.write(`\n> ${name}\n`);
    const startedAt = performance.now();
    const counts = await run();
    rows.push([
      name,
      counts.passed,
      counts.failed,
      counts.skipped,
      Math.round((performance.now() - startedAt) / 1000),
    ]);
    total.passed += counts.passed;
    total.failed += counts.failed;
    total.skipped += counts.skipped;
  }
  const columns = ['stage', 'passed', 'failed', 'skipped', 'seconds'];
  process.stdout.write(
    `\n${renderTable(
      columns.map((title, index) => ({ title, align: index === 0 ? 'left' : 'right' })),
      rows,
    )}\n\n`,
  );
  const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : '';
  process.stdout.write(`${total.passed} passed, ${total.failed} failed${skipped}\n`);
  process.exitCode = total.failed > 0 ? 1 : 0;
} finally {
  rmSync(reports, { recursive: true, force: true });
}

async function check(...command: string[]): Promise<Counts> {
  const ok = (await execute(command)) === 0;
  return { passed: ok ? 1 : 0, failed: ok ? 0 : 1, skipped: 0 };
}

async function vitest(project: string): Promise<Counts> {
  const file = path.join(reports, `${project}.json`);
  const exitCode = await execute([
    'npx',
    'vitest',
    'run',
    '--project',
    project,
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${file}`,
  ]);
  const counts = countsOf(file);
  // A set-up that broke, or an error outside any test, fails the run without failing a test.
  if (exitCode !== 0 && counts.failed === 0) counts.failed = 1;
  return counts;
}

function countsOf(file: string): Counts {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return { passed: 0, failed: 1, skipped: 0 };
  }
  const report = vitestReport.parse(JSON.parse(text));
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

async function execute([file = '', ...args]: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { cwd: projectRoot, env, stdio: ['ignore', 'inherit', 'inherit'] });
    child.once('error', reject);
    child.once('close', (exitCode) => {
      resolve(exitCode ?? 1);
    });
  });
}
