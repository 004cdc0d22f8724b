import avsc from 'avsc';
import { describe, expect, it } from 'vitest';
import { partitionOf } from '../../../producers/delivery/partition.ts';
import { Random } from '../../../producers/scenario/random.ts';
import { createEncoder, eventIdOf } from '../../../producers/delivery/wire-format.ts';
import { loadCatalog } from '../../../schemas/catalog.ts';
import { kafkajs } from '../../../core/kafkajs/kafkajs.ts';

describe('partitionOf', () => {
  // From the Java client's own tests, org.apache.kafka.common.utils.UtilsTest#testMurmur2.
  it.each([
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ['abc', 479470107],
  ])('hashes "%s" as the Java client does', (key, hash) => {
    // As many partitions as there are positive hashes leave the hash as it is.
    expect(partitionOf(key, 0x8000_0000)).toBe(hash & 0x7fff_ffff);
  });

  const alphabets: [string, ...string[]][] = [
    ['a', 'b', '0', '9', '_'],
    ['ä', 'ß', '€', '日', '本', '😀'],
  ];

  it('agrees with the partitioner of kafkajs on any key, also outside of ASCII', () => {
    const partitioner = kafkajs.Partitioners.DefaultPartitioner();
    const random = new Random(1);
    const partitionMetadata = Array.from({ length: 12 }, (_, partitionId) => ({
      partitionId,
      partitionErrorCode: 0,
      leader: 1,
      replicas: [1],
      isr: [1],
    }));
    for (let length = 0; length < 40; length += 1) {
      for (const letters of alphabets) {
        const key = Array.from({ length }, () => random.pick(letters)).join('');
        const message = { key, value: null };
        expect(partitionOf(key, 12)).toBe(partitioner({ topic: 't', partitionMetadata, message }));
      }
    }
  });
});

describe('createEncoder', () => {
  const type = avsc.Type.forSchema({ type: 'record', name: 'R', fields: [{ name: 'text', type: 'string' }] });

  it('writes the magic byte, the id of the schema and the record', () => {
    const value = createEncoder(type, 0x01020304)({ text: 'abc' });
    expect([...value.subarray(0, 5)]).toEqual([0, 1, 2, 3, 4]);
    expect(type.fromBuffer(value.subarray(5))).toEqual({ text: 'abc' });
  });

  it.each([0, 1, 300, 100_000, 200_000, 262_000])(
    'finds room for a record that is larger than a chunk after %i bytes of another',
    (before) => {
      const encode = createEncoder(type, 7);
      encode({ text: 'x'.repeat(before) });
      const large = encode({ text: 'y'.repeat(400_000) });
      expect(type.fromBuffer(large.subarray(5))).toEqual({ text: 'y'.repeat(400_000) });
    },
  );

  it('keeps every record whole, across chunks and beyond the size of one', () => {
    const encode = createEncoder(type, 7);
    const sizes = [...Array.from({ length: 400 }, (_, index) => index * 9), 300_000, 1, 700_000, 0];
    const values = sizes.map((size) => encode({ text: 'x'.repeat(size) }));
    values.forEach((value, index) => {
      expect(value.readUInt32BE(1)).toBe(7);
      const { text } = type.fromBuffer(value.subarray(5)) as { text: string };
      expect(text).toHaveLength(sizes[index]!);
    });
  });

  it('refuses a record that does not fit the schema', () => {
    expect(() => createEncoder(type, 1)({ text: 5 })).toThrow('invalid');
  });
});

describe('eventIdOf', () => {
  const id = '0199a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b';
  const type = avsc.Type.forSchema({
    type: 'record',
    name: 'R',
    fields: [
      { name: 'event_id', type: 'string' },
      { name: 'text', type: 'string' },
    ],
  });

  it('reads the id of a record without its schema', () => {
    expect(eventIdOf(createEncoder(type, 9)({ event_id: id, text: 'abc' }))).toBe(id);
  });

  it('finds none in what is no record of ours', () => {
    const value = createEncoder(type, 9)({ event_id: id, text: '' });
    expect(eventIdOf(null)).toBeUndefined();
    expect(eventIdOf(Buffer.alloc(0))).toBeUndefined();
    expect(eventIdOf(value.subarray(0, 40))).toBeUndefined();
    expect(eventIdOf(Buffer.from('not avro at all, but as long as a record of ours'))).toBeUndefined();
    expect(eventIdOf(createEncoder(type, 9)({ event_id: 'short', text: 'x'.repeat(60) }))).toBeUndefined();
  });

  it('looks where every schema of the catalog has the id', () => {
    for (const { fields } of loadCatalog().topics) {
      expect(fields[0]).toMatchObject({ name: 'event_id', type: 'string' });
    }
  });
});
