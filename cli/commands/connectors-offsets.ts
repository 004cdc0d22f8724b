import { serviceOf } from '../../controlplane/fleet.ts';
import {
  executeReset,
  planReset,
  readOffsets,
  resetPoints,
  type ConnectorOffsets,
  type OffsetReset,
} from '../../controlplane/offsets.ts';
import { findConnectors } from '../../controlplane/operate.ts';
import { PipelineError } from '../../core/errors.ts';
import type { Options, Run } from '../command.ts';
import { confirm } from '../confirm.ts';
import { renderTable } from '../output.ts';

export const run: Run = async (context, options, [name = '']) => {
  const { output, signal } = context;
  const to = readPoint(options);
  const target = context.target();
  const service = serviceOf({ target });
  const [connector] = await findConnectors(service, [name], signal);
  if (connector === undefined) return 0;
  const asking = { service, target, signal };
  let reset: OffsetReset | null = null;
  if (to !== undefined) {
    reset = await planReset(connector, to, asking);
    output.note(describeReset(reset));
    await confirm(`Reset the offsets of ${name} to ${to}?`, context, options);
    await executeReset(reset, asking);
    output.note(`Reset; it goes on from there with connectors:resume -- ${name}`);
  }
  const offsets = await readOffsets(connector, asking);
  output.print(renderOffsets(offsets));
  output.document({
    ...offsets,
    reset: reset && { to, again: reset.again, skipped: reset.skipped, keeperState: reset.keeperState },
  });
  if (offsets.lagUnknown !== null) output.note(`Ends and lag are unknown: ${offsets.lagUnknown}`);
  return 0;
};

function readPoint(options: Options) {
  const asked = options['reset'] as string | undefined;
  if (asked === undefined) return undefined;
  const point = resetPoints.find((one) => one === asked);
  if (point !== undefined) return point;
  throw new PipelineError('USAGE', {
    what: `--reset takes ${resetPoints.join(' or ')}, not ${asked}`,
    todo: 'Leave it out to see the offsets.',
  });
}

function describeReset({ connector, to, again, skipped, keeperState }: OffsetReset): string {
  const count = (records: number) => records.toLocaleString('en-US');
  return [
    `${connector.name} would go to the ${to} offsets: ${count(again)} records are read again, ${count(skipped)} never.`,
    ...(keeperState === null
      ? []
      : [
          `exactlyOnce is on: ${count(keeperState.rows.length)} rows of its state go from ${keeperState.table} first` +
            (keeperState.rows.length === 0 ? '.' : ':'),
          ...keeperState.rows.map(
            ({ key, minOffset, maxOffset, state }) =>
              `  ${key}  ${count(minOffset)} to ${count(maxOffset)}  ${state}`,
          ),
        ]),
  ].join('\n');
}

function renderOffsets({ name, state, partitions }: ConnectorOffsets): string {
  const heading = `${name} is ${state ?? 'starting'}`;
  if (partitions.length === 0) return `${heading}; it has no offsets, and no topic of it exists.`;
  const table = renderTable(
    [
      { title: 'Topic' },
      { title: 'Partition', align: 'right' },
      { title: 'Offset', align: 'right' },
      { title: 'End', align: 'right' },
      { title: 'Lag', align: 'right' },
    ],
    partitions.map(({ topic, partition, offset, end, lag }) => [topic, partition, offset, end, lag]),
  );
  return `${heading}\n\n${table}`;
}
