import { isUnhealthy } from '../health.ts';
import type { ClickHouseState } from '../probe-clickhouse.ts';
import { nextActions, type CauseClass } from '../trace-causes.ts';
import type { WatchedConnector } from './assess-fleet.ts';
import type { Incident } from './notices.ts';
import type { Observation } from './observe.ts';
import type { Decision } from './restart-policy.ts';

const causeOfClickHouse: Readonly<Record<Exclude<ClickHouseState['state'], 'ready'>, CauseClass>> = {
  unreachable: 'transient',
  unknown: 'unknown',
  refused: 'authentication',
  unprepared: 'schema-mismatch',
  overloaded: 'capacity',
};

/** Verdicts that have already waited for a limit, or that nothing but a person changes. */
const needPerson: ReadonlySet<string> = new Set(['stalled', 'dead-letters', 'unassigned']);

/**
 * What is wrong now, servers first. While ClickHouse cannot take rows, a connector that waits for just that is not
 * an incident of its own: one outage is one message, not one for each connector.
 */
export function findIncidents(
  observation: Observation,
  connectors: readonly WatchedConnector[],
  decisions: readonly Decision[],
): Incident[] {
  const servers = findServerIncidents(observation);
  const { clickhouse } = observation;
  const shared = clickhouse.state === 'ready' ? null : causeOfClickHouse[clickhouse.state];
  const own = connectors
    .filter(({ verdict, cause }) => isUnhealthy(verdict) && (cause !== shared || verdict === 'missing'))
    .map(({ name, verdict, cause, reason, action }): Incident => {
      const held = decisions.find((one) => one.connector === name && one.action === 'hold');
      return {
        subject: name,
        cause: cause ?? 'unknown',
        reason: reason ?? verdict,
        action: action ?? nextActions.unknown,
        needsPerson: held !== undefined || needPerson.has(verdict),
      };
    });
  return [...servers, ...own];
}

function findServerIncidents({ connectors, progress, clickhouse }: Observation): Incident[] {
  const away = (subject: string, error: string | null): Incident[] =>
    error === null
      ? []
      : [
          {
            subject,
            cause: 'transient',
            reason: error,
            action: `Start it, or correct its address.`,
            needsPerson: false,
          },
        ];
  return [
    ...away('Kafka Connect', connectors.error),
    ...away('Kafka', progress.error),
    ...(clickhouse.state === 'ready'
      ? []
      : [
          {
            subject: 'ClickHouse',
            cause: causeOfClickHouse[clickhouse.state],
            reason: clickhouse.reason,
            action: nextActions[causeOfClickHouse[clickhouse.state]],
            needsPerson: clickhouse.state === 'refused' || clickhouse.state === 'unprepared',
          },
        ]),
  ];
}
