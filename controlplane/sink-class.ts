import { PipelineError } from '../core/errors.ts';
import type { DesiredConnector } from './connector-config.ts';
import type { ConnectorPlugin, ConnectorService } from './connector-service.ts';

/** The class every declaration names. */
export const officialSinkClass = 'com.clickhouse.kafka.connect.ClickHouseSinkConnector';
/** Reads the same keys; built by the project for workers that cannot have the official plugin. */
export const standInSinkClass = 'billinganalytics.connect.StandInClickHouseSinkConnector';

/** The sink a worker runs our connectors with. */
export interface SinkInUse {
  kind: 'official' | 'stand-in';
  class: string;
  version: string;
}

/**
 * Asks the worker which sink it has.
 *
 * @throws PipelineError `SINK_MISSING` where it has none that the target allows
 */
export async function findSink(
  service: ConnectorService,
  capabilities: { standInSink: boolean },
  signal?: AbortSignal,
): Promise<SinkInUse> {
  return chooseSink(await service.plugins(signal), capabilities, service.address);
}

/** The official sink where the worker has it; the stand-in only where the target allows it. */
export function chooseSink(
  plugins: readonly ConnectorPlugin[],
  capabilities: { standInSink: boolean },
  address: string,
): SinkInUse {
  const candidates = [
    { kind: 'official', class: officialSinkClass },
    ...(capabilities.standInSink ? [{ kind: 'stand-in', class: standInSinkClass } as const] : []),
  ] as const;
  for (const candidate of candidates) {
    const plugin = plugins.find((one) => one.class === candidate.class);
    // The official release calls itself "v1.5.0", everything else that names it says "1.5.0".
    if (plugin !== undefined) {
      return { ...candidate, version: plugin.version?.replace(/^v(?=\d)/, '') ?? 'unknown' };
    }
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

export function describeSink({ kind, version }: SinkInUse): string {
  return kind === 'official'
    ? `Sink: the official ClickHouse sink ${version}`
    : `Sink: the stand-in ${version}, in place of the official ClickHouse sink`;
}
