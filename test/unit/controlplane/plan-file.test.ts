import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { describeError } from '../../../cli/report-error.ts';
import {
  readPlanFile,
  requireSamePlan,
  toSavedPlan,
  writePlanFile,
} from '../../../controlplane/plan-file.ts';
import { planConnectors } from '../../../controlplane/plan.ts';
import { createSecretHash } from '../../../controlplane/secret-hash.ts';
import { desired, live, task } from './fixtures.ts';

const hash = createSecretHash('the key of the test');
const asked = { target: 'trial', address: 'http://worker', prune: false, rewriteSecrets: false, hash };

type Desired = ReturnType<typeof desired>;
type Live = ReturnType<typeof live>;

const plan = (wanted: readonly Desired[], there: readonly Live[]) =>
  planConnectors(wanted, new Map(there.map((one) => [one.name, one])), { hash });

function file(content?: string): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'plan-file-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true });
  });
  const at = path.join(folder, 'plan.json');
  if (content !== undefined) writeFileSync(at, content);
  return at;
}

function refusal(
  saved: ReturnType<typeof plan>,
  now: ReturnType<typeof plan>,
  circumstances = asked,
): string {
  try {
    requireSamePlan(toSavedPlan(saved, asked), now, circumstances, 'plan.json');
  } catch (error) {
    return describeError(error);
  }
  return '';
}

const wanted = [desired('a', { x: '2', password: 'planted-new' }), desired('b', { x: '1' })];
const there = [live('a', { x: '1', password: 'planted-old' }), live('b', { x: '1' })];

test('a saved plan comes back, belongs to its owner only, holds no secret, and fits the same world', () => {
  const at = file();
  const saved = toSavedPlan(plan(wanted, there), asked);
  writePlanFile(at, saved);
  const back = readPlanFile(at);
  expect(back).toEqual(JSON.parse(JSON.stringify(saved)));
  expect(JSON.stringify(back)).not.toContain('planted');
  expect(statSync(at).mode & 0o077).toBe(0);
  requireSamePlan(back, plan(wanted, there), asked, at);
});

test('whatever has moved on since is named, connector by connector', () => {
  const before = plan(wanted, there);
  const [a, b] = there as [Live, Live];
  const cases: [ReturnType<typeof plan>, string][] = [
    [plan(wanted, [a]), 'b: was deleted since'],
    [plan(wanted, [{ ...a, config: { ...a.config, y: '1' } }, b]), 'a: what runs was changed since'],
    [
      plan(wanted, [{ ...a, config: { ...a.config, password: 'other' } }, b]),
      'a: what runs was changed since',
    ],
    [plan(wanted, [a, { ...b, state: 'PAUSED' }]), 'b: what runs was changed since'],
    [
      plan([desired('a', { x: '2', password: 'third' }), wanted[1]!], there),
      'a: its declaration was changed since',
    ],
    [plan(wanted, [{ ...a, tasks: [task(0, 'FAILED', 'boom')] }, b]), ''],
    [plan([...wanted, desired('c', {})], there), 'c: was not in the plan'],
    [plan([wanted[0]!], [a]), 'b: is neither declared nor there any more'],
  ];
  for (const [now, says] of cases) {
    if (says === '') expect(refusal(before, now)).toBe('');
    else expect(refusal(before, now)).toContain(says);
  }
  expect(refusal(plan(wanted, [b]), before)).toContain('a: was created since');
  const withoutSecret = [desired('a', { x: '2' })];
  const [well, failed] = [live('a', { x: '1' }), live('a', { x: '1' }, 'FAILED')];
  expect(refusal(plan(withoutSecret, [well]), plan(withoutSecret, [failed]))).toContain(
    'a: other steps are needed now',
  );
});

test('a plan of another target, another server or another key is refused', () => {
  const same = plan(wanted, there);
  expect(refusal(same, same, { ...asked, target: 'other' })).toContain(
    'The plan is for trial at http://worker',
  );
  expect(refusal(same, same, { ...asked, address: 'http://other' })).toContain(
    'not for trial at http://other',
  );
  expect(refusal(same, same, { ...asked, hash: createSecretHash('another key') })).toContain(
    'CONNECTORS_HASH_KEY',
  );
});

test('a file that is missing, damaged or anything else is an error with its name', () => {
  for (const content of [undefined, '', '{"version": 1', '[]', '{"version": 2}', '{"connectors": []}']) {
    const at = file(content);
    expect(() => readPlanFile(at)).toThrow('This is not a saved plan');
  }
  const folder = path.dirname(file());
  expect(() => {
    writePlanFile(path.join(folder, 'absent', 'plan.json'), toSavedPlan(plan([], []), asked));
  }).toThrow('The plan cannot be written (ENOENT)');
});
