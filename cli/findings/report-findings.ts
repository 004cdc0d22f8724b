import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import pc from 'picocolors';
import { PipelineError, messageOf as reasonOf } from '../../core/errors.ts';
import type { Finding, FindingLevel, FindingRule } from '../../core/finding.ts';
import type { ExitCode, Options } from '../command.ts';
import type { Output } from '../output.ts';
import { toAnnotations } from './annotations.ts';
import { toSarif } from './sarif.ts';

const lineWidth = 80;
const indent = 8;

export interface CheckResult {
  /** The command, as `npm run` knows it. */
  check: string;
  rules: readonly FindingRule[];
  findings: readonly Finding[];
  /** What was checked, as in "17 schemas against main". */
  scope: string;
  /** Beside `findings` in the JSON document. */
  document: object;
}

/** Prints what a check found, in every form that was asked for. Returns 2 where anything is an error. */
export function reportFindings(output: Output, options: Options, result: CheckResult): ExitCode {
  const { check, rules, findings, scope } = result;
  const { sarif } = options;
  if (typeof sarif === 'string') writeSarif(sarif, toSarif(check, rules, findings));
  output.document({ ...result.document, findings });
  for (const finding of findings) output.print(`${renderFinding(finding)}\n`);
  if (options['annotations'] === true) {
    for (const line of toAnnotations(findings)) {
      // With --json, stdout is one document; the runner reads stderr as well.
      if (output.json) output.note(line);
      else output.print(line);
    }
  }
  output.print(`${scope}: ${summarise(findings)}.`);
  return findings.some(({ level }) => level === 'error') ? 2 : 0;
}

const colours: Record<FindingLevel, (text: string) => string> = {
  error: pc.red,
  warning: pc.yellow,
  note: pc.dim,
};

/** One finding as a paragraph that fits an 80-column terminal. */
export function renderFinding(finding: Finding): string {
  const { level, rule, subject, path: field, what, breaks, todo, file, line } = finding;
  const name = [subject, field].filter((part) => part !== '').join('  ');
  const rows = [
    ['', what],
    ['breaks', breaks.join(', ')],
    ['instead', todo],
    ['at', `${file}:${line}`],
  ].filter(([, text]) => text !== '');
  return [
    `${colours[level](level.padEnd(indent))}${pc.bold(name)}  ${pc.dim(rule)}`,
    ...rows.flatMap(([label = '', text = '']) => {
      const width = lineWidth - indent - (label === '' ? 0 : 9);
      return wrap(text, width).map((part, index) => {
        const head = label === '' ? '' : (index === 0 ? label : '').padEnd(9);
        return `${' '.repeat(indent)}${pc.dim(head)}${part}`;
      });
    }),
  ].join('\n');
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}

function summarise(findings: readonly Finding[]): string {
  const counts = (['error', 'warning', 'note'] as const).flatMap((level) => {
    const count = findings.filter((finding) => finding.level === level).length;
    return count === 0 ? [] : [`${count} ${level}${count === 1 ? '' : 's'}`];
  });
  return counts.length === 0 ? 'nothing to object to' : counts.join(', ');
}

function writeSarif(file: string, log: object): void {
  try {
    mkdirSync(path.dirname(path.resolve(file)), { recursive: true });
    writeFileSync(file, `${JSON.stringify(log, null, 2)}\n`);
  } catch (error) {
    throw new PipelineError('SARIF_NOT_WRITTEN', {
      what: `The findings can not be written: ${reasonOf(error)}`,
      where: file,
      todo: 'Name a file in a folder that can be written to.',
      cause: error,
    });
  }
}
