import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { projectRoot } from '../../core/home.ts';
import { readVitestReport } from '../support/vitest-report.ts';

function write(content: object | undefined): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'vitest-report-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const file = path.join(folder, 'report.json');
  if (content !== undefined) writeFileSync(file, JSON.stringify(content));
  return file;
}

const counts = { numPassedTests: 7, numFailedTests: 0, numPendingTests: 1, numTodoTests: 1 };
const one = { fullName: 'a suite a test', status: 'passed' };

test('a report without failures has counts only', () => {
  const testResults = [{ name: 'a.test.ts', status: 'passed', assertionResults: [one] }];
  expect(readVitestReport(write({ ...counts, testResults }), 0)).toEqual({
    passed: 7,
    failed: 0,
    skipped: 2,
    failures: [],
  });
});

test('each failed test is named with its file and the first line of its error', () => {
  const failureMessages = ['\n\u001b[31mAssertionError\u001b[39m: expected 1 to be 2\n    at file.ts:1:1'];
  const testResults = [
    {
      name: path.join(projectRoot, 'test/unit/a.test.ts'),
      status: 'failed',
      message: '',
      assertionResults: [one, { fullName: ' fails', status: 'failed', failureMessages }],
    },
  ];
  const file = write({ ...counts, numFailedTests: 1, testResults });
  expect(readVitestReport(file, 1)).toMatchObject({
    failed: 1,
    failures: [{ what: 'test/unit/a.test.ts > fails', why: 'AssertionError: expected 1 to be 2' }],
  });
});

test('a file that fails as a whole counts, and so does an error outside of any test', () => {
  const broken = {
    name: path.join(projectRoot, 'test/b.test.ts'),
    status: 'failed',
    message: `no such module ${'x'.repeat(400)}`,
    assertionResults: [{ fullName: 'never ran', status: 'skipped', failureMessages: [] }],
  };
  const { failed, failures } = readVitestReport(write({ ...counts, testResults: [broken] }), 1);
  expect(failed).toBe(1);
  expect(failures[0]?.what).toBe('test/b.test.ts');
  expect(failures[0]?.why).toMatch(/^no such module x+…$/);

  expect(readVitestReport(write({ ...counts, testResults: [] }), 1)).toMatchObject({
    passed: 7,
    failed: 1,
    failures: [{ what: 'the run itself' }],
  });
});

test('a run that wrote no report is one failure', () => {
  expect(readVitestReport(write(undefined), 137)).toEqual({
    passed: 0,
    failed: 1,
    skipped: 0,
    failures: [{ what: 'the run itself', why: 'vitest ended with 137 before it wrote its report' }],
  });
});
