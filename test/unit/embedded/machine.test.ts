import { tmpdir } from 'node:os';
import { expect, test } from 'vitest';
import { judgeNode, judgePython } from '../../../embedded/doctor.ts';
import { checkDisk, demandAll, javaMajor, judgeJava } from '../../../embedded/machine.ts';

test.each([
  ['openjdk version "17.0.15" 2025-04-15', 17],
  ['java version "1.8.0_392"', 8],
  ['openjdk version "21" 2023-09-19', 21],
  ['Picked up JAVA_TOOL_OPTIONS: -Xmx1g\nopenjdk version "25.0.1" 2025-10-21', 25],
  ['javac 17.0.15', 17],
  ['javac 1.8.0_392', 8],
  ['zsh: no such thing', undefined],
])('the major version of %j is %s', (text, major) => {
  expect(javaMajor(text)).toBe(major);
});

test('Java is told apart as missing, too old, unknown and all right', () => {
  expect(judgeJava(undefined, 'java')).toMatchObject({ ok: false, found: 'not installed' });
  expect(judgeJava('openjdk version "11.0.2"', 'java')).toMatchObject({
    ok: false,
    found: 'Java 11.0.2 is too old',
  });
  expect(judgeJava('hello', 'java')).toMatchObject({ ok: false });
  expect(judgeJava('openjdk version "17.0.15"', '/opt/jdk/bin/java')).toEqual({
    name: 'Java 17+',
    ok: true,
    found: '17.0.15 (/opt/jdk/bin/java)',
  });
});

test('Node is judged by the ranges of package.json', () => {
  const engines = '^20.19.0 || ^22.12.0 || >=24.0.0';
  expect(judgeNode('20.18.3', engines)).toMatchObject({
    ok: false,
    found: `20.18.3 is not one of ${engines}`,
  });
  expect(judgeNode('20.20.2', engines).ok).toBe(true);
  expect(judgeNode('23.1.0', engines).ok).toBe(false);
  expect(judgeNode('24.0.0', engines).ok).toBe(true);
});

test('Python must be 3.11 or newer', () => {
  expect(judgePython(undefined)).toMatchObject({ ok: false });
  expect(judgePython('3.9.2\n')).toMatchObject({ ok: false, found: '3.9.2 is too old' });
  expect(judgePython('3.11.7\n')).toMatchObject({ ok: true, found: '3.11.7' });
  expect(judgePython('4.0.0\n')).toMatchObject({ ok: true });
});

test('too little free space is found before anything is written', () => {
  expect(checkDisk(tmpdir(), 1).ok).toBe(true);
  const finding = checkDisk(tmpdir(), Number.MAX_SAFE_INTEGER);
  expect(finding).toMatchObject({ ok: false });
  expect(finding.found).toContain(tmpdir());
  expect(finding.cure).toContain('PIPELINE_HOME');
});

test('all that is missing is demanded together, each with its cure', () => {
  const missing = [
    judgeJava(undefined, 'java'),
    { name: 'Maven', ok: false, found: 'not installed', cure: 'Install Maven.' },
    { name: 'Disk space', ok: true, found: '70.0 GB free' },
  ];
  expect(() => {
    demandAll(missing);
  }).toThrow(
    expect.objectContaining({
      code: 'MACHINE_NOT_READY',
      message: 'The stack cannot start here: Java 17+: not installed; Maven: not installed',
      todo: expect.stringMatching(/JDK 17 .*\nInstall Maven\.$/) as string,
    }),
  );
});
