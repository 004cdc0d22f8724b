import { readFileSync } from 'node:fs';
import path from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { z } from 'zod';
import { projectRoot } from '../../core/home.ts';

/** What a stage of `npm test` came to. */
export interface StageResult {
  passed: number;
  failed: number;
  skipped: number;
  /** What failed and why, for whoever sees only the end of the output. */
  failures: readonly Failure[];
}

export interface Failure {
  /** A test with its file, or a check. */
  what: string;
  why: string;
}

const report = z.object({
  numPassedTests: z.number(),
  numFailedTests: z.number(),
  numPendingTests: z.number(),
  numTodoTests: z.number(),
  testResults: z.array(
    z.object({
      name: z.string(),
      status: z.string(),
      message: z.string().optional(),
      assertionResults: z.array(
        z.object({
          fullName: z.string(),
          status: z.string(),
          failureMessages: z.array(z.string()).nullish(),
        }),
      ),
    }),
  ),
});

/** Longer ones are cut: this is an overview, all of it stands further up. */
const maxWhyCharacters = 300;

/** Reads what `vitest --reporter=json` wrote to `file`. */
export function readVitestReport(file: string, exitCode: number): StageResult {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return brokenRun(`vitest ended with ${exitCode} before it wrote its report`);
  }
  const { testResults, ...counts } = report.parse(JSON.parse(text));
  const failures = testResults.flatMap((file): Failure[] => {
    const name = path.relative(projectRoot, file.name);
    const failed = file.assertionResults.filter(({ status }) => status === 'failed');
    if (failed.length === 0 && file.status === 'failed') {
      return [{ what: name, why: firstLine(file.message) }];
    }
    return failed.map(({ fullName, failureMessages }) => ({
      what: `${name} > ${fullName.trim()}`,
      why: firstLine(failureMessages?.[0]),
    }));
  });
  // A set-up that broke, or an error outside any test, fails the run without failing a test.
  if (exitCode !== 0 && failures.length === 0) {
    failures.push(...brokenRun(`vitest ended with ${exitCode}: an error outside of any test`).failures);
  }
  return {
    passed: counts.numPassedTests,
    failed: Math.max(counts.numFailedTests, failures.length),
    skipped: counts.numPendingTests + counts.numTodoTests,
    failures,
  };
}

function brokenRun(why: string): StageResult {
  return { passed: 0, failed: 1, skipped: 0, failures: [{ what: 'the run itself', why }] };
}

function firstLine(message: string | undefined): string {
  const lines = stripVTControlCharacters(message ?? '').split('\n');
  const line = lines.find((text) => text.trim() !== '')?.trim() ?? 'no message';
  return line.length > maxWhyCharacters ? `${line.slice(0, maxWhyCharacters - 1)}…` : line;
}
