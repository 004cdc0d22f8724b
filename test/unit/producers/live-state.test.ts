import { mkdtempSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { LiveStream, emptyLiveState } from '../../../producers/lives/live.ts';
import {
  saveLiveState,
  takeLiveState,
  type LiveStateOptions,
} from '../../../producers/runs/live/live-state.ts';
import { endAt, scenarioOf } from './small-scenario.ts';

describe('the stored state of a stream', () => {
  it('is taken once', () => {
    const options = optionsOf();
    saveLiveState(options, stateOf(1));
    expect(take(options)).toEqual({ hasState: true, notes: [] });
    expect(take(options)).toEqual({ hasState: false, notes: [] });
    expect(readdirSync(options.folder)).toEqual([]);
  });

  it('is not taken by a run of other topics', () => {
    const options = optionsOf();
    saveLiveState(options, stateOf(1));
    expect(take({ ...options, topics: ['billing.customers'] }).hasState).toBe(false);
    expect(take({ ...options, topics: [...options.topics].reverse() }).hasState).toBe(true);
  });

  it('is kept beside that of a stream that ran at the same time', () => {
    const options = optionsOf();
    saveLiveState(options, stateOf(1));
    saveLiveState(options, stateOf(2));
    expect([take(options), take(options), take(options)].map(({ hasState }) => hasState)).toEqual([
      true,
      true,
      false,
    ]);
  });

  it.each([
    ['cut off', (content: Buffer) => content.subarray(0, content.length - 100), 'damaged'],
    ['with a bit flipped', flipped, 'damaged'],
    ['empty', () => Buffer.alloc(0), 'damaged'],
    ['not ours', () => Buffer.from('{"format": "something else"}\n'), 'another version'],
  ])('%s is set aside with a note', (_, spoil, reason) => {
    const options = optionsOf();
    saveLiveState(options, stateOf(1));
    const file = path.join(options.folder, readdirSync(options.folder)[0]!);
    writeFileSync(file, spoil(readFileSync(file)));
    const { hasState, notes } = take(options);
    expect(hasState).toBe(false);
    expect(notes).toEqual([expect.stringContaining(reason)]);
    expect(readdirSync(options.folder)).toEqual([`${path.basename(file)}.unusable`]);
    expect(take(options)).toEqual({ hasState: false, notes: [] });
  });

  it('of a scenario that has changed since is set aside with a note', () => {
    const options = optionsOf();
    saveLiveState(options, stateOf(1));
    const { hasState, notes } = take({ ...options, fingerprint: 'changed' });
    expect(hasState).toBe(false);
    expect(notes).toEqual([expect.stringContaining('the scenario has changed since')]);
  });

  it('is not there where nothing was ever produced', () => {
    const options = optionsOf();
    expect(take({ ...options, folder: path.join(options.folder, 'missing') }).hasState).toBe(false);
  });
});

function optionsOf(): LiveStateOptions {
  return {
    folder: mkdtempSync(`${tmpdir()}/live-state-`),
    topics: ['billing.customers', 'billing.payments'],
    fingerprint: 'f',
  };
}

function stateOf(number: number) {
  const scenario = scenarioOf(1);
  const stream = new LiveStream(scenario, emptyLiveState(scenario, number));
  stream.grant({ adopts: [], signups: { first: 0, count: 100 } });
  for (let told = 0; told < 200; told += 1) stream.next(endAt + told);
  return stream.state();
}

function take(options: LiveStateOptions): { hasState: boolean; notes: string[] } {
  const notes: string[] = [];
  const state = takeLiveState(options, (note) => notes.push(note));
  return { hasState: state !== undefined, notes };
}

function flipped(content: Buffer): Buffer {
  const copy = Buffer.from(content);
  const at = copy.length - 50;
  copy.writeUInt8(copy.readUInt8(at) ^ 1, at);
  return copy;
}
