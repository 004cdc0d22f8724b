import { mkdtempSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { InvalidInputError } from '../../../core/errors.ts';
import { lockBackfill } from '../../../producers/runs/backfill/lock.ts';
import { Checkpoints, type Checkpoint } from '../../../producers/runs/backfill/checkpoints.ts';
import { rangesToRead } from '../../../producers/runs/backfill/find-sent.ts';

const checkpoint: Checkpoint = {
  told: 5,
  upTo: 25,
  byTopic: { a: 5 },
  firstAt: 1,
  lastAt: 2,
  positions: { a: [3, 0], b: [7] },
  isComplete: false,
};

describe('checkpoints', () => {
  it('are kept for each part, the latest one in the place of the one before', () => {
    const folder = path.join(emptyFolder(), 'run');
    const checkpoints = new Checkpoints(folder);
    expect(checkpoints.read(1)).toBeUndefined();
    checkpoints.write(1, { ...checkpoint, told: 0 });
    checkpoints.write(1, checkpoint);
    expect(new Checkpoints(folder).read(1)).toEqual(checkpoint);
    expect(checkpoints.read(2)).toBeUndefined();
    expect(readdirSync(folder)).toEqual(['part-000001.json']);
  });

  it('stay as they were when the disk is full', () => {
    const folder = emptyFolder();
    const checkpoints = new Checkpoints(folder);
    checkpoints.write(1, checkpoint);
    symlinkSync('/dev/full', path.join(folder, 'part-000001.json.draft'));
    expect(() => {
      checkpoints.write(1, { ...checkpoint, told: 20 });
    }).toThrow(expect.objectContaining({ code: 'STATE_NOT_WRITABLE', where: folder }));
    expect(checkpoints.read(1)).toEqual(checkpoint);
  });

  it('are refused when somebody edited them', () => {
    const folder = emptyFolder();
    writeFileSync(path.join(folder, 'part-000001.json'), '{"told": -1}');
    expect(() => new Checkpoints(folder).read(1)).toThrow(InvalidInputError);
  });
});

describe('what is read to continue', () => {
  it('begins at the checkpoint, and at the start of partitions that were added since', () => {
    expect(rangesToRead(checkpoint, { a: [0, 0, 0] }, { a: [9, 0, 4] })).toEqual([
      {
        topic: 'a',
        partitions: [
          { partition: 0, low: 3, high: 9 },
          { partition: 1, low: 0, high: 0 },
          { partition: 2, low: 0, high: 4 },
        ],
      },
    ]);
  });

  it('begins at the oldest record where older ones have expired', () => {
    expect(rangesToRead(checkpoint, { b: [8] }, { b: [9] })[0]?.partitions[0]).toMatchObject({ low: 8 });
  });

  it('is refused where the broker has lost records', () => {
    expect(() => rangesToRead(checkpoint, { b: [0] }, { b: [6] })).toThrow(
      expect.objectContaining({ code: 'RECORDS_GONE' }),
    );
  });
});

describe('the lock of a backfill', () => {
  it('lets one process in at a time, and takes over from a dead one', () => {
    const folder = path.join(emptyFolder(), 'seed-1');
    const unlock = lockBackfill(folder);
    expect(() => lockBackfill(folder)).toThrow(expect.objectContaining({ code: 'BACKFILL_RUNS' }));
    unlock();
    // No process can have this id: Linux counts to 4194304 at most.
    writeFileSync(path.join(folder, 'backfill.lock'), '99999999');
    lockBackfill(folder)();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('says where it cannot be taken', () => {
    const file = path.join(emptyFolder(), 'file');
    writeFileSync(file, '');
    expect(() => lockBackfill(path.join(file, 'below'))).toThrow(
      expect.objectContaining({ code: 'STATE_NOT_WRITABLE' }),
    );
  });
});

function emptyFolder(): string {
  return mkdtempSync(path.join(tmpdir(), 'checkpoints-'));
}
