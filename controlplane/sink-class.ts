import { PipelineError } from '../core/errors.ts';
import type { DesiredConnector } from './connector-config.ts';
import type { ConnectorPlugin, ConnectorService } from './connector-service.ts';

/** The class every declaration names. */
export const officialSinkClass = 'com.clickhouse.kafka.connect.ClickHouseSinkConnector';
/** Reads the same keys; built by the project for workers that cannot have the official plugin. */
export const standInSinkClass = 'billinganalytics.connect.StandInClickHouseSinkConnector';

/** What Confluent Cloud calls the official sink, run by Confluent. */
export const managedSinkClass = 'ClickHouseSink';

const sinkClasses = {
  official: officialSinkClass,
  'stand-in': standInSinkClass,
  managed: managedSinkClass,
} as const;
export type SinkKind = keyof typeof sinkClasses;

/** The sink that runs our connectors. */
export interface SinkInUse {
  kind: SinkKind;
  class: string;
  version: string;
}

/**
 * Asks the server which sink it has.
 *
 * @param allowed by the target, the preferred one first
 * @throws PipelineError `SINK_MISSING` where it has none of them
 */
export async function findSink(
  service: ConnectorService,
  allowed: readonly SinkKind[],
  signal?: AbortSignal,
): Promise<SinkInUse> {
  return chooseSink(await service.plugins(signal), allowed, service.address);
}

/** The first of the allowed sinks that the server has. */
export function chooseSink(
  plugins: readonly ConnectorPlugin[],
  allowed: readonly SinkKind[],
  address: string,
): SinkInUse {
  for (const kind of allowed) {
    const plugin = plugins.find((one) => one.class === sinkClasses[kind]);
    // The official release calls itself "v1.5.0", everything else that names it says "1.5.0".
    if (plugin !== undefined) {
      return { kind, class: plugin.class, version: plugin.version?.replace(/^v(?=\d)/, '') ?? 'unknown' };
    }
  }
  if (allowed.includes('managed')) {
    throw new PipelineError('SINK_MISSING', {
      what: 'Confluent Cloud does not offer its managed ClickHouse sink for this cluster',
      where: address,
      todo: "Confluent's documentation of the connector names the clouds and regions that have it.",
    });
  }
  const standIn = plugins.some((plugin) => plugin.class === standInSinkClass);
  throw new PipelineError('SINK_MISSING', {
    what: `The worker does not have the ClickHouse sink${standIn ? ', only the stand-in, which this target does not allow' : ''}`,
    where: address,
    todo:
      "Unpack the release zip of ClickHouse/clickhouse-kafka-connect below a folder of the worker's plugin.path\n" +
      'and restart the worker; for the embedded stack, set CLICKHOUSE_SINK_PLUGIN to that folder.',
  });
}

/** The connector as the worker can run it: the declared class replaced where the stand-in takes its place. */
export function withSink(connector: DesiredConnector, sink: SinkInUse): DesiredConnector {
  if (connector.config['connector.class'] !== officialSinkClass) return connector;
  return { ...connector, config: { ...connector.config, 'connector.class': sink.class } };
}

const descriptions: Readonly<Record<SinkKind, (version: string) => string>> = {
  official: (version) => `Sink: the official ClickHouse sink ${version}`,
  'stand-in': (version) => `Sink: the stand-in ${version}, in place of the official ClickHouse sink`,
  managed: (version) => `Sink: Confluent Cloud's managed ClickHouse sink ${version}`,
};

export function describeSink({ kind, version }: SinkInUse): string {
  return descriptions[kind](version);
}
