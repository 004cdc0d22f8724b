/** The format of an answer whose request names none. */
export const defaultOutputFormat = 'TabSeparated';

const contentTypes: readonly (readonly [pattern: RegExp, contentType: string])[] = [
  [/^JSON.*EachRow|^JSONLines$|^NDJSON$/i, 'application/x-ndjson; charset=UTF-8'],
  [/^JSON|^GeoJSON/i, 'application/json; charset=UTF-8'],
  [/^CSVWithNames/i, 'text/csv; charset=UTF-8; header=present'],
  [/^CSV/i, 'text/csv; charset=UTF-8; header=absent'],
  [/^TabSeparated|^TSV/i, 'text/tab-separated-values; charset=UTF-8'],
  [/^XML$/i, 'application/xml; charset=UTF-8'],
  [
    /^(RowBinary|Native|Parquet|Arrow|ORC|Avro|Protobuf|MsgPack|CapnProto|BSON|Npy|RawBLOB)/i,
    'application/octet-stream',
  ],
];

/** The Content-Type of an answer, as the server would say it. */
export function contentTypeOf(format: string): string {
  return contentTypes.find(([pattern]) => pattern.test(format))?.[1] ?? 'text/plain; charset=UTF-8';
}
