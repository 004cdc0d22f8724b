import { expect, test } from 'vitest';
import type { ConnectorService } from '../../../controlplane/connector-service.ts';
import { createConnectClient } from '../../../controlplane/kafka-connect/connect-client.ts';
import { awaitTopics } from '../../../schemas/apply-topics.ts';
import { withKafkaAdmin } from '../../../targets/kafka.ts';
import { startTestStack, type TestStack } from '../../support/test-stack.ts';
import { testConnectorService } from './connector-service-suite.ts';

let stack: TestStack;
let service: ConnectorService;
/** Kafka's own test sink, which fails on command. */
const mockSink = { 'connector.class': 'org.apache.kafka.connect.tools.MockSinkConnector' };

testConnectorService(async () => {
  stack = await startTestStack(['kafka', 'connect']);
  const { url } = stack.target.connect;
  service = createConnectClient({ url });
  return {
    service,
    mockSink,
    rotates: 'mock.password',
    connection: { kind: 'worker', url },
    invalid: { 'value.converter': 'no.such.Converter' },
    taskTrace: 'org.apache.kafka.connect.tools.MockSinkTask',
    pace: { startTimeoutMs: 30_000, settleMs: 400, readBackTimeoutMs: 1000 },
    readyForOffsets: async ({ name }) => {
      // Offsets beyond the end of a topic are refused, and so is a connector that still runs.
      await withKafkaAdmin(stack.target, { clientId: 'test' }, async (admin) => {
        await admin.createTopics({ topics: [{ topic: name, numPartitions: 1 }], waitForLeaders: false });
        await awaitTopics(admin, [name]);
      });
      await service.stop?.(name);
    },
    stop: () => stack.stop(),
  };
});

test('settings of the consumer may be overridden', async () => {
  const config = {
    ...mockSink,
    'tasks.max': '1',
    topics: 't',
    'consumer.override.max.poll.records': '20000',
  };
  expect(await service.validate({ name: 'a', config, secretKeys: new Set() })).toEqual([]);
});
