import { describe, expect, it } from 'vitest';
import { compareLive } from '../../../contracts/compare-live.ts';
import { column, contracts } from './note-contracts.ts';

describe('the servers against the files', () => {
  const files = contracts({ fields: [{ name: 'a', type: 'int' }], columns: [column('a', 'Int32')] });
  const [topic] = files.topics;
  const [connector] = files.connectors;
  const same = {
    schemas: new Map([['app.notes', topic!.definition]]),
    connectors: new Map([['notes-sink', connector!]]),
    tables: files.tables,
  };
  const differences = (live: Partial<typeof same>) =>
    compareLive(files, { ...same, ...live }).map(({ rule, path, what }) => `${rule} ${path}: ${what}`);

  it('are the same', () => {
    expect(differences({})).toEqual([]);
  });

  it('differ in each of the three', () => {
    expect(differences({ schemas: new Map() })).toEqual([
      'live-schema : the registry has no schema of app.notes',
    ]);
    const older = { ...topic!.definition, fields: topic!.definition.fields.slice(0, 1) };
    expect(differences({ schemas: new Map([['app.notes', older]]) })).toHaveLength(1);
    expect(differences({ connectors: new Map() })).toEqual(['live-connector : the worker does not run it']);
    const config = { ...connector!.config, topic2TableMap: 'app.notes=raw_old', 'tasks.max': '7' };
    expect(differences({ connectors: new Map([['notes-sink', { name: 'notes-sink', config }]]) })).toEqual([
      'live-connector topic2TableMap: the worker has another topic2TableMap than the declaration',
    ]);
    expect(differences({ tables: {} })).toEqual(['live-table : the server has no table raw_notes']);
    const tables = { raw_notes: [column('note_id', 'Int32'), column('own', 'String')] };
    expect(differences({ tables })).toEqual([
      "live-table note_id: the server's raw_notes.note_id is Int32, the migrations make it String",
      "live-table a: the server's raw_notes lacks the column a",
      "live-table own: the server's raw_notes has a column own that no migration makes",
    ]);
  });
});
