import type { DescribedColumn } from '../../../clickhouse/describe-tables.ts';
import type { Contracts } from '../../../contracts/judge-contracts.ts';
import type { AvroField } from '../../../schemas/read-schema.ts';

export type Config = Record<string, string>;

export function column(name: string, type: string, more: Partial<DescribedColumn> = {}): DescribedColumn {
  return {
    name,
    type,
    comment: '',
    defaultKind: '',
    isInPartitionKey: false,
    isInSortingKey: false,
    ...more,
  };
}

export interface Stream {
  fields?: readonly AvroField[];
  columns?: readonly DescribedColumn[];
  config?: Config;
}

/** A stream with an id, and whatever a test adds to it. */
export function contracts({ fields = [], columns = [], config = {} }: Stream = {}): Contracts {
  const definition = {
    type: 'record' as const,
    name: 'Note',
    namespace: 'app',
    fields: [{ name: 'note_id', type: 'string' }, ...fields],
  };
  const topic = { topic: 'app.notes', schema: 'avro/app.notes.avsc', key: 'note_id', id: 'note_id' };
  return {
    topics: [{ ...topic, references: {}, rawTable: 'raw_notes', definition }],
    connectors: [
      {
        name: 'notes-sink',
        config: { topics: 'app.notes', topic2TableMap: 'app.notes=raw_notes', ...config },
      },
    ],
    tables: { raw_notes: [column('note_id', 'String'), ...columns] },
  };
}
