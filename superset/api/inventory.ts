import { z } from 'zod';
import { databaseUuid, mark } from '../bundle/compile.ts';
import type { Superset } from './client.ts';

export const kinds = ['dashboard', 'chart', 'dataset'] as const;
export type Kind = (typeof kinds)[number];

/** Something in Superset that carries the project's mark. */
export interface Asset {
  kind: Kind;
  id: number;
  uuid: string;
  title: string;
}

const certified = z.object({ id: z.int(), uuid: z.string(), certified_by: z.string().nullable() });

/** All that carries the project's mark, dashboards first: in the order in which it can be removed. */
export async function listMarked(superset: Superset): Promise<Asset[]> {
  const dashboards = await superset.list(
    '/api/v1/dashboard/',
    certified.extend({ dashboard_title: z.string().nullable() }),
    ['id', 'uuid', 'certified_by', 'dashboard_title'],
  );
  const charts = await superset.list('/api/v1/chart/', certified.extend({ slice_name: z.string() }), [
    'id',
    'uuid',
    'certified_by',
    'slice_name',
  ]);
  const datasets = await superset.list(
    '/api/v1/dataset/',
    z.object({ id: z.int(), uuid: z.string(), table_name: z.string(), extra: z.string().nullable() }),
    ['id', 'uuid', 'table_name', 'extra'],
  );
  return [
    ...dashboards
      .filter((one) => one.certified_by === mark)
      .map(({ id, uuid, dashboard_title }) => ({
        kind: 'dashboard' as const,
        id,
        uuid,
        title: dashboard_title ?? '',
      })),
    ...charts
      .filter((one) => one.certified_by === mark)
      .map(({ id, uuid, slice_name }) => ({ kind: 'chart' as const, id, uuid, title: slice_name })),
    ...datasets
      .filter(({ extra }) => extra?.includes(`"certified_by": "${mark}"`) === true)
      .map(({ id, uuid, table_name }) => ({ kind: 'dataset' as const, id, uuid, title: table_name })),
  ];
}

/** The id of the connection to ClickHouse; undefined where it is not there. */
export async function findDatabase(superset: Superset): Promise<number | undefined> {
  const row = z.object({ id: z.int(), uuid: z.string() });
  const databases = await superset.list('/api/v1/database/', row, ['id', 'uuid']);
  return databases.find(({ uuid }) => uuid === databaseUuid)?.id;
}

/**
 * Removes these, in their order. A dataset on which somebody has built charts of their own stays.
 *
 * @returns those that stayed
 */
export async function removeAssets(superset: Superset, assets: readonly Asset[]): Promise<Asset[]> {
  const kept: Asset[] = [];
  for (const asset of assets) {
    const { kind, id } = asset;
    if (kind === 'dataset') {
      const related = await superset.get(`/api/v1/dataset/${String(id)}/related_objects`);
      const { charts } = z.looseObject({ charts: z.looseObject({ count: z.int() }) }).parse(related);
      if (charts.count > 0) {
        kept.push(asset);
        continue;
      }
    }
    await superset.send('DELETE', `/api/v1/${kind}/${String(id)}`);
  }
  return kept;
}
