/** Folders of the project that schemas:check and contracts:check read, or run from. */
export const checkedFolders = [
  'cli',
  'clickhouse',
  'connectors',
  'contracts',
  'controlplane',
  'core',
  'dbt',
  'embedded',
  'schemas',
  'superset',
  'targets',
] as const;
