import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { toAnnotations } from '../../../cli/findings/annotations.ts';
import { renderFinding } from '../../../cli/findings/report-findings.ts';
import { toSarif } from '../../../cli/findings/sarif.ts';
import type { Finding } from '../../../core/finding.ts';

const finding: Finding = {
  rule: 'field-required',
  level: 'error',
  subject: 'app.notes-value',
  path: 'a',
  what: 'the new field a has no default, so records without it can not be read',
  breaks: ['producer on the old schema', 'sink'],
  todo: 'Give it a default.',
  file: 'schemas/avro/app notes.avsc',
  line: 7,
};
const note: Finding = {
  ...finding,
  rule: 'unlisted',
  level: 'note',
  path: '',
  breaks: [],
  what: '100 %,\nreally: so',
};

describe('findings', () => {
  it('are annotations that GitHub decodes', () => {
    expect(toAnnotations([finding, note])).toEqual([
      '::error file=schemas/avro/app notes.avsc,line=7,title=app.notes-value/a (field-required)::the new field a has no default, so records without it can not be read. Breaks: producer on the old schema, sink. Give it a default.',
      '::notice file=schemas/avro/app notes.avsc,line=7,title=app.notes-value (unlisted)::100 %25,%0Areally: so. Give it a default.',
    ]);
    expect(toAnnotations([{ ...finding, file: 'a,b:c%.avsc' }])[0]).toContain('file=a%2Cb%3Ac%25.avsc,');
  });

  it('are a SARIF log', () => {
    const rules = [{ id: 'field-required', summary: 'A new field has no default.' }];
    const log = toSarif('schemas:check', rules, [finding, note]);
    expect(log).toMatchObject({
      version: '2.1.0',
      runs: [
        {
          tool: { driver: { name: 'schemas:check', rules: [{ id: 'field-required' }] } },
          results: [
            {
              ruleId: 'field-required',
              ruleIndex: 0,
              level: 'error',
              locations: [
                {
                  physicalLocation: {
                    artifactLocation: { uri: 'schemas/avro/app%20notes.avsc', uriBaseId: '%SRCROOT%' },
                    region: { startLine: 7 },
                  },
                },
              ],
            },
            { ruleId: 'unlisted', ruleIndex: -1, level: 'note' },
          ],
        },
      ],
    });
  });

  it('fit a terminal of 80 columns', () => {
    // Continuous integration has colours.
    const text = stripVTControlCharacters(renderFinding(finding));
    expect(text.split('\n').every((line) => line.length <= 80)).toBe(true);
    expect(text).toBe(
      [
        'error   app.notes-value  a  field-required',
        '        the new field a has no default, so records without it can not be read',
        '        breaks   producer on the old schema, sink',
        '        instead  Give it a default.',
        '        at       schemas/avro/app notes.avsc:7',
      ].join('\n'),
    );
  });
});
