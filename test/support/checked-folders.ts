/** Folders of the project that schemas:check and contracts:check read, or run from. */
export const checkedFolders = [
  'cli',
  'clickhouse',
  'connectors',
  'contracts',
  'controlplane',
  'core',
  'embedded',
  'schemas',
  'targets',
] as const;
