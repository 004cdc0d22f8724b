import { describe, expect, it } from 'vitest';
import { PipelineError } from '../../../core/errors.ts';
import type { BillingEvent } from '../../../producers/events.ts';
import type { Checkpoint } from '../../../producers/runs/backfill/checkpoints.ts';
import { tellPart, type TellPartOptions } from '../../../producers/runs/backfill/tell-part.ts';

const total = 1000;

describe('telling a part', () => {
  it('sends every event once, in order, and notes the whole part as told', async () => {
    const broker = new Broker();
    expect(await tellPart(broker.part())).toBe(true);
    expect(broker.records).toEqual(allIds);
    expect(broker.saved.at(-1)).toEqual({
      told: total,
      upTo: total,
      byTopic: { even: 500, odd: 500 },
      firstAt: 0,
      lastAt: total - 1,
      positions: { even: [0], odd: [0] },
      isComplete: true,
    });
  });

  it('notes only what is acknowledged, and never sends further than the last note allows', async () => {
    const broker = new Broker();
    await tellPart(broker.part());
    expect(broker.saved.map(({ told }) => told)).toEqual([0, 128, 256, 384, 512, 640, 768, 896, 1000]);
    for (const { told, flushed } of broker.notes) expect(flushed).toBe(told);
    expect(broker.furthest.every(({ sent, upTo }) => sent <= upTo)).toBe(true);
  });

  it.each([0, 1, 127, 128, 129, 500, 871, 999])(
    'continues without a duplicate or a gap after it died with %i records sent',
    async (deathAt) => {
      const broker = new Broker();
      broker.deathAt = deathAt;
      await expect(tellPart(broker.part())).rejects.toThrow('dead');
      broker.revive();
      expect(await tellPart(broker.part())).toBe(true);
      expect(broker.records).toEqual(allIds);
    },
  );

  it('continues after records that reached the broker in another order than they were sent', async () => {
    const broker = new Broker();
    broker.deathAt = 300;
    await expect(tellPart(broker.part())).rejects.toThrow('dead');
    broker.revive();
    // One lane's request arrived, that of the other did not.
    broker.records = broker.records.filter((id) => Number(id) < 256 || Number(id) % 2 === 0);
    expect(await tellPart(broker.part())).toBe(true);
    expect([...broker.records].sort((a, b) => Number(a) - Number(b))).toEqual(allIds);
  });

  it('ends with a note when it is stopped, and goes on from there', async () => {
    const broker = new Broker();
    broker.stopAt = 333;
    expect(await tellPart(broker.part())).toBe(false);
    expect(broker.saved.at(-1)).toMatchObject({ isComplete: false });
    broker.stopAt = Infinity;
    expect(await tellPart(broker.part())).toBe(true);
    expect(broker.records).toEqual(allIds);
  });

  it('does nothing for a part that is told', async () => {
    const broker = new Broker();
    await tellPart(broker.part());
    const notes = broker.saved.length;
    expect(await tellPart(broker.part())).toBe(true);
    expect([broker.records.length, broker.saved.length]).toEqual([total, notes]);
  });

  it('fails when a note cannot be written, and continues from the one before', async () => {
    const broker = new Broker();
    broker.saveFailsAt = 3;
    await expect(tellPart(broker.part())).rejects.toMatchObject({ code: 'STATE_NOT_WRITABLE' });
    broker.saveFailsAt = Infinity;
    expect(await tellPart(broker.part())).toBe(true);
    expect(broker.records).toEqual(allIds);
  });
});

const allIds = Array.from({ length: total }, (_, id) => String(id));

/** A broker, a disk and a process that can die. */
class Broker {
  records: string[] = [];
  saved: Checkpoint[] = [];
  notes: { told: number; flushed: number }[] = [];
  furthest: { sent: number; upTo: number }[] = [];
  deathAt = Infinity;
  stopAt = Infinity;
  saveFailsAt = Infinity;
  #isDead = false;

  revive(): void {
    this.deathAt = Infinity;
    this.#isDead = false;
  }

  part(): TellPartOptions {
    return {
      events: () => this.#events(),
      publisher: {
        publish: (event) => {
          if (this.records.length >= this.deathAt) this.#isDead = true;
          if (this.#isDead) throw new Error('dead');
          this.records.push(String(event.record['event_id']));
          this.furthest.push({ sent: this.records.length, upTo: this.saved.at(-1)?.upTo ?? 0 });
          return this.records.length % 10 === 0 ? Promise.resolve() : undefined;
        },
        flush: async () => {
          if (this.#isDead) throw new Error('dead');
          return Promise.resolve();
        },
        positions: (since) => since,
      },
      since: { even: [0], odd: [0] },
      checkpoint: this.saved.at(-1),
      save: (checkpoint) => {
        if (this.saved.length >= this.saveFailsAt)
          throw new PipelineError('STATE_NOT_WRITABLE', { what: 'full' });
        this.saved.push(checkpoint);
        this.notes.push({ told: checkpoint.told, flushed: new Set(this.records).size });
      },
      findSent: async ({ told, upTo }) =>
        Promise.resolve(new Set(this.records.filter((id) => Number(id) >= told && Number(id) < upTo))),
      every: { events: 128, ms: 60_000 },
      isStopped: () => this.records.length >= this.stopAt,
      onFound: () => undefined,
    };
  }

  *#events(): Generator<BillingEvent[]> {
    for (let first = 0; first < total; first += 7) {
      yield Array.from({ length: Math.min(7, total - first) }, (_, index) => {
        const id = first + index;
        return { topic: id % 2 === 0 ? 'even' : 'odd', at: id, record: { event_id: String(id) } };
      });
    }
  }
}
