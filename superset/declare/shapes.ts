import { z } from 'zod';

/** What a user of Superset may be: product.md's readers, each with a role that can look and not change. */
export const audiences = ['executives', 'finance', 'support', 'operations', 'data'] as const;
export type Audience = (typeof audiences)[number];

/**
 * How a metric's numbers are written: a `duration` is in milliseconds, `money` in the reporting currency, `own_money` in
 * that of the row.
 */
export const formats = [
  'count',
  'share',
  'rounded_share',
  'ratio',
  'days',
  'duration',
  'money',
  'own_money',
] as const;
export type Format = (typeof formats)[number];

const id = z.string().regex(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/, 'expected lower case words with hyphens');
const column = z.string().regex(/^[a-z][a-z0-9_]*$/, 'expected the name of a column');
const text = z
  .string()
  .min(1)
  .transform((value) => value.trim());

/** Up to and including today; months begin with the first day of the first one. */
const timeRange = z
  .string()
  .regex(/^(all|\d+ (hours|days|months))$/, 'expected "all", or a number of hours, days or months');

const metric = z.strictObject({
  /** As it stands on an axis or in the head of a table. */
  title: text,
  /**
   * ClickHouse SQL over the model's columns. `{reporting_units}` is what one unit of the reporting currency is in minor
   * units, `{units}` the same of the row's currency, from the column `currency`.
   */
  expression: text,
  format: z.enum(formats),
  /** One sentence: what is counted. */
  means: text,
  /** Heading of docs/metrics.md that defines it, as its anchor. */
  definition: id,
});

const calculatedColumn = z.strictObject({
  title: text,
  expression: text,
  means: text,
  type: z.enum(['String', 'Date', 'Float64', 'UInt64']).default('String'),
});

export const datasetShape = z.strictObject({
  /** The dbt model. */
  model: column,
  about: text,
  /** The column that the time range filters. */
  time: column.optional(),
  /** Titles of columns that are shown to people; other columns go by their names. */
  titles: z.record(column, text).default({}),
  calculated: z.record(column, calculatedColumn).default({}),
  metrics: z.record(column, metric).default({}),
});
export type Dataset = z.infer<typeof datasetShape> & { id: string };

const grains = ['hour', 'day', 'week', 'month'] as const;

const common = {
  id,
  title: text,
  /** One sentence below the title's info sign: what the picture says, beyond what its metrics mean. */
  about: text.optional(),
  dataset: id,
  /** Of the twelve columns of a row. */
  width: z.int().min(2).max(12),
  /** A time range of its own, where that of the dashboard makes no sense. */
  time: timeRange.optional(),
  /** Fixed conditions: column, operator, values. */
  where: z
    .array(z.strictObject({ column, is: z.union([z.string(), z.array(z.string()).min(1)]) }))
    .default([]),
  /** Filters of the dashboard that do not apply. */
  ignores: z.array(z.enum(['time', 'currency', 'region'])).default([]),
};
const metricNames = z.array(column).min(1);

const charts = [
  /** One number, with its course over the grain behind it. */
  z.strictObject({
    ...common,
    kind: z.literal('number'),
    metric: column,
    grain: z.enum(grains).optional(),
    /** Of the whole time range, or of the last point of the course: for what is a state and not a sum. */
    shows: z.enum(['whole', 'last']).default('whole'),
  }),
  z.strictObject({
    ...common,
    kind: z.enum(['line', 'area', 'bar']),
    metrics: metricNames,
    /** Over time by this grain; otherwise over `over`. */
    grain: z.enum(grains).optional(),
    over: column.optional(),
    by: column.optional(),
    isStacked: z.boolean().default(false),
    /** Bars from left to right, for long names. */
    isHorizontal: z.boolean().default(false),
    /** The order of `over` is that of its names and not that of the numbers. */
    isOrdered: z.boolean().default(false),
    isLogarithmic: z.boolean().default(false),
    /** The lowest and highest value of the axis. */
    bounds: z.tuple([z.number().nullable(), z.number().nullable()]).optional(),
  }),
  z.strictObject({ ...common, kind: z.literal('donut'), metric: column, by: column }),
  z.strictObject({ ...common, kind: z.literal('map'), metric: column, by: column }),
  z.strictObject({ ...common, kind: z.literal('heatmap'), metric: column, x: column, y: column }),
  z.strictObject({
    ...common,
    kind: z.literal('table'),
    by: z.array(column).min(1),
    metrics: metricNames,
    limit: z.int().min(1).max(1000).default(100),
  }),
  /** Rows as they are, newest first. */
  z.strictObject({
    ...common,
    kind: z.literal('rows'),
    columns: z.array(column).min(1),
    newest: column,
    limit: z.int().min(1).max(1000).default(100),
  }),
] as const;

const chart = z.discriminatedUnion('kind', charts);
export type Chart = z.infer<typeof chart>;

export const dashboardShape = z.strictObject({
  title: text,
  about: text,
  audiences: z.array(z.enum(audiences)).min(1),
  /** The time range it opens with. */
  time: timeRange,
  /** The select filters, each the column it filters. */
  filters: z
    .array(
      z.strictObject({
        title: text,
        column,
        dataset: id,
        about: text,
        /** One value at a time, searched for among all there are. */
        isSingle: z.boolean().default(false),
        /** The charts it filters. Default: all but those that ignore it. */
        only: z.array(id).optional(),
      }),
    )
    .default([]),
  rows: z
    .array(
      z.strictObject({
        /** A heading above the row. */
        heading: text.optional(),
        /** In units of Superset's grid, 8 pixels each. */
        height: z.int().min(10).max(100),
        charts: z.array(chart).min(1),
      }),
    )
    .min(1),
});
export type Dashboard = z.infer<typeof dashboardShape> & { id: string };

/** Colours by value, or by metric where a chart shows several: the same in every chart. */
export const colorsShape = z.record(
  z.string(),
  z.string().regex(/^#[0-9a-f]{6}$/, 'expected a colour such as #1a85a0'),
);

export interface Assets {
  datasets: Dataset[];
  dashboards: Dashboard[];
  colors: z.infer<typeof colorsShape>;
}
