import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { resolveHome } from '../../core/home.ts';
import { startStack, stopStack, type StackSettings, type StartedStack } from '../../embedded/stack.ts';
import type { ServiceName } from '../../embedded/services/service.ts';
import { resolveStackSettings } from '../../embedded/settings.ts';
import { loadTarget, type Target } from '../../targets/load-target.ts';
import { freePorts } from './free-ports.ts';

/** A stack of the tests' own: free ports, a temporary state folder, the cache shared. */
export interface TestStack {
  /** For everything that reads settings from the environment, commands in processes of their own included. */
  env: Record<string, string>;
  settings: StackSettings;
  target: Target;
  /** What ran at the start. */
  started: StartedStack;
  /** Stops the services and removes the state folder. */
  stop: () => Promise<void>;
}

/**
 * Starts the given services, or all of them, and returns when they are ready. Call `stop` in `afterAll`.
 *
 * @param variables further settings of the stack, such as the login that its ClickHouse demands
 * @example const stack = await startTestStack(['kafka', 'schema-registry']);
 */
export async function startTestStack(
  services?: readonly ServiceName[],
  variables: Record<string, string> = {},
): Promise<TestStack> {
  const env = { ...(await testEnvironment()), ...variables };
  const full = { ...process.env, ...env };
  const settings = resolveStackSettings(full);
  const stop = async () => {
    await stopStack(settings);
    await rm(settings.home.root, { recursive: true, force: true });
  };
  try {
    const started = await startStack(settings, services === undefined ? {} : { services });
    return { env, settings, target: loadTarget('embedded', full), started, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Variables that give commands and services a state folder and ports of their own. */
export async function testEnvironment(
  home = mkdtempSync(path.join(tmpdir(), 'billing-stack-')),
): Promise<Record<string, string>> {
  const [kafka, controller, registry, connect, clickhouse] = await freePorts(5);
  return {
    PIPELINE_HOME: home,
    PIPELINE_CACHE: resolveHome().cache,
    PIPELINE_TARGET: 'embedded',
    KAFKA_PORT: String(kafka),
    KAFKA_CONTROLLER_PORT: String(controller),
    SCHEMA_REGISTRY_PORT: String(registry),
    CONNECT_PORT: String(connect),
    CLICKHOUSE_PORT: String(clickhouse),
    // Addresses of somebody's own stack must not reach these tests; an empty variable counts as unset.
    KAFKA_BROKERS: '',
    SCHEMA_REGISTRY_URL: '',
    CONNECT_URL: '',
    CLICKHOUSE_URL: '',
    CLICKHOUSE_USER: '',
    CLICKHOUSE_PASSWORD: '',
    CLICKHOUSE_DATABASE: '',
    PIPELINE_TARGET_FILE: '',
  };
}
