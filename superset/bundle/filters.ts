import { chartsOf } from '../declare/references.ts';
import type { Dashboard } from '../declare/shapes.ts';
import { fillPlaceholders, type Currencies } from './currencies.ts';
import { supersetTimeRange } from './time-range.ts';
import { uuidOf } from './uuids.ts';

/** The ids of a dashboard's filters: part of links into it. */
export function filterId(name: string): string {
  return `NATIVE_FILTER-${name}`;
}

/** The dashboard's filters in Superset's words: the time range first, then one for each column. */
export function nativeFilters(dashboard: Dashboard, currencies: Currencies): unknown[] {
  const numbers = new Map(chartsOf(dashboard).map((chart, index) => [chart.id, index + 1]));
  const excluded = (name: string, only?: readonly string[]) =>
    chartsOf(dashboard)
      .filter(
        (chart) => only?.includes(chart.id) === false || chart.ignores.some((ignored) => ignored === name),
      )
      .map((chart) => numbers.get(chart.id));
  const time = supersetTimeRange(dashboard.time);
  const common = { type: 'NATIVE_FILTER', cascadeParentIds: [] };
  return [
    {
      ...common,
      id: filterId('time'),
      name: 'Time range',
      filterType: 'filter_time',
      description: 'Days and months, UTC. Charts that show a state as of now say so and keep out of it.',
      targets: [{}],
      controlValues: {},
      defaultDataMask: {
        extraFormData: { time_range: time },
        filterState: { value: time },
        ownState: {},
      },
      scope: { rootPath: ['ROOT_ID'], excluded: excluded('time') },
    },
    ...dashboard.filters.map(({ title, column, dataset, about, isSingle, only }) => ({
      ...common,
      id: filterId(column),
      name: title,
      filterType: 'filter_select',
      description: fillPlaceholders(about, currencies),
      targets: [{ datasetUuid: uuidOf('dataset', dataset), column: { name: column } }],
      controlValues: {
        multiSelect: !isSingle,
        enableEmptyFilter: false,
        defaultToFirstItem: false,
        inverseSelection: false,
        // There may be more customers than a list loads at once.
        searchAllOptions: isSingle,
        sortAscending: true,
      },
      defaultDataMask: { extraFormData: {}, filterState: {}, ownState: {} },
      scope: { rootPath: ['ROOT_ID'], excluded: excluded(column, only) },
    })),
  ];
}
