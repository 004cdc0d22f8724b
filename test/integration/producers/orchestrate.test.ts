import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { waitFor } from '../../../core/wait.ts';
import { backfill } from '../../../producers/runs/backfill/backfill.ts';
import { applyTopics } from '../../../schemas/apply-topics.ts';
import { loadCatalog } from '../../../schemas/catalog.ts';
import { registerSchemas } from '../../../schemas/register.ts';
import { withKafkaAdmin } from '../../../targets/kafka.ts';
import { freePorts } from '../../support/free-ports.ts';
import { runCli } from '../../support/run-cli.ts';
import { startTestStack, type TestStack } from '../../support/test-stack.ts';
import {
  countRecords,
  difference,
  problemsOf,
  readRecords,
  sum,
  waitForRecords,
  type BrokerRecord,
} from './broker-records.ts';
import { spawnCli } from './spawn-cli.ts';

const catalog = loadCatalog();
const token = 'a-token-of-the-tests';
let stack: TestStack;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  stack = await startTestStack(['kafka', 'schema-registry']);
  env = { ...process.env, ...stack.env, PRODUCE_TOKEN: token };
  const { target } = stack;
  await registerSchemas({ registry: target.schemaRegistry, topics: catalog.topics });
  await withKafkaAdmin(target, { clientId: 'test' }, async (admin) =>
    applyTopics({ admin, catalog, replicationFactor: 1 }),
  );
});
afterAll(async () => {
  await stack.stop();
});

describe('a chosen set of topics', () => {
  it('is produced with all it refers to and nothing else, on a broker that holds nothing', async () => {
    const flags = ['--only', 'refunds', '--rate', '2000', '--duration', '2', '--seed', '7', '--json'];
    const run = await runCli(env, 'produce', ...flags);
    expect(run.stderr).toContain('Produced as well, as the others refer to it:');
    expect(run.exitCode).toBe(0);
    const counts = await countRecords(stack.target);
    expect(acknowledgedOf(run.stdout)).toEqual(counts);
    expect(counts).toHaveProperty(['billing.refunds']);
    expect(counts).toHaveProperty(['billing.customers']);
    expect(counts).not.toHaveProperty(['billing.transactions']);
    expect(problemsOf(await readRecords(stack.target))).toEqual([]);
  });

  it('ends at once where nothing more happens before tomorrow', async () => {
    const before = await countRecords(stack.target);
    const run = await runCli(env, 'produce', '--only', 'fx-rates', '--seed', '8', '--json');
    expect(run.exitCode).toBe(0);
    expect(run.stderr).toContain('Nothing more happens in billing.fx-rates');
    const added = difference(before, await countRecords(stack.target));
    expect(Object.keys(added)).toEqual(['billing.fx-rates']);
    expect(acknowledgedOf(run.stdout)).toEqual(added);
  });

  it('is refused where it names what is not there', async () => {
    const run = await runCli(env, 'produce', '--only', 'refund,customers');
    expect(run.exitCode).toBe(1);
    expect(run.stderr).toContain('there is no topic "refund"');
    expect(run.stderr).toContain('payments, refunds');
  });
});

describe('one scenario over several runs', () => {
  it('goes on after SIGTERM exactly where it stopped, and after a kill without contradicting itself', async () => {
    const { target, settings } = stack;
    const seed = 11;
    await backfill({ target, catalog, home: settings.home, seed, years: 1, customers: 400 });
    const flags = ['--rate', '1500', '--seed', String(seed), '--json'];
    const before = sum(await countRecords(target));
    const startedAt = Date.now();

    const first = spawnCli(env, 'produce', ...flags);
    await waitForRecords(target, before + 3000);
    first.kill('SIGTERM');
    const { exitCode, stdout } = await first.ended;
    expect(exitCode).toBe(130);
    expect(sum(acknowledgedOf(stdout))).toBe(sum(await countRecords(target)) - before);
    const underWay = await unsettledPayments(startedAt);
    expect(underWay.size).toBeGreaterThan(0);

    const second = spawnCli(env, 'produce', ...flags);
    await waitForRecords(target, before + 9000);
    second.kill('SIGKILL');
    expect((await second.ended).exitCode).toBeNull();

    const third = await runCli(env, 'produce', ...flags, '--duration', '2');
    expect(third.exitCode, third.stderr).toBe(0);

    const records = await readRecords(target);
    expect(problemsOf(records)).toEqual([]);
    expect(new Set(records.map(({ fields }) => fields['event_id'])).size).toBe(records.length);
    const stillUnderWay = await unsettledPayments(startedAt);
    const finished = [...underWay].filter((id) => !stillUnderWay.has(id));
    expect(finished.length).toBeGreaterThan(underWay.size / 2);
  }, 120_000);
});

