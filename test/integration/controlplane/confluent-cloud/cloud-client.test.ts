import { describe, expect, test } from 'vitest';
import { createCloudClient } from '../../../../controlplane/confluent-cloud/cloud-client.ts';
import { testConnectorService } from '../connector-service-suite.ts';
import { cloudLogin, startConformingServer, type ConformingServer } from './conforming-server.ts';
import { mockTrace } from './managed-connectors.ts';
import { findOpenApiDocument, withoutDocument } from './openapi-document.ts';

const { environment, cluster, apiKey, apiSecret } = cloudLogin;
const pace = { pollIntervalMs: 20, settleMs: 100, readBackTimeoutMs: 1000, startTimeoutMs: 30_000 };
const document = findOpenApiDocument();

if (document === undefined) test.todo(withoutDocument);
else {
  describe('managed connectors, checked against the published document', () => {
    let server: ConformingServer;

    testConnectorService(async () => {
      server = await startConformingServer(document);
      return {
        service: createCloudClient({
          url: server.url,
          environment,
          cluster,
          credentials: { username: apiKey, password: apiSecret },
          pace,
        }),
        mockSink: {
          'connector.class': 'MockSink',
          'kafka.auth.mode': 'KAFKA_API_KEY',
          'kafka.api.key': 'KAFKAKEY',
          'kafka.api.secret': 'kafka-s3cret',
          'schema.context.name': 'default',
        },
        secretKeys: ['kafka.api.key', 'kafka.api.secret'],
        invalid: { 'input.data.format': 'XML' },
        taskTrace: mockTrace,
        pace,
        readyForOffsets: () => Promise.resolve(),
        stop: () => {
          server.close();
        },
      };
    });

    test('every request and every response conforms to the document', () => {
      expect(server.violations).toEqual([]);
      expect(new Set(server.undocumented.map((line) => line.replace(/mock-[\w-]+|absent/, 'NAME')))).toEqual(
        new Set([`POST /connect/v1/environments/${environment}/clusters/${cluster}/connectors/NAME/restart`]),
      );
    });
  });
}
