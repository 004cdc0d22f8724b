import { mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { InvalidInputError } from '../../../core/errors.ts';
import { resolveHome } from '../../../core/home.ts';
import {
  Claims,
  claimsFolder,
  firstFreeIndex,
  forgetRuns,
  type Claim,
} from '../../../producers/runs/claims.ts';

const history: Claim = { kind: 'history', first: 0, count: 10, startAt: 1, endAt: 2 };

describe('Claims', () => {
  it('numbers claims and remembers them, complete or not', () => {
    const folder = emptyFolder();
    const claims = new Claims(folder);
    claims.complete(claims.add(() => history));
    claims.add((previous) => ({ ...history, kind: 'live', first: firstFreeIndex(previous) }));
    expect(new Claims(folder).list()).toEqual([
      { ...history, number: 1, isComplete: true },
      { ...history, kind: 'live', first: 10, number: 2, isComplete: false },
    ]);
    expect(readdirSync(folder).filter((name) => name.startsWith('draft'))).toEqual([]);
  });

  it('decides again when another run claimed first', () => {
    const claims = new Claims(emptyFolder());
    let calls = 0;
    const claim = claims.add((previous) => {
      calls += 1;
      if (calls === 1) claims.add(() => history);
      return { ...history, first: firstFreeIndex(previous) };
    });
    expect([calls, claim.number, claim.first]).toEqual([2, 2, 10]);
  });

  it('says where it cannot write, and that nothing was sent', () => {
    const file = path.join(emptyFolder(), 'file');
    writeFileSync(file, '');
    expect(() => new Claims(path.join(file, 'below')).add(() => history)).toThrow(
      expect.objectContaining({ code: 'STATE_NOT_WRITABLE' }),
    );
  });

  it('reports a claim that somebody edited', () => {
    const folder = emptyFolder();
    new Claims(folder).add(() => history);
    writeFileSync(path.join(folder, '000001.json'), '{"kind": "story"}');
    expect(() => new Claims(folder).list()).toThrow(InvalidInputError);
  });

  it('forgets the runs against one target and keeps those against another', () => {
    const home = resolveHome({ PIPELINE_HOME: emptyFolder() });
    const claimsOn = (target: string) => new Claims(path.join(claimsFolder(home, target), 'seed-1'));
    for (const target of ['embedded', 'connect']) claimsOn(target).add(() => history);
    forgetRuns(home, 'embedded');
    expect([claimsOn('embedded').list().length, claimsOn('connect').list().length]).toEqual([0, 1]);
  });
});

function emptyFolder(): string {
  return mkdtempSync(path.join(tmpdir(), 'claims-'));
}
