import { describe, expect, it } from 'vitest';
import { foldAccount, parseEntry, type AccountEntry } from '../../../../controlplane/dlq/account-entries.ts';

const claim = (run: string, supersedes?: number): AccountEntry => ({
  kind: 'claim',
  letter: 'a.dlq/0/7',
  run,
  topic: 'a',
  partition: 0,
  from: 100,
  ...(supersedes === undefined ? {} : { supersedes }),
});
const replayed = (offset: number): AccountEntry => ({
  kind: 'replayed',
  letter: 'a.dlq/0/7',
  topic: 'a',
  partition: 0,
  offset,
});
const fold = (...entries: AccountEntry[]) =>
  foldAccount(entries.map((entry, offset) => ({ offset, entry }))).get('a.dlq/0/7');

describe('foldAccount', () => {
  it('gives a letter to the first that claims it', () => {
    expect(fold(claim('one'), claim('two'))?.claim).toMatchObject({ run: 'one', at: 0 });
  });

  it('lets one claim supersede the one that counts, and of two such claims the first', () => {
    expect(fold(claim('one'), claim('two', 0), claim('three', 0))?.claim).toMatchObject({
      run: 'two',
      at: 1,
    });
  });

  it('ignores a claim that supersedes one which does not count', () => {
    expect(fold(claim('one'), claim('two'), claim('three', 1))?.claim).toMatchObject({ run: 'one', at: 0 });
  });

  it('keeps the first place a letter was sent to', () => {
    expect(fold(claim('one'), replayed(120), replayed(130))?.replayed).toEqual({
      topic: 'a',
      partition: 0,
      offset: 120,
    });
  });

  it('takes no claim from what was drained', () => {
    const drained: AccountEntry = {
      kind: 'drained',
      letters: { topic: 'a.dlq', partition: 0, before: 8 },
      sources: [{ topic: 'a', partition: 0, ranges: [[3, 4]] }],
    };
    expect(fold(drained)).toBeUndefined();
  });
});

describe('parseEntry', () => {
  it.each([null, '', 'not json', '{"kind":"claim"}', '{"kind":"unheard-of"}'])('ignores %j', (text) => {
    expect(parseEntry(text === null ? null : Buffer.from(text))).toBeUndefined();
  });

  it('reads what was written', () => {
    expect(parseEntry(Buffer.from(JSON.stringify(replayed(9))))).toEqual(replayed(9));
  });
});
