import { clickhouse } from './clickhouse.ts';
import { connect } from './connect.ts';
import { kafka } from './kafka.ts';
import { schemaRegistry } from './schema-registry.ts';
import type { Service } from './service.ts';

/** In the order of their start: each after those it needs. */
export const services: readonly Service[] = [kafka, schemaRegistry, clickhouse, connect];
