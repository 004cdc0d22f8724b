import { z } from 'zod';
import { InvalidInputError, type Problem } from '../core/errors.ts';
import { resolveHome, type Home } from '../core/home.ts';
import { check } from '../core/parse.ts';
import type { PortUse } from './ports.ts';

/** The variables that move the embedded stack's ports; all of them listen on 127.0.0.1. */
export const portVariables = {
  kafka: 'KAFKA_PORT',
  kafkaController: 'KAFKA_CONTROLLER_PORT',
  schemaRegistry: 'SCHEMA_REGISTRY_PORT',
  connect: 'CONNECT_PORT',
  clickhouse: 'CLICKHOUSE_PORT',
} as const;

export type PortName = keyof typeof portVariables;

const defaultPorts = { kafka: 9092, schemaRegistry: 8081, connect: 8083, clickhouse: 8123 } as const;

export interface StackSettings {
  home: Home;
  ports: Record<PortName, number>;
  /** The one user of the ClickHouse endpoint; without a password none is asked for. */
  clickhouse: { user: string; password: string };
  /** What the sink's lookup and the service processes see. */
  env: NodeJS.ProcessEnv;
}

/** An empty variable counts as unset. */
const port = z
  .string()
  .optional()
  .transform((text) => text || undefined)
  .pipe(
    z
      .string()
      .regex(/^\d{1,5}$/, 'expected a port number, 1 to 65535')
      .transform(Number)
      .refine((number) => number >= 1 && number <= 65535, 'expected a port number, 1 to 65535')
      .optional(),
  );

const portsSchema = z.object(
  Object.fromEntries(Object.values(portVariables).map((variable) => [variable, port])) as Record<
    (typeof portVariables)[PortName],
    typeof port
  >,
);

/**
 * Reads the embedded stack's settings from the environment.
 *
 * @throws InvalidInputError listing every malformed port and every port that two services would share
 */
export function resolveStackSettings(env: NodeJS.ProcessEnv = process.env): StackSettings {
  const parsed = check(portsSchema, env);
  const given = parsed.value ?? {};
  const chosen = Object.fromEntries(
    Object.entries(defaultPorts).map(([name, fallback]) => [
      name,
      given[portVariables[name as keyof typeof defaultPorts]] ?? fallback,
    ]),
  ) as Record<keyof typeof defaultPorts, number>;
  const ports = { ...chosen, kafkaController: given.KAFKA_CONTROLLER_PORT ?? nextFreeOf(chosen) };
  const problems = [...parsed.problems, ...(parsed.value === undefined ? [] : sharedPorts(ports))];
  if (problems.length > 0) {
    throw new InvalidInputError({
      what: 'The settings of the embedded stack are not valid',
      where: 'the environment',
      problems,
    });
  }
  return {
    home: resolveHome(env),
    ports,
    clickhouse: { user: env['CLICKHOUSE_USER'] || 'default', password: env['CLICKHOUSE_PASSWORD'] ?? '' },
    env,
  };
}

/** The controller's port follows the broker's, so that moving the broker moves both: the next one up. */
function nextFreeOf(chosen: Record<string, number>): number {
  const taken = new Set(Object.values(chosen));
  let candidate = (chosen['kafka'] ?? 0) + 1;
  while (taken.has(candidate) || candidate > 65535) candidate = candidate >= 65535 ? 1024 : candidate + 1;
  return candidate;
}

function sharedPorts(ports: Record<PortName, number>): Problem[] {
  const names = Object.keys(ports) as PortName[];
  return names.flatMap((name, index) => {
    const first = names.slice(0, index).find((other) => ports[other] === ports[name]);
    if (first === undefined) return [];
    return [
      { path: portVariables[name], message: `${ports[name]} is also the port of ${portVariables[first]}` },
    ];
  });
}

/** The ports a service listens on. */
export function portsOf(
  { ports }: StackSettings,
  service: { name: string; port: PortName; internalPorts: readonly PortName[] },
): PortUse[] {
  return [service.port, ...service.internalPorts].map((name) => ({
    port: ports[name],
    variable: portVariables[name],
    service: service.name,
  }));
}
