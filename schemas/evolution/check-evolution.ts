import { readFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { parse } from 'yaml';
import { messageOf } from '../../core/errors.ts';
import type { Finding } from '../../core/finding.ts';
import { createLineFinder, parseDottedPath, type DocumentPath, type LineFinder } from '../../core/line-of.ts';
import { catalogFolder, compatibilityLevels, readCatalog, type CatalogTopic } from '../catalog.ts';
import type { AvroRecord } from '../read-schema.ts';
import type { Registry } from '../registry.ts';
import { judgeEvolution, type SchemaVersion } from './judge.ts';
import { shapeOf } from './shape.ts';
import type { SchemaHistory } from './git-history.ts';

export interface EvolutionReport {
  /** What the schemas were compared with. */
  base: string;
  subjects: { subject: string; compatibility: string; versions: number }[];
  findings: Finding[];
}

/** Every schema against a commit of git: no service is asked. */
export function checkAgainstGit(history: SchemaHistory, folder = catalogFolder): EvolutionReport {
  const { catalog, findings, locate } = readFindings(folder);
  const before = readBaseCatalog(history.read('topics.yaml'));
  const subjects = catalog.topics.map((topic) => {
    const schema = before.find((one) => one.topic === topic.topic)?.schema;
    const texts = schema === undefined ? [] : history.versionsOf(schema);
    const versions = parseVersions(topic, texts, locate, findings);
    findings.push(...judge(topic, versions, locate));
    return { subject: topic.subject, compatibility: topic.compatibility, versions: versions.length };
  });
  findings.push(...before.flatMap((old) => compareEntries(old, catalog.topics, locate)));
  return { base: history.label, subjects, findings: inOrder(findings) };
}

/** Every schema against the versions that a registry has, by our rules and by the registry's own. */
export async function checkAgainstRegistry(
  registry: Registry,
  url: string,
  folder = catalogFolder,
): Promise<EvolutionReport> {
  const { catalog, findings, locate } = readFindings(folder);
  const subjects: EvolutionReport['subjects'] = [];
  for (const topic of catalog.topics) {
    const { subject, compatibility } = topic;
    const registered = await registry.versionsOf(subject);
    const texts = registered.map(({ version, schema }) => ({ label: `version ${version}`, text: schema }));
    const versions = parseVersions(topic, texts, locate, findings);
    const judged = judge(topic, versions, locate);
    findings.push(...judged);
    subjects.push({ subject, compatibility, versions: versions.length });
    if (registered.length === 0) continue;
    const level = await registry.compatibilityOf(subject);
    if (level !== compatibility) findings.push(registryLevel(topic, level, locate));
    const isExplained = judged.some((one) => one.level === 'error');
    if (!isExplained && !(await registry.isCompatible(topic))) findings.push(refusal(topic, locate));
  }
  return { base: url, subjects, findings: inOrder(findings) };
}

/** The line of a place in a file of the catalog's folder. */
type Locate = (file: string, at: DocumentPath) => Pick<Finding, 'file' | 'line'>;

function readFindings(folder: string) {
  const finders = new Map<string, LineFinder>();
  const locate: Locate = (file, at) => {
    let finder = finders.get(file);
    if (finder === undefined) {
      finder = createLineFinder(textOf(path.join(folder, file)));
      finders.set(file, finder);
    }
    return { file: `schemas/${file}`, line: finder.lineOf(at) };
  };
  const { catalog, problems } = readCatalog(folder);
  const findings = problems.map(({ file, rule, path: at, message }): Finding => ({
    rule,
    level: 'error',
    subject: catalog.topics.find(({ schema }) => schema === file)?.subject ?? file,
    path: at,
    what: message,
    breaks: [],
    todo: 'Correct it: every command refuses the catalog until then.',
    ...locate(file, parseDottedPath(at)),
  }));
  return { catalog, findings, locate };
}

/** A file that is missing has been reported. */
function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function judge(topic: CatalogTopic, history: readonly SchemaVersion[], locate: Locate): Finding[] {
  const { subject, schema, compatibility: level, compatibilityReason, definition: next } = topic;
  const accepted = level === 'NONE' ? ` (accepted by NONE: ${compatibilityReason ?? 'no reason given'})` : '';
  return judgeEvolution({ level, next, history }).map(({ at, what, ...judgement }) => ({
    ...judgement,
    what: what + accepted,
    subject,
    ...locate(schema, at),
  }));
}

function parseVersions(
  topic: CatalogTopic,
  texts: readonly { label: string; text: string }[],
  locate: Locate,
  findings: Finding[],
): SchemaVersion[] {
  return texts.flatMap(({ label, text }) => {
    try {
      const definition = JSON.parse(text) as AvroRecord;
      shapeOf(definition);
      return [{ label, definition }];
    } catch (error) {
      findings.push({
        rule: 'version-unreadable',
        level: 'note',
        subject: topic.subject,
        path: '',
        what: `${label} of ${topic.schema} can not be read (${messageOf(error)}) and was not compared`,
        breaks: [],
        todo: 'Nothing, if it was never registered.',
        ...locate(topic.schema, []),
      });
      return [];
    }
  });
}

const baseCatalog = z.object({
  topics: z.array(
    z.object({ topic: z.string(), schema: z.string(), compatibility: z.enum(compatibilityLevels) }),
  ),
});
type BaseEntry = z.infer<typeof baseCatalog>['topics'][number];

/** As far as it can be read: what was wrong at the base is not this change's fault. */
function readBaseCatalog(text: string | undefined): BaseEntry[] {
  if (text === undefined) return [];
  try {
    return baseCatalog.parse(parse(text)).topics;
  } catch {
    return [];
  }
}

/** From what guards most to what guards least. */
const strictness = [
  ['FULL_TRANSITIVE'],
  ['FULL', 'BACKWARD_TRANSITIVE', 'FORWARD_TRANSITIVE'],
  ['BACKWARD', 'FORWARD'],
  ['NONE'],
];

function compareEntries(before: BaseEntry, topics: readonly CatalogTopic[], locate: Locate): Finding[] {
  const index = topics.findIndex(({ topic }) => topic === before.topic);
  const topic = topics[index];
  const subject = `${before.topic}-value`;
  if (topic === undefined) {
    return [
      {
        rule: 'subject-removed',
        level: 'warning',
        subject,
        path: '',
        what: `${before.topic} is no longer in the catalog: nothing checks or registers its schema any more`,
        breaks: ['consumer on the old schema', 'producer on the old schema', 'table'],
        todo: 'Make sure that nobody produces or reads it. Renaming a topic is a new topic beside the old one.',
        ...locate('topics.yaml', ['topics']),
      },
    ];
  }
  const rank = (level: string) => strictness.findIndex((levels) => levels.includes(level));
  if (rank(topic.compatibility) <= rank(before.compatibility)) return [];
  const reason = topic.compatibilityReason === undefined ? '' : `: ${topic.compatibilityReason}`;
  return [
    {
      rule: 'compatibility-lowered',
      level: 'warning',
      subject,
      path: '',
      what: `compatibility was ${before.compatibility} and is ${topic.compatibility}${reason}`,
      breaks: [],
      todo: 'Put it back once the change has landed that needed it.',
      ...locate('topics.yaml', ['topics', index, 'compatibility']),
    },
  ];
}

function registryLevel(topic: CatalogTopic, level: string | undefined, locate: Locate): Finding {
  return {
    rule: 'registry-level',
    level: 'warning',
    subject: topic.subject,
    path: '',
    what: `the registry checks ${level ?? 'by its own default'}, the catalog says ${topic.compatibility}`,
    breaks: [],
    todo: 'Run "npm run schemas:register": it sets the level.',
    ...locate(topic.schema, []),
  };
}

function refusal(topic: CatalogTopic, locate: Locate): Finding {
  return {
    rule: 'registry-refuses',
    level: 'error',
    subject: topic.subject,
    path: '',
    what: 'the registry says that this schema is not compatible, for a reason that this check does not know',
    breaks: ['producer on the old schema', 'consumer on the old schema'],
    todo: 'Run "npm run schemas:register": it prints the reason and registers nothing.',
    ...locate(topic.schema, []),
  };
}

const weights = ['error', 'warning', 'note'];

function inOrder(findings: readonly Finding[]): Finding[] {
  return findings.toSorted((a, b) => weights.indexOf(a.level) - weights.indexOf(b.level));
}
