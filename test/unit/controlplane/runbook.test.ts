import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { causeClasses, summarizeTrace } from '../../../controlplane/trace-causes.ts';
import { projectRoot } from '../../../core/home.ts';

const runbook = readFileSync(path.join(projectRoot, 'docs', 'runbook.md'), 'utf8');
const sections = new Map(
  runbook
    .split(/^## /m)
    .slice(1)
    .map((section) => [section.split('\n', 1)[0] ?? '', section]),
);
const traces = path.join(projectRoot, 'test', 'fixtures', 'traces');
const seen = readdirSync(traces, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.txt'))
  .map((file) => readFileSync(path.join(traces, file), 'utf8'))
  .join('\n');

test('the runbook has one section for each cause, and no other', () => {
  expect([...sections.keys()]).toEqual(causeClasses);
});

test.each(causeClasses)(
  'the section on %s says what it looks like, why, what is done, and how to verify it',
  (cause) => {
    for (const part of ['**Looks like**', '**Why.**', '**The watcher**', '**You**', '**Verify**']) {
      expect(sections.get(cause)).toContain(part);
    }
  },
);

test.each(causeClasses)(
  'the excerpts on %s are from real traces, and are recognised as what they stand for',
  (cause) => {
    const excerpts = [...(sections.get(cause) ?? '').matchAll(/```text\n([^]+?)\n```/g)].map(
      ([, text]) => text ?? '',
    );
    expect(excerpts.length).toBeGreaterThan(0);
    for (const excerpt of excerpts) {
      expect(seen).toContain(excerpt);
      expect(summarizeTrace(excerpt).cause).toBe(cause);
    }
  },
);
