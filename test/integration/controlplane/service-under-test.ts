import { randomUUID } from 'node:crypto';
import { onTestFinished } from 'vitest';
import { applyPlan } from '../../../controlplane/apply.ts';
import type { ConnectorConfig, DesiredConnector } from '../../../controlplane/connector-config.ts';
import type { ConnectorService, Pace } from '../../../controlplane/connector-service.ts';
import { planConnectors } from '../../../controlplane/plan.ts';

/** One kind of server, and what differs between the kinds in the tests. */
export interface ServiceUnderTest {
  service: ConnectorService;
  /** Keys of a connector that fails on command, by `mock_mode`: its class and what it needs besides. */
  mockSink: ConnectorConfig;
  secretKeys?: readonly string[];
  /** A key of the mock sink whose value is secret and may be anything. */
  rotates: string;
  /** How another process gets at it. */
  connection: Connection;
  /** A key with a value that its validation refuses. */
  invalid: ConnectorConfig;
  /** What the trace of its failing task contains. */
  taskTrace: string;
  pace: Partial<Pace>;
  /** Brings a connector into the state in which its offsets may be altered. */
  readyForOffsets: (connector: DesiredConnector) => Promise<void>;
  stop: () => Promise<void> | void;
}

/** For the process that a test starts: what it needs to make a client of its own. */
export interface Connection {
  kind: 'worker' | 'cloud';
  url: string;
}

export type Fixture = ReturnType<typeof createFixture>;

/** What the tests of every kind of server do with connectors. */
export function createFixture(under: () => ServiceUnderTest) {
  /** Stands for any connector. Deleted when the test ends. */
  function mockSink(config: ConnectorConfig = {}): DesiredConnector {
    const name = `mock-${randomUUID()}`;
    onTestFinished(() => under().service.delete(name));
    const base = { ...under().mockSink, 'tasks.max': '1', topics: name, mock_mode: 'none' };
    return { name, config: { ...base, ...config }, secretKeys: new Set(under().secretKeys) };
  }

  /** The same connector with some keys changed. */
  function changed(connector: DesiredConnector, config: ConnectorConfig): DesiredConnector {
    return { ...connector, config: { ...connector.config, ...config } };
  }

  async function plan(...desired: DesiredConnector[]) {
    return planConnectors(desired, await under().service.list());
  }

  async function apply(...desired: DesiredConnector[]) {
    return applyPlan(under().service, await plan(...desired), { pace: under().pace });
  }

  return { under, mockSink, changed, plan, apply };
}
