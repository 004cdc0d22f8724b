import { randomUUID } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';
import type { ConnectorConfig } from '../../../controlplane/connector-config.ts';
import type { ConnectorService } from '../../../controlplane/connector-service.ts';
import type { SupervisorOptions } from '../../../controlplane/watch/supervisor.ts';
import type { Target } from '../../../targets/load-target.ts';
import { count, declare, verdictOf, watch } from './watch-support.ts';

export interface WatchedService {
  target: Target;
  service: ConnectorService;
  /** A connector that fails as its `mock_mode` says. */
  mockSink: ConnectorConfig;
  observeWith?: SupervisorOptions['observeWith'];
}

/** What the watcher does, whatever runs the connectors. */
export function testWatching(under: () => WatchedService): void {
  async function mock(mode: 'none' | 'task-failure') {
    const { service, mockSink } = under();
    const name = `watched-${randomUUID()}`;
    const config = { ...mockSink, 'tasks.max': '1', topics: name, mock_mode: mode };
    await service.put({ name, config, secretKeys: new Set() });
    onTestFinished(() => service.delete(name));
    return { name, config };
  }

  function watching(declared: Awaited<ReturnType<typeof mock>>, restartsPerUnit = 1) {
    const { target, service, observeWith } = under();
    return watch({
      target,
      service,
      folder: declare(declared),
      restarts: { restartsPerUnit },
      ...(observeWith === undefined ? {} : { observeWith }),
    });
  }

  test('a task that fails is seen with its cause, restarted within its cap, and told in journal and metrics', async () => {
    const connector = await mock('task-failure');
    const watch_ = watching(connector);
    await watch_.until('the restart', () => count(watch_, 'restart', connector.name) > 0);
    await watch_.until(
      'its end',
      ({ decisions, connectors: [one] }) =>
        decisions.some(({ action }) => action === 'hold') || one?.verdict === 'healthy',
    );
    for (let look = 0; look < 3; look += 1) await watch_.supervisor.look(new AbortController().signal);
    expect(count(watch_, 'restart', connector.name)).toBe(1);
    expect(await watch_.metrics.expose()).toMatch(
      new RegExp(
        `billing_connector_restarts_total\\{connector="${connector.name}",cause="\\w+",outcome="accepted"\\} 1`,
      ),
    );
  });

  test('what somebody paused is left alone, and connectors that nobody declared are not looked at', async () => {
    const { service } = under();
    const connector = await mock('none');
    const stranger = await mock('task-failure');
    await service.pause(connector.name);
    const watch_ = watching(connector);
    const snapshot = await watch_.until('the pause', (seen) => verdictOf(seen, connector.name) === 'paused');
    expect(snapshot.connectors).toHaveLength(1);
    expect(snapshot.decisions).toEqual([]);
    expect(await service.read(stranger.name)).toBeDefined();
    expect(count(watch_, 'restart')).toBe(0);
    expect((await service.read(connector.name))?.state).toBe('PAUSED');
  });

  test('a connector that is deleted under the watcher is missing, told, and ends nothing', async () => {
    const { service } = under();
    const connector = await mock('none');
    const watch_ = watching(connector);
    await watch_.until('the connector', (seen) => verdictOf(seen, connector.name) === 'healthy');
    await service.delete(connector.name);
    await watch_.until('its absence', (seen) => verdictOf(seen, connector.name) === 'missing');
    await service.put({ ...connector, secretKeys: new Set() });
    await watch_.until('its return', (seen) => verdictOf(seen, connector.name) === 'healthy');
  });
}
