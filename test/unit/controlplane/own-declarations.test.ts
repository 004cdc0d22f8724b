import { expect, test } from 'vitest';
import { topicsOf } from '../../../controlplane/connector-config.ts';
import { loadDesiredConnectors } from '../../../controlplane/declarations.ts';
import { loadCatalog } from '../../../schemas/catalog.ts';
import { loadTarget } from '../../../targets/load-target.ts';

const catalog = loadCatalog();
/** What the `connect` target takes from the environment. */
const clusterEnv = {
  KAFKA_BROKERS: 'k1.test:9092,k2.test:9092',
  SCHEMA_REGISTRY_URL: 'https://registry.test',
  CONNECT_URL: 'https://connect.test',
  CLICKHOUSE_URL: 'https://ch.test:8443',
  CLICKHOUSE_PASSWORD: 'pa55-word',
};

function load(name: string, env: NodeJS.ProcessEnv) {
  return loadDesiredConnectors({ target: loadTarget(name, env), contracts: catalog, env });
}

test('the declarations keep every rule on every target, and every topic of the catalog is read', () => {
  for (const connectors of [load('embedded', {}), load('connect', clusterEnv)]) {
    expect(connectors.flatMap(topicsOf).sort()).toEqual(catalog.topics.map(({ topic }) => topic).sort());
  }
});

test('on a cluster they use TLS, exactly once, and the converter and replication of that cluster', () => {
  for (const { config, secretKeys } of load('connect', clusterEnv)) {
    expect(config).toMatchObject({
      hostname: 'ch.test',
      port: '8443',
      ssl: 'true',
      exactlyOnce: 'true',
      password: 'pa55-word',
      'value.converter': 'io.confluent.connect.avro.AvroConverter',
      'value.converter.schema.registry.url': 'https://registry.test',
      'errors.deadletterqueue.topic.replication.factor': '3',
    });
    expect(secretKeys).toEqual(new Set(['password']));
  }
});

test('on the embedded stack the addresses follow its ports', () => {
  const ports = { SCHEMA_REGISTRY_PORT: '1081', CLICKHOUSE_PORT: '1123' };
  for (const { config } of load('embedded', ports)) {
    expect(config).toMatchObject({
      port: '1123',
      ssl: 'false',
      exactlyOnce: 'false',
      'value.converter.apicurio.registry.url': 'http://127.0.0.1:1081/apis/registry/v2',
    });
    expect(config).not.toHaveProperty('value.converter.schema.registry.url');
  }
});
