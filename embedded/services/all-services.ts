import { clickhouse } from './clickhouse.ts';
import { connect } from './connect.ts';
import { kafka } from './kafka.ts';
import { schemaRegistry } from './schema-registry.ts';
import type { Service, ServiceName } from './service.ts';

/** In the order of their start; they are stopped in the reverse order. */
export const services: readonly Service[] = [kafka, schemaRegistry, clickhouse, connect];

export function serviceNamed(name: ServiceName): Service {
  const service = services.find((candidate) => candidate.name === name);
  if (service === undefined) throw new TypeError(`No service is called ${name}`);
  return service;
}
