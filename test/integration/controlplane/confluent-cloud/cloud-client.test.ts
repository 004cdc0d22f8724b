import { describe, expect, test } from 'vitest';
import { createCloudClient } from '../../../../controlplane/confluent-cloud/cloud-client.ts';
import type { ConnectorConfig, DesiredConnector } from '../../../../controlplane/connector-config.ts';
import { applyPlan } from '../../../../controlplane/apply.ts';
import { planConnectors } from '../../../../controlplane/plan.ts';
import type { Progress } from '../../../../controlplane/consumer-lag.ts';
import type { Observation, observe } from '../../../../controlplane/watch/observe.ts';
import { waitFor } from '../../../../core/wait.ts';
import { loadTarget } from '../../../../targets/load-target.ts';
import { testConnectorService } from '../connector-service-suite.ts';
import { testWatching } from '../watch-suite.ts';
import { count, declare, watch } from '../watch-support.ts';
import { cloudLogin, startConformingServer, type ConformingServer } from './conforming-server.ts';
import { mockTrace } from './managed-connectors.ts';
import { findOpenApiDocument, reportNotRun } from './openapi-document.ts';

const { environment, cluster, apiKey, apiSecret } = cloudLogin;
const pace = { pollIntervalMs: 20, settleMs: 100, readBackTimeoutMs: 1000, startTimeoutMs: 30_000 };
const secretKeys = ['kafka.api.key', 'kafka.api.secret'];
const mock: ConnectorConfig = {
  'connector.class': 'MockSink',
  'kafka.auth.mode': 'KAFKA_API_KEY',
  'kafka.api.key': 'KAFKAKEY',
  'kafka.api.secret': 'kafka-s3cret',
  'schema.context.name': 'default',
};
const document = findOpenApiDocument();

if (document === undefined) reportNotRun('the managed connectors of Confluent Cloud');
else {
  describe('managed connectors, checked against the published document', () => {
    let server: ConformingServer;
    const client = () =>
      createCloudClient({
        url: server.url,
        environment,
        cluster,
        credentials: { username: apiKey, password: apiSecret },
        pace,
      });
    const mockSink = (config: ConnectorConfig = {}): DesiredConnector => ({
      name: 'mock-of-our-own',
      config: { ...mock, 'tasks.max': '1', topics: 't', ...config },
      secretKeys: new Set(secretKeys),
    });

    testConnectorService(async () => {
      server = await startConformingServer(document);
      return {
        service: client(),
        mockSink: mock,
        secretKeys,
        rotates: 'kafka.api.secret',
        connection: { kind: 'cloud', url: server.url },
        invalid: { 'input.data.format': 'XML' },
        taskTrace: mockTrace,
        pace,
        readyForOffsets: () => Promise.resolve(),
        stop: () => {
          server.close();
        },
      };
    });

    test('a restart is a pause and a resume where the service has none', async () => {
      const connector = mockSink({ mock_mode: 'task-failure' });
      await client().put(connector);
      await waitFor(async () => (await client().read('mock-of-our-own'))?.state === 'FAILED', {
        what: 'the injected failure',
        timeoutMs: 5000,
      });
      const before = server.operations.length;
      await client().restartFailed('mock-of-our-own');
      expect(await client().read('mock-of-our-own')).toMatchObject({ state: 'RUNNING' });
      expect(server.operations.slice(before).filter((name) => !/^(get|read)/.test(name))).toEqual([
        'pauseConnectv1Connector',
        'resumeConnectv1Connector',
      ]);
    });

    test('offsets that the service refuses are an error with its reason', async () => {
      await client().put(mockSink());
      const offsets = [{ topic: 't', partition: 0, offset: -5 }];
      await expect(client().alterOffsets('mock-of-our-own', offsets)).rejects.toMatchObject({
        code: 'OFFSETS_REFUSED',
        message: 'Cannot alter the offsets of the connector mock-of-our-own: the offset is out of range',
      });
    });

    test('a secret that is withheld and was written by nobody we know is no change, unless all are written again', async () => {
      const connector = mockSink();
      await client().put(connector);
      const rotated = { ...connector, config: { ...connector.config, 'kafka.api.secret': 'another' } };
      const live = await client().list();
      expect(planConnectors([rotated], live).changes).toMatchObject([{ operation: 'none' }]);
      const again = planConnectors([rotated], live, { rewriteSecrets: true });
      expect(again.changes).toMatchObject([{ operation: 'update' }]);
      expect(again.changes[0]?.diff).toEqual(
        secretKeys.map((key) => ({ key, before: '(secret)', after: '(secret)' })),
      );
      expect(await applyPlan(client(), again)).toMatchObject([{ failure: null }]);
    });

    /** The watcher with this server, and without Kafka and ClickHouse, which are the same for every server. */
    const watched = () => ({
      target: loadTarget('embedded', {}),
      service: client(),
      mockSink: mock,
      observeWith: async ({ service }: Parameters<typeof observe>[0]): Promise<Observation> => ({
        connectors: { value: await service.list(), error: null },
        progress: { value: new Map<string, Progress>(), error: null },
        clickhouse: { state: 'ready', reason: null },
        freshnessMs: new Map<string, number>(),
        landedRows: new Map<string, number>(),
      }),
    });
    testWatching(watched);

    test('a configuration that the service refuses is held and told, and its correction is noticed', async () => {
      const failing = mockSink({ mock_mode: 'connector-failure' });
      await client().put(failing);
      const { target, service, observeWith } = watched();
      const watching = watch({ target, service, observeWith, folder: declare(failing) });
      const held = await watching.until('the hold', ({ decisions }) => decisions[0]?.action === 'hold');
      expect(held.connectors).toMatchObject([{ verdict: 'failed', cause: 'configuration' }]);
      expect(count(watching, 'restart')).toBe(0);
      await client().put(mockSink());
      await watching.until('the end of it', () => watching.notices.length > 1);
      expect(watching.notices).toMatchObject([
        { status: 'firing', cause: 'configuration' },
        { status: 'resolved', cause: 'configuration' },
      ]);
    });

    test('every request and every response conforms to the document', () => {
      expect(server.violations).toEqual([]);
      expect(
        new Set(server.undocumented.map((line) => line.replace(/(?:mock|watched)-[\w-]+|absent/, 'NAME'))),
      ).toEqual(
        new Set([`POST /connect/v1/environments/${environment}/clusters/${cluster}/connectors/NAME/restart`]),
      );
    });
  });
}
