/** Every rule of the evolution check. Ids are stable: reports and suppressions are kept by them. */
export const evolutionRules = {
  'field-required': 'A new field has no default: records from before it can not be read.',
  'field-removed': 'A field is gone: its column keeps the past, and old consumers may need it.',
  'field-renamed': 'A field has another name: the sink and the table know fields by name only.',
  'name-reused': "A removed field's name came back with another type or meaning.",
  'default-removed': 'A field lost its default: records from before the field can not be read.',
  'default-changed': 'A field has another default: records from before the field read differently.',
  'type-changed': 'A field has another type, which the old one can not be read as.',
  'type-narrowed': 'A field has a narrower type: what was written does not fit it.',
  'type-promoted': 'A field has a wider type: its column and old consumers have the narrower one.',
  'union-narrowed': 'A union lost a type that records hold.',
  'union-widened': 'A union has a type more, which old consumers do not know.',
  'enum-symbol-added': 'An enum has a symbol more, which old consumers do not know.',
  'enum-symbol-removed': 'An enum lost a symbol that records hold.',
  'enum-without-default': 'An enum grew without a default symbol.',
  'fixed-size-changed': 'A fixed type has another size.',
  'type-renamed': 'A record, enum or fixed type has another name.',
  'logical-type-changed':
    'A logical type has another meaning, unit or scale: the same bytes are another value.',
  'decimal-widened': 'A decimal has more digits: its column and old consumers have fewer.',
  'subject-removed': 'A topic is no longer in the catalog.',
  'compatibility-lowered': 'A subject demands less of its changes than before.',
  'version-unreadable': 'An earlier version of a schema can not be read, and was not compared.',
  'registry-refuses': 'The registry refuses the schema.',
  'registry-level': "The registry's compatibility differs from the catalog's.",
  doc: 'A schema, or one of its fields, has no description.',
  name: 'A name does not follow the conventions.',
  'schema-invalid': 'A schema or the catalog is not valid.',
} as const satisfies Record<string, string>;

export type EvolutionRule = keyof typeof evolutionRules;
