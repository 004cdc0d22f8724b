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

/**
 * Whether a look could not have seen that an incident goes on: nothing is known of connectors while Kafka Connect is
 * away, nothing of progress while Kafka is, and what waits for ClickHouse is folded into its outage.
 */
export function isHidden(
  { subject, cause }: Pick<Incident, 'subject' | 'cause'>,
  { connectors, progress, clickhouse }: Observation,
): boolean {
  if (serverNames.has(subject)) return false;
  const isFolded = clickhouse.state !== 'ready' && cause === causeOfClickHouse[clickhouse.state];
  return connectors.value === null || progress.value === null || isFolded;
}

const serverNames: ReadonlySet<string> = new Set(['Kafka Connect', 'Kafka', 'ClickHouse']);

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