describe('a schedule', () => {
  it('produces a batch at each firing and ends with 0 when it is told to stop', async () => {
    const before = await countRecords(stack.target);
    const flags = ['--schedule', '* * * * * *', '--rate', '300', '--duration', '0.5', '--json'];
    const running = spawnCli(env, 'produce', ...flags);
    await running.says('Next batch at');
    await waitFor(() => running.stderr().split('Batch done').length > 2, {
      what: 'two batches',
      timeoutMs: 30_000,
    });
    running.kill('SIGTERM');
    const { exitCode, stdout } = await running.ended;
    expect(exitCode).toBe(0);
    expect(acknowledgedOf(stdout)).toEqual(difference(before, await countRecords(stack.target)));
  });

  it('is refused before anything else when it is not valid', async () => {
    const run = await runCli(env, 'produce', '--schedule', '61 * * * *');
    expect(run.exitCode).toBe(1);
    expect(run.stderr).toContain('--schedule: Invalid value for minute: 61');
  });
});

describe('requests', () => {
  it('start batches, and a batch is flushed when the command is told to stop', async () => {
    const before = await countRecords(stack.target);
    const [port] = await freePorts(1);
    const running = spawnCli(env, 'produce', '--listen', String(port), '--rate', '500', '--json');
    const url = `http://127.0.0.1:${port!}`;
    await running.says(`Listening on ${url}`);
    const first = await post(url, { events: 700, rate: 5000 });
    const batch = await waitFor(
      async () => {
        const found = await get(url, first);
        return found.state !== 'running' && found;
      },
      { what: 'the end of the batch', timeoutMs: 30_000 },
    );
    expect(batch.state).toBe('completed');
    const added = difference(before, await countRecords(stack.target));
    expect(batch.acknowledged).toEqual(added);
    expect(sum(added)).toBeGreaterThanOrEqual(700);

    const second = await post(url, { events: 100_000 });
    await waitFor(async () => (await get(url, second)).total > 0, { what: 'records', timeoutMs: 30_000 });
    running.kill('SIGTERM');
    const { exitCode, stdout } = await running.ended;
    expect(exitCode).toBe(0);
    expect(acknowledgedOf(stdout)).toEqual(difference(before, await countRecords(stack.target)));
  });

  it('are not listened to without a token', async () => {
    const run = await runCli({ ...env, PRODUCE_TOKEN: '' }, 'produce', '--listen', '0');
    expect(run.exitCode).toBe(1);
    expect(run.stderr).toContain('PRODUCE_TOKEN');
  });
});

function acknowledgedOf(stdout: string): Record<string, number> {
  return (JSON.parse(stdout) as { acknowledged: Record<string, number> }).acknowledged;
}

/** Ids of the payments that were told of since then and have not come to their end. */
async function unsettledPayments(since: number): Promise<Set<string>> {
  const latest = new Map<string, BrokerRecord['fields']>();
  for (const { topic, fields } of await readRecords(stack.target)) {
    if (topic !== 'billing.payments' || Number(fields['occurred_at']) < since) continue;
    const id = String(fields['payment_id']);
    const known = Number(latest.get(id)?.['entity_version'] ?? 0);
    if (Number(fields['entity_version']) > known) latest.set(id, fields);
  }
  const unsettled = ['initiated', 'requires_action', 'authorized', 'retrying', 'captured'];
  return new Set(
    [...latest].filter(([, { status }]) => unsettled.includes(String(status))).map(([id]) => id),
  );
}

interface BatchAnswer {
  state: string;
  total: number;
  acknowledged: Record<string, number>;
}

const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };

async function post(url: string, body: unknown): Promise<string> {
  const response = await fetch(`${url}/batches`, { method: 'POST', headers, body: JSON.stringify(body) });
  expect(response.status).toBe(202);
  return response.headers.get('location')!;
}

async function get(url: string, path: string): Promise<BatchAnswer> {
  return (await (await fetch(`${url}${path}`, { headers })).json()) as BatchAnswer;
}
