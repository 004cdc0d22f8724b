import { describe, expect, it } from 'vitest';
import { field, folderWith, payments, problemsOf, type SchemaFile } from './catalog-copy.ts';

describe('the rules for schemas', () => {
  it.each<[string, (schema: SchemaFile) => void, string, RegExp]>([
    ['a record without a doc', (s) => delete s.doc, 'doc', /missing/],
    ['a field without a doc', (s) => (field(s, 'country').doc = ' '), 'fields[19].doc', /country/],
    [
      'a name that is not snake_case',
      (s) => (field(s, 'country').name = 'countryCode'),
      'fields[19].name',
      /snake_case/,
    ],
    [
      'an enum without a default',
      (s) => delete (field(s, 'method').type as { default?: string }).default,
      'fields[10].type.default',
      /PaymentMethodType/,
    ],
    [
      'an enum whose default is no symbol',
      (s) => ((field(s, 'method').type as { default?: string }).default = 'cash'),
      '(schema)',
      /default/,
    ],
    [
      'a union whose null comes last',
      (s) => (field(s, 'country').type = ['string', 'null']),
      'fields[19].type',
      /\["null", T\]/,
    ],
    [
      'an optional field without a default',
      (s) => (field(s, 'country').type = ['null', 'string']),
      'fields[19].default',
      /null/,
    ],
    ['money that is a double', (s) => (field(s, 'amount_minor').type = 'double'), 'fields[12].type', /long/],
    ['money without a currency', (s) => (field(s, 'currency').name = 'coin'), 'fields[12]', /"currency"/],
    [
      'a time that is not called _at',
      (s) => (field(s, 'initiated_at').name = 'initiated'),
      'fields[21].type',
      /_at/,
    ],
    [
      'a name in _at that is no time',
      (s) => (field(s, 'country').name = 'country_at'),
      'fields[19].type',
      /timestamp-millis/,
    ],
    [
      'a name in _date that is no date',
      (s) => (field(s, 'country').name = 'country_date'),
      'fields[19].type',
      /date/,
    ],
    ['an envelope in another order', (s) => s.fields.reverse(), 'fields[0]', /"event_id"/],
    [
      'an envelope with another type',
      (s) => (field(s, 'is_deleted').type = 'boolean'),
      'fields[5].type',
      /"int"/,
    ],
    [
      'a field that Connect adds',
      (s) => (field(s, 'country').name = 'kafka_offset'),
      'fields[19].name',
      /Connect/,
    ],
    [
      'a shared type that differs',
      (s) => (field(s, 'region').type as { symbols: string[] }).symbols.push('moon'),
      'fields[20].type',
      /billing\.Region differs/,
    ],
    ['a type that does not exist', (s) => (field(s, 'country').type = 'text'), '(schema)', /text/],
    ['a field without a name', (s) => (field(s, 'country').name = ''), 'fields[19].name', /./],
  ])('report %s', (_, change, at, message) => {
    expect(problemsOf(folderWith({ schema: change }))).toContainEqual({
      path: `${payments}: ${at}`,
      message: expect.stringMatching(message) as string,
    });
  });
});
