import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parse, stringify } from 'yaml';
import { PipelineError } from '../core/errors.ts';
import { projectRoot } from '../core/home.ts';
import { runCommand } from '../core/run-command.ts';
import { quantile, type Measurement } from './measurement.ts';
import { checkedFolders } from '../test/support/checked-folders.ts';

const subjects = 20;
const coldLimitMs = 10_000;
const warmLimitMs = 3000;
const rounds = 3;
/** The stream that is copied until there are enough. */
const model = { topic: 'billing.refunds', connector: 'connectors/billing-core-sink.json' };

interface CatalogFile {
  topics: { topic: string; schema: string; rawTable: string }[];
}

/** How long both checks take on a checkout of 20 subjects: with an empty cache, and again. */
export async function run(signal: AbortSignal): Promise<Measurement[]> {
  const folder = mkdtempSync(path.join(tmpdir(), 'bench-contracts-'));
  try {
    const checkout = await makeCheckout(folder, signal);
    const time = async (command: string, cache: string, ...flags: string[]) => {
      const started = performance.now();
      await runNode(
        checkout,
        { ...process.env, PIPELINE_HOME: path.join(folder, cache), PIPELINE_CACHE: '' },
        [command, ...flags],
      );
      return performance.now() - started;
    };
    const measure = async (command: string, ...flags: string[]) => {
      const cold: number[] = [];
      const warm: number[] = [];
      for (let round = 0; round < rounds; round += 1) {
        const cache = `${command.replace(':', '-')}-${round}`;
        cold.push(await time(command, cache, ...flags));
        warm.push(await time(command, cache, ...flags));
      }
      return [
        toMeasurement(`${command}, ${subjects} subjects, cold`, quantile(cold, 0.5), coldLimitMs),
        toMeasurement(`${command}, ${subjects} subjects, warm`, quantile(warm, 0.5), warmLimitMs),
      ];
    };
    return [...(await measure('schemas:check', '--base', 'HEAD')), ...(await measure('contracts:check'))];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function toMeasurement(name: string, elapsedMs: number, limitMs: number): Measurement {
  const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
  return { name, value: seconds(elapsedMs), target: `< ${seconds(limitMs)}`, ok: elapsedMs < limitMs };
}

/** A git checkout of the project with as many subjects, each with its migrations and its mapping. */
async function makeCheckout(folder: string, signal: AbortSignal): Promise<string> {
  const checkout = path.join(folder, 'checkout');
  for (const name of [...checkedFolders, 'package.json', 'tsconfig.json']) {
    cpSync(path.join(projectRoot, name), path.join(checkout, name), { recursive: true });
  }
  symlinkSync(path.join(projectRoot, 'node_modules'), path.join(checkout, 'node_modules'));
  const read = (file: string) => readFileSync(path.join(checkout, file), 'utf8');
  const write = (file: string, text: string) => {
    writeFileSync(path.join(checkout, file), text);
  };
  const catalog = parse(read('schemas/topics.yaml')) as CatalogFile;
  const entry = catalog.topics.find(({ topic }) => topic === model.topic);
  if (entry === undefined)
    throw new PipelineError('BENCH_FAILED', { what: `There is no topic ${model.topic}` });
  const connector = JSON.parse(read(model.connector)) as { config: Record<string, string> };
  for (let number = catalog.topics.length + 1; number <= subjects; number += 1) {
    const topic = `bench.copy-${number}`;
    const schema = `avro/${topic}.avsc`;
    const rawTable = `raw_copy_${number}`;
    // Names of types are shared by all schemas.
    write(
      `schemas/${schema}`,
      read(`schemas/${entry.schema}`).replaceAll(/"billing(?=[."])/g, `"bench${number}`),
    );
    catalog.topics.push({ ...entry, topic, schema, rawTable });
    const { topics = '', topic2TableMap = '' } = connector.config;
    Object.assign(connector.config, {
      topics: `${topics},${topic}`,
      topic2TableMap: `${topic2TableMap},${topic}=${rawTable}`,
    });
  }
  write('schemas/topics.yaml', stringify(catalog));
  write(model.connector, JSON.stringify(connector, null, 2));
  await runNode(checkout, process.env, ['clickhouse:scaffold']);
  const git = async (...args: string[]) => {
    const identity = [
      '-c',
      'user.name=Bench',
      '-c',
      'user.email=bench@example.org',
      '-c',
      'commit.gpgsign=false',
    ];
    await runCommand('git', [...identity, ...args], {
      purpose: 'git',
      cwd: checkout,
      timeoutMs: 60_000,
      signal,
    });
  };
  await git('init', '-q');
  await git('add', '-A', '--', '.', ':!node_modules');
  await git('commit', '-q', '-m', 'The project');
  return checkout;
}

/** Runs a command of the checkout; its findings would make the times meaningless. */
async function runNode(cwd: string, env: NodeJS.ProcessEnv, args: readonly string[]): Promise<void> {
  await runCommand(process.execPath, ['--import', 'tsx', 'cli/main.ts', ...args], {
    purpose: args.join(' '),
    cwd,
    env,
    timeoutMs: 120_000,
  });
}
