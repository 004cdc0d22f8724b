import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { checkContracts } from '../../../contracts/check-contracts.ts';

let root: string;

beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'sources-'));
});
afterEach(() => {
  rmSync(root, { recursive: true });
});

function check(files: Record<string, string>) {
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(path.join(root, path.dirname(file)), { recursive: true });
    writeFileSync(path.join(root, file), text);
  }
  const own = { comment: '', defaultKind: '', isInPartitionKey: false, isInSortingKey: false };
  const tables = { raw_notes: [{ name: 'note_id', type: 'String', ...own }] };
  return checkContracts({ root, topics: [], connectors: [], migrations: [], tables });
}

it('a project without dbt has no sources to check', () => {
  expect(check({})).toEqual([]);
});

it('finds sources and columns that do not exist, each on its line', () => {
  const findings = check({
    'dbt/models/staging/sources.yml': `version: 2
sources:
  - name: raw
    tables:
      - name: notes
        identifier: raw_notes
        columns:
          - name: note_id
          - name: colour
      - name: raw_gone
`,
    'dbt/models/marts/marts.yml': 'models:\n  - name: notes\n',
    'dbt/models/empty.yaml': '',
  });
  expect(
    findings.map(({ rule, subject, path: field, file, line }) => [rule, subject, field, `${file}:${line}`]),
  ).toEqual([
    ['dbt-column-missing', 'raw.notes', 'colour', 'dbt/models/staging/sources.yml:9'],
    ['dbt-source-missing', 'raw.raw_gone', '', 'dbt/models/staging/sources.yml:10'],
  ]);
});

it.each([
  ['is no YAML', 'sources: [\n'],
  ['has another shape', 'sources:\n  - tables: 5\n'],
])('reports a file that %s', (_, text) => {
  const findings = check({ 'dbt/models/sources.yml': text });
  expect(findings).toMatchObject([
    { rule: 'dbt-unreadable', level: 'error', file: 'dbt/models/sources.yml' },
  ]);
  expect(findings[0]?.what).toMatch(/^it can not be read: .+/);
});
