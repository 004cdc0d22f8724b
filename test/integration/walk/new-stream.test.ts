import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createClickHouse, type ClickHouse } from '../../../clickhouse/client.ts';
import { projectRoot } from '../../../core/home.ts';
import { runCommand } from '../../../core/run-command.ts';
import { waitFor } from '../../../core/wait.ts';
import { codeBlocksOf } from '../../support/walk-document.ts';
import { startTestStack, type TestStack } from '../../support/test-stack.ts';

/** What git tracks, as folders: a checkout of its own for the walk, because it adds files. */
const ownFolders = [
  'cli',
  'clickhouse',
  'connectors',
  'controlplane',
  'core',
  'embedded',
  'producers',
  'schemas',
  'targets',
];

const guide = readFileSync(path.join(projectRoot, 'CONTRIBUTING.md'), 'utf8');
const landTimeoutMs = 30_000;
/** Each command is a process of its own. */
const timeout = 180_000;

let stack: TestStack;
let clickhouse: ClickHouse;
let checkout: string;

beforeAll(async () => {
  stack = await startTestStack();
  clickhouse = createClickHouse(stack.target);
  checkout = mkdtempSync(path.join(tmpdir(), 'checkout-'));
  for (const name of [...ownFolders, 'package.json', 'tsconfig.json']) {
    cpSync(path.join(projectRoot, name), path.join(checkout, name), { recursive: true });
  }
  symlinkSync(path.join(projectRoot, 'node_modules'), path.join(checkout, 'node_modules'));
});
afterAll(async () => {
  await clickhouse.close();
  await stack.stop();
  rmSync(checkout, { recursive: true });
});

/** Runs what a block of the guide tells to type. */
async function type(commands: string): Promise<void> {
  await runCommand('sh', ['-ec', commands], {
    purpose: `Following the guide (${commands.trim()})`,
    cwd: checkout,
    env: { ...process.env, ...stack.env, NO_COLOR: '1' },
    timeoutMs: timeout,
  });
}

function edit(file: string, change: (text: string) => string): void {
  const at = path.join(checkout, file);
  writeFileSync(at, change(readFileSync(at, 'utf8')));
}

/** The rows of the stream, once there are as many. */
async function rows(count: number): Promise<Record<string, unknown>[]> {
  return waitFor(
    async () => {
      const found = await clickhouse.query(
        'SELECT * EXCEPT (event_id, occurred_at, produced_at) FROM raw_tickets ORDER BY kafka_timestamp',
      );
      return found.length >= count && found;
    },
    { what: `${count} rows in raw_tickets`, timeoutMs: landTimeoutMs },
  );
}

/** What the ledger and the broker say of the stream. */
async function reconciled(): Promise<{ produced: number; landed: number; missing: unknown[] }[]> {
  const { stdout } = await runCommand('npm', ['run', '--silent', 'reconcile', '--', '--json'], {
    purpose: 'Reconciling',
    cwd: checkout,
    env: { ...process.env, ...stack.env },
    timeoutMs: timeout,
  });
  const partitions = JSON.parse(stdout) as {
    topic: string;
    produced: number;
    landed: number;
    missing: unknown[];
  }[];
  return partitions.filter(({ topic }) => topic === 'support.tickets');
}

it(
  'a stream is added as CONTRIBUTING.md says, without a change to any source file',
  { timeout },
  async () => {
    const [schema, entry, scaffold, mapping, apply, script, run, ...rest] = codeBlocksOf(
      guide,
      'Adding a stream, step by step',
    );
    expect(rest).toEqual([]);

    writeFileSync(path.join(checkout, 'schemas/avro/support.tickets.avsc'), schema!.text);
    edit('schemas/topics.yaml', (text) =>
      text.replace('deadLetterTopics:', `${entry!.text.replaceAll(/^/gm, '  ')}\ndeadLetterTopics:`),
    );
    await type(scaffold!.text);
    const additions = JSON.parse(mapping!.text) as Record<string, string>;
    edit('connectors/billing-core-sink.json', (text) =>
      Object.entries(additions).reduce(
        (config, [key, value]) => config.replace(new RegExp(`("${key}": "[^"]*)"`), `$1,${value}"`),
        text,
      ),
    );
    await type(apply!.text);
    writeFileSync(path.join(checkout, 'try-tickets.ts'), script!.text);
    await type(run!.text);

    expect(await rows(1)).toMatchObject([
      {
        ticket_id: 'tic_1',
        subject: 'Where is my invoice?',
        status: 'open',
        solved_at: null,
        kafka_topic: 'support.tickets',
      },
    ]);
    const partitions = await reconciled();
    expect(partitions).toHaveLength(3);
    expect(partitions.filter(({ produced }) => produced > 0)).toMatchObject([{ produced: 1, landed: 1 }]);
    expect(partitions.flatMap(({ missing }) => missing)).toEqual([]);
  },
);

it('a field is added as CONTRIBUTING.md says, and old and new records are there', { timeout }, async () => {
  const [field, apply, ...rest] = codeBlocksOf(guide, 'Adding a field');
  expect(rest).toEqual([]);

  edit('schemas/avro/support.tickets.avsc', (text) => {
    const schema = JSON.parse(text) as { fields: unknown[] };
    schema.fields.push(JSON.parse(field!.text));
    return JSON.stringify(schema, null, 2);
  });
  await type(apply!.text);
  // The same script as before, with the new field.
  edit('try-tickets.ts', (text) => text.replace('solved_at: null,', 'solved_at: null, satisfaction: 5,'));
  await type('node --import tsx try-tickets.ts');

  expect(await rows(2)).toMatchObject([{ satisfaction: null }, { satisfaction: 5 }]);
  expect((await reconciled()).reduce((sum, { landed }) => sum + landed, 0)).toBe(2);
  // The guide's commands find nothing left to do.
  await type('npm run clickhouse:scaffold -- --check');
});
