import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { InvalidInputError } from '../../../core/errors.ts';
import { dottedPath, parseWith, readJson, readYaml } from '../../../core/parse.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'parse-'));

describe('parseWith', () => {
  const schema = z.strictObject({ name: z.string(), items: z.array(z.strictObject({ size: z.int() })) });

  it('returns the parsed value', () => {
    expect(parseWith(schema, { name: 'a', items: [{ size: 1 }] }, 'what', 'where')).toEqual({
      name: 'a',
      items: [{ size: 1 }],
    });
  });

  it('reports every problem at once, each with its dotted path', () => {
    const error = caught(() =>
      parseWith(schema, { items: [{ size: 'x' }, { size: 1, color: 'red' }] }, 'what', 'a.yaml'),
    );
    expect(error).toBeInstanceOf(InvalidInputError);
    expect((error as InvalidInputError).problems.map((problem) => problem.path)).toEqual([
      'name',
      'items[0].size',
      'items[1].color',
    ]);
  });
});

describe('readYaml and readJson', () => {
  it('reports a YAML syntax error with its line', () => {
    const file = write('a.yaml', 'a: 1\nb: [1, 2\n');
    expect(caught(() => readYaml(file, 'The file is broken'))).toMatchObject({
      problems: [{ path: expect.stringMatching(/^line \d+$/) as string }],
    });
  });

  it('reports a JSON syntax error with the file it is in', () => {
    const file = write('a.json', '{"a": }');
    expect(caught(() => readJson(file, 'The file is broken'))).toMatchObject({
      code: 'INVALID_INPUT',
      where: file,
    });
  });

  it.each([
    ['an unexpected token', '{\n  "a": 1,\n  "b": }\n', 3, "Unexpected token '}'"],
    ['a missing comma', '{\n  "a": 1\n  "b": 2\n}', 3, "Expected ',' or '}' after property value"],
    ['an end that comes too early', '{\n  "a": [1,\n', 3, 'Unexpected end of JSON input'],
  ])('names the line of %s in a JSON file', (_, text, line, message) => {
    expect(caught(() => readJson(write('b.json', text), 'The file is broken'))).toMatchObject({
      problems: [{ path: `line ${line}`, message }],
    });
  });

  it('tells a missing file from a broken one', () => {
    expect(caught(() => readYaml(path.join(folder, 'missing.yaml'), 'The catalog'))).toMatchObject({
      code: 'FILE_NOT_FOUND',
    });
  });
});

describe('dottedPath', () => {
  it.each([
    [[], '(top level)'],
    [['a'], 'a'],
    [['topics', 2, 'partitions'], 'topics[2].partitions'],
    [[0, 'a'], '[0].a'],
  ])('writes %j as %s', (segments, text) => {
    expect(dottedPath(segments)).toBe(text);
  });
});

function write(name: string, text: string): string {
  const file = path.join(folder, name);
  writeFileSync(file, text);
  return file;
}

function caught(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}
