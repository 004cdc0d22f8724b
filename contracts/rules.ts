/** Every rule of the contract check. Ids are stable: reports and suppressions are kept by them. */
export const contractRules = {
  'topic-unmapped': 'No connector reads a topic into its raw table.',
  'mapping-wrong': 'A connector writes a topic into another table than the catalog says.',
  'table-missing': 'No migration makes the table that a connector writes.',
  'field-dropped': 'No column receives a field: the sink drops it without a word.',
  'column-unfilled': 'No field fills a column.',
  'type-refused': 'The sink can not write a field of this type into its column.',
  'value-range': 'Some values of a field do not fit its column.',
  'null-into-required': 'A field may be null, its column may not.',
  'null-becomes-default': 'A null of a field becomes the default of its column.',
  'enum-symbol-missing': 'A column of an Enum type lacks symbols of its field.',
  'decimal-scale': 'A decimal has another scale than its column.',
  'decimal-precision': 'A decimal has more digits than its column.',
  'time-precision': 'A column keeps less of a time than its field has.',
  'key-mutable':
    'A partition or sorting key is made of something that changes between deliveries or versions.',
  'transform-unknown': 'The effect of a transform is not known, so nothing behind it was checked.',
  'dbt-source-missing': 'A dbt source names a table that no migration makes.',
  'dbt-column-missing': 'A dbt source names a column that its table does not have.',
  'dbt-unreadable': 'A file of dbt sources can not be read.',
  'dashboard-model-missing': 'A dashboard reads a model that dbt does not document.',
  'dashboard-column-missing': 'A dashboard reads a column that its model does not have.',
  'dashboard-invalid': 'A file of the dashboards is not valid.',
  'live-schema': 'The registry has another schema than the catalog.',
  'live-table': 'The server has another table than the migrations make.',
  'live-connector': 'The worker runs another mapping than is declared.',
} as const satisfies Record<string, string>;

export type ContractRule = keyof typeof contractRules;
