import { randomUUID } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';
import type { ClickHouse } from '../../../clickhouse/client.ts';
import type { ConnectorService } from '../../../controlplane/connector-service.ts';
import { executeReset, planReset, readOffsets } from '../../../controlplane/offsets.ts';
import { awaitTopics } from '../../../schemas/apply-topics.ts';
import { createKafka, withKafkaAdmin } from '../../../targets/kafka.ts';
import type { Target } from '../../../targets/load-target.ts';

interface Servers {
  target: Target;
  service: ConnectorService;
  /** With the database `billing`. */
  clickhouse: ClickHouse;
}

/** Resets of offsets on a real worker, a real broker and a real ClickHouse. */
export function testOffsetResets(servers: () => Servers): void {
  /** A connector that says it runs with exactlyOnce, and the table the sink would keep its state in. */
  async function exactlyOnceConnector() {
    const { target, service, clickhouse } = servers();
    const id = randomUUID().slice(0, 8);
    const [name, table] = [`reset-${id}`, `state_${id}`];
    await withKafkaAdmin(target, { clientId: 'reset-test' }, async (admin) => {
      await admin.createTopics({ topics: [{ topic: name, numPartitions: 2 }], waitForLeaders: false });
      await awaitTopics(admin, [name]);
    });
    const config = {
      'connector.class': 'org.apache.kafka.connect.tools.MockSinkConnector',
      'tasks.max': '1',
      topics: name,
      mock_mode: 'none',
      hostname: new URL(target.clickhouse.url).hostname,
      database: 'billing',
      exactlyOnce: 'true',
      zkDatabase: table,
    };
    await service.put({ name, config, secretKeys: new Set() });
    onTestFinished(() => service.delete(name));
    // The embedded engine has no Keeper; the table looks the same to whoever reads it and deletes from it.
    await clickhouse.command(
      `CREATE TABLE billing.${table} (key String, minOffset Int64, maxOffset Int64, state String)
       ENGINE = MergeTree ORDER BY key`,
    );
    return { name, table, config };
  }

  async function produce(topic: string, records: number): Promise<void> {
    const producer = createKafka(servers().target, { clientId: 'reset-test' }).producer();
    await producer.connect();
    try {
      const messages = Array.from({ length: records }, () => ({ value: 'x', partition: 0 }));
      await producer.send({ topic, messages });
    } finally {
      await producer.disconnect();
    }
  }

  test("offsets are reset only while stopped, together with the sink's state of these topics and no other", async () => {
    const { target, service, clickhouse } = servers();
    const { name, table } = await exactlyOnceConnector();
    const keys = [`${name}-0`, `${name}-1`, `${name}-other-0`];
    const row = { minOffset: 0, maxOffset: 9, state: 'AFTER_PROCESSING' };
    await clickhouse.insert(
      `billing.${table}`,
      keys.map((key) => ({ key, ...row })),
    );
    const asking = { target, service };
    const live = async () => (await service.read(name))!;
    await expect(planReset(await live(), 'earliest', asking)).rejects.toMatchObject({
      code: 'NOT_STOPPED',
      todo: expect.stringContaining(`connectors:stop -- ${name}`) as string,
    });

    await service.stop?.(name);
    await produce(name, 10);
    const toLatest = await planReset(await live(), 'latest', asking);
    expect(toLatest).toMatchObject({
      again: 0,
      skipped: 10,
      keeperState: { table: `billing.${table}`, rows: keys.slice(0, 2).map((key) => ({ key, ...row })) },
    });
    await executeReset(toLatest, asking);
    expect(await readOffsets(await live(), asking)).toEqual({
      name,
      state: 'STOPPED',
      lagUnknown: null,
      partitions: [
        { topic: name, partition: 0, offset: 10, end: 10, lag: 0 },
        { topic: name, partition: 1, offset: 0, end: 0, lag: 0 },
      ],
    });
    const left = await clickhouse.query(`SELECT key FROM billing.${table}`);
    expect(left).toEqual([{ key: `${name}-other-0` }]);

    const toEarliest = await planReset(await live(), 'earliest', asking);
    expect(toEarliest).toMatchObject({ again: 10, skipped: 0, keeperState: { rows: [] } });
    await executeReset(toEarliest, asking);
    expect((await readOffsets(await live(), asking)).partitions[0]).toMatchObject({ offset: 0, lag: 10 });

    await service.resume(name);
    await expect(executeReset(toEarliest, asking)).rejects.toMatchObject({ code: 'NOT_STOPPED' });
  });

  test('the state of another ClickHouse than the target names is never touched', async () => {
    const { target, service } = servers();
    const { name, config } = await exactlyOnceConnector();
    await service.put({ name, config: { ...config, hostname: 'elsewhere.test' }, secretKeys: new Set() });
    await service.stop?.(name);
    const live = (await service.read(name))!;
    await expect(planReset(live, 'earliest', { target, service })).rejects.toMatchObject({
      code: 'OTHER_CLICKHOUSE',
      message: expect.stringContaining('elsewhere.test') as string,
    });
  });
}
