import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { isClean, reconcile, withReconciler } from '../../../controlplane/reconcile.ts';
import { planRepair, repair } from '../../../controlplane/reconciliation/repair.ts';
import { createEncoder } from '../../../producers/delivery/wire-format.ts';
import { lookUpSchemaIds, registerSchemas } from '../../../schemas/register.ts';
import { awkwardRecord } from '../../fixtures/awkward-records.ts';
import { upTo, type Stream, type Streams } from './streams.ts';

const tables = { lateAfterMs: 3_600_000 };

/** A repair without a sink: everything that is there is missing. */
export function repairSuite(get: () => Streams): void {
  /** A topic of refunds, and `count` of them as they are on the wire. */
  async function refunds(count: number) {
    const stream = await get().newTopic({}, 'billing.refunds');
    const { catalog, target } = stream.options;
    const [topic] = catalog.topics;
    await registerSchemas({ registry: target.schemaRegistry, topics: catalog.topics });
    const ids = await lookUpSchemaIds({ registry: target.schemaRegistry, topics: catalog.topics });
    const encode = createEncoder(topic!.type, ids.get(stream.topic) ?? 0);
    const records = upTo(count).map((index) => awkwardRecord(topic!, index));
    return { stream, encode, records, values: records.map(encode) };
  }

  const inPartition = (values: readonly (Buffer | null)[]) =>
    values.map((value) => ({ partition: 0, key: 'any', value }));

  async function repairAll({ options }: Stream) {
    return withReconciler({ ...options, tables }, async ({ look }) => {
      const plan = await planRepair(look, await look());
      return { plan, report: await repair({ ...options, clickhouse: get().clickhouse }, plan) };
    });
  }

  /** Lands the first `count` offsets, as a sink would. */
  async function landAll({ topic, options }: Stream, count: number) {
    const plan = [{ topic, partition: 0, ranges: [{ first: 0, last: count - 1 }] }];
    expect(await repair({ ...options, clickhouse: get().clickhouse }, plan)).toEqual({
      landed: count,
      refused: [],
    });
  }

  const countRows = async (topic: string) => {
    const [row] = await get().clickhouse.query(
      'SELECT count() AS rows FROM raw_refunds FINAL WHERE kafka_topic = {topic:String}',
      { params: { topic } },
    );
    return Number(row?.['rows']);
  };

  it('writes every row that can be, names those that cannot and why, and leaves tombstones alone', async () => {
    const { stream, encode, records, values } = await refunds(40);
    const { topic, options } = stream;
    const badId = encode({ ...records[7]!, event_id: 'this is no UUID' });
    const garbage = Buffer.from('this is no record');
    const unknownSchema = Buffer.concat([Buffer.from([0, 0, 0xff, 0xff, 0xff]), values[0]!.subarray(5)]);
    await get().send(
      topic,
      inPartition([...values.slice(0, 20), garbage, badId, null, unknownSchema, ...values.slice(20)]),
    );
    const { plan, report } = await repairAll(stream);
    expect(plan).toEqual([
      {
        topic,
        partition: 0,
        ranges: [
          { first: 0, last: 21 },
          { first: 23, last: 43 },
        ],
      },
    ]);
    expect(report.landed).toBe(40);
    const why = (offset: number, text: string) => ({
      topic,
      partition: 0,
      offset,
      why: expect.stringContaining(text) as string,
    });
    expect(report.refused.sort((a, b) => a.offset - b.offset)).toEqual([
      why(20, 'not in the wire format'),
      why(21, 'UUID'),
      why(23, 'knows no schema'),
    ]);
    expect((await reconcile({ ...options, tables }))[0]).toMatchObject({
      produced: 44,
      landed: 40,
      tombstones: 1,
      missing: [
        { first: 20, last: 21 },
        { first: 23, last: 23 },
      ],
      removed: [],
      unrecorded: [],
    });
  });

  it('may be repeated: what is there is not written again, and what is written twice counts once', async () => {
    const { stream, values } = await refunds(25);
    await get().send(stream.topic, inPartition(values));
    const lacking = await reconcile(stream.options);
    const plan = [{ topic: stream.topic, partition: 0, ranges: lacking[0]!.missing }];
    const both = await Promise.all(
      [1, 2].map(() => repair({ ...stream.options, clickhouse: get().clickhouse }, plan)),
    );
    expect(both.map(({ landed }) => landed)).toEqual([25, 25]);
    expect(await countRows(stream.topic)).toBe(25);
    const after = await reconcile({ ...stream.options, tables });
    expect(after[0]).toMatchObject({ produced: 25, landed: 25, duplicates: 25, repeated: 0, missing: [] });
    expect(isClean(after)).toBe(true);
    expect((await repairAll(stream)).report).toEqual({ landed: 0, refused: [] });
  });

  it('tells a row that was removed from one whose event came again, and writes only the first', async () => {
    const { stream, values } = await refunds(10);
    const { topic, options } = stream;
    // The first three come again, as 10, 11 and 12.
    await get().send(topic, inPartition([...values, ...values.slice(0, 3)]));
    await landAll(stream, 13);
    expect((await reconcile({ ...options, tables }))[0]).toMatchObject({
      landed: 13,
      repeated: 3,
      removed: [],
    });
    await get().clickhouse.command(
      `DELETE FROM raw_refunds WHERE kafka_topic = '${topic}' AND kafka_offset IN (5, 1, 11)`,
    );
    const found = await reconcile({ ...options, tables });
    expect(found[0]).toMatchObject({
      missing: [],
      repeated: 2,
      // Of the event that had come twice no row is left, so that both its offsets lack one.
      removed: [
        { first: 1, last: 1 },
        { first: 5, last: 5 },
        { first: 11, last: 11 },
      ],
    });
    expect(isClean(found)).toBe(false);
    expect((await repairAll(stream)).report).toEqual({ landed: 3, refused: [] });
    expect(isClean(await reconcile({ ...options, tables }))).toBe(true);
    expect(await countRows(topic)).toBe(10);
  });

  it('says of landed offsets without a row that nobody can say why, while the registry is away', async () => {
    const { stream, values } = await refunds(5);
    await get().send(stream.topic, inPartition(values));
    await landAll(stream, 5);
    await get().clickhouse.command(
      `DELETE FROM raw_refunds WHERE kafka_topic = '${stream.topic}' AND kafka_offset = 2`,
    );
    const target = { ...stream.options.target, schemaRegistry: { url: 'http://127.0.0.1:1' } };
    const found = await reconcile({ ...stream.options, target, tables });
    expect(found[0]).toMatchObject({ removed: [], repeated: 0, unverified: 1 });
    const plan = [{ topic: stream.topic, partition: 0, ranges: [{ first: 2, last: 2 }] }];
    const away = repair({ ...stream.options, target, clickhouse: get().clickhouse }, plan);
    await expect(away).rejects.toMatchObject({ code: 'REGISTRY_UNREACHABLE' });
  });

  it('refuses a topic whose connector does more to its records than it can do', async () => {
    const topic = `test.${randomUUID()}`;
    const { newTopic, clickhouse } = get();
    const { options } = await newTopic();
    const plan = [{ topic, partition: 0, ranges: [{ first: 0, last: 0 }] }];
    await expect(repair({ ...options, clickhouse }, plan)).rejects.toMatchObject({
      code: 'REPAIR_IMPOSSIBLE',
    });
  });
}
