import { z } from 'zod';
import { PipelineError } from '../../core/errors.ts';
import { chartsOf } from '../declare/references.ts';
import { audiences, type Assets, type Audience } from '../declare/shapes.ts';
import type { Asset } from './inventory.ts';
import type { Superset } from './client.ts';

/** Looking, filtering, drilling and exporting, and nothing that changes anything for others. */
const viewing: readonly (readonly [permission: string, view: string])[] = [
  ['can_read', 'Dashboard'],
  ['can_read', 'Chart'],
  ['can_read', 'Dataset'],
  ['can_get_drill_info', 'Dataset'],
  ['can_read', 'Database'],
  ['can_dashboard', 'Superset'],
  ['can_dashboard_permalink', 'Superset'],
  ['can_slice', 'Superset'],
  ['can_explore', 'Superset'],
  ['can_explore_json', 'Superset'],
  ['can_csv', 'Superset'],
  ['can_export_data', 'Superset'],
  ['can_export_image', 'Superset'],
  ['can_log', 'Superset'],
  ['can_drill', 'Dashboard'],
  ['can_view_chart_as_table', 'Dashboard'],
  ['can_samples', 'Datasource'],
  ['can_get', 'Datasource'],
  ['can_get_column_values', 'Datasource'],
  ['can_external_metadata', 'Datasource'],
  ['can_read', 'DashboardFilterStateRestApi'],
  ['can_write', 'DashboardFilterStateRestApi'],
  ['can_read', 'DashboardPermalinkRestApi'],
  ['can_write', 'DashboardPermalinkRestApi'],
  ['can_read', 'ExploreFormDataRestApi'],
  ['can_write', 'ExploreFormDataRestApi'],
  ['can_read', 'ExplorePermalinkRestApi'],
  ['can_read', 'Explore'],
  ['can_time_range', 'Api'],
  ['can_query', 'Api'],
  ['can_query_form_data', 'Api'],
  ['can_read', 'SecurityRestApi'],
  ['can_read', 'CurrentUserRestApi'],
  ['can_write', 'CurrentUserRestApi'],
  ['can_read', 'user'],
  ['can_read', 'AvailableDomains'],
  ['can_read', 'Theme'],
  ['can_read', 'CssTemplate'],
  ['can_read', 'Annotation'],
  ['can_recent_activity', 'Log'],
  ['can_read', 'Log'],
  ['can_userinfo', 'UserDBModelView'],
  ['resetmypassword', 'UserDBModelView'],
  ['menu_access', 'Home'],
  ['menu_access', 'Dashboards'],
];

const rolePrefix = 'Billing ';

export function roleName(audience: Audience): string {
  return `${rolePrefix}${audience}`;
}

const permission = z.object({
  id: z.int(),
  permission: z.object({ name: z.string() }),
  view_menu: z.object({ name: z.string() }),
});
const role = z.object({ id: z.int(), name: z.string() });

/**
 * Makes the viewer role of each audience what it is declared to be: it may look at the dashboards that name the
 * audience, and at the datasets behind them.
 *
 * @returns the names of the roles; undefined where roles are not managed through this API, as on Preset
 */
export async function applyRoles(
  superset: Superset,
  assets: Assets,
  present: readonly Asset[],
  uuidOfDataset: (id: string) => string,
): Promise<string[] | undefined> {
  const roles = await listRoles(superset);
  if (roles === undefined) return undefined;
  const all = await superset.list('/api/v1/security/permissions-resources/', permission, [
    'id',
    'permission.name',
    'view_menu.name',
  ]);
  const ids = new Map(all.map((one) => [`${one.permission.name} on ${one.view_menu.name}`, one.id]));
  const base = viewing.flatMap(([name, view]) => ids.get(`${name} on ${view}`) ?? []);
  for (const audience of audiences) {
    const read = new Set(
      assets.dashboards
        .filter((dashboard) => dashboard.audiences.includes(audience))
        .flatMap((dashboard) => [
          ...chartsOf(dashboard).map(({ dataset }) => dataset),
          ...dashboard.filters.map(({ dataset }) => dataset),
        ]),
    );
    const uuids = new Set([...read].map(uuidOfDataset));
    const datasets = present.filter(({ kind, uuid }) => kind === 'dataset' && uuids.has(uuid));
    const access = datasets.flatMap(({ id }) =>
      all
        .filter(
          (one) =>
            one.permission.name === 'datasource_access' && one.view_menu.name.endsWith(`(id:${String(id)})`),
        )
        .map((one) => one.id),
    );
    const id =
      roles.find(({ name }) => name === roleName(audience))?.id ?? (await createRole(superset, audience));
    await superset.send('POST', `/api/v1/security/roles/${String(id)}/permissions`, {
      permission_view_menu_ids: [...base, ...access],
    });
  }
  return audiences.map(roleName);
}

/** Removes the roles of all audiences; users who have them keep their other ones. */
export async function removeRoles(superset: Superset): Promise<string[]> {
  const declared = new Set(audiences.map(roleName));
  const ours = (await listRoles(superset))?.filter(({ name }) => declared.has(name)) ?? [];
  for (const { id } of ours) await superset.send('DELETE', `/api/v1/security/roles/${String(id)}`);
  return ours.map(({ name }) => name);
}

async function createRole(superset: Superset, audience: Audience): Promise<number> {
  const answer = await superset.send('POST', '/api/v1/security/roles/', { name: roleName(audience) });
  return z.object({ id: z.int() }).parse(answer).id;
}

async function listRoles(superset: Superset): Promise<z.infer<typeof role>[] | undefined> {
  try {
    return await superset.list('/api/v1/security/roles/', role, ['id', 'name']);
  } catch (error) {
    if (error instanceof PipelineError && error.code === 'SUPERSET_REFUSED') return undefined;
    throw error;
  }
}
