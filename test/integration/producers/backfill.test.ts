import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { projectRoot, resolveHome } from '../../../core/home.ts';
import { sleep, waitFor } from '../../../core/wait.ts';
import { startStack } from '../../../embedded/stack.ts';
import { readBounds } from '../../../producers/delivery/routes.ts';
import { BackfillFailedError, BackfillInterruptedError } from '../../../producers/runs/backfill/outcome.ts';
import { backfill, hasBackfill, type BackfillOptions } from '../../../producers/runs/backfill/backfill.ts';
import { Checkpoints } from '../../../producers/runs/backfill/checkpoints.ts';
import { Claims, runsFolder } from '../../../producers/runs/claims.ts';
import { produceLive } from '../../../producers/runs/live/produce.ts';
import { applyTopics } from '../../../schemas/apply-topics.ts';
import { loadCatalog } from '../../../schemas/catalog.ts';
import { registerSchemas } from '../../../schemas/register.ts';
import { withKafkaAdmin } from '../../../targets/kafka.ts';
import { runCli } from '../../support/run-cli.ts';
import { startTestStack, type TestStack } from '../../support/test-stack.ts';
import { backfillClaims, endOfTopics, expectToldExactly, type Offsets } from '../../support/told-events.ts';

const catalog = loadCatalog();
const topicNames = catalog.topics.map(({ topic }) => topic);
let stack: TestStack;
let clusterId: string;
let brokerPid: number | undefined;
/** Each test's seed is its own: what was there before is none of its records. */
let begin: Offsets;

beforeAll(async () => {
  stack = await startTestStack(['kafka', 'schema-registry']);
  brokerPid = stack.started.services.find(({ name }) => name === 'kafka')?.pid;
  await registerSchemas({ registry: stack.target.schemaRegistry, topics: catalog.topics });
  clusterId = await withKafkaAdmin(stack.target, { clientId: 'test' }, async (admin) => {
    await applyTopics({ admin, catalog, replicationFactor: 1 });
    return (await admin.describeCluster()).clusterId;
  });
});
beforeEach(async () => {
  begin = await endOfTopics(stack.target);
});
afterAll(async () => {
  await stack.stop();
});

describe('a backfill', () => {
  it('tells every event of its customers once and in order, and further customers when it is run again', async () => {
    const request = { customers: 60, years: 2, seed: 11 };
    expect(await hasBackfill({ ...settings(), seed: 11 }, 60)).toBe(false);
    const first = await backfill({ ...settings(), ...request });
    const second = await backfill({ ...settings(), ...request, customers: 30 });
    expect(await hasBackfill({ ...settings(), seed: 11 }, 60)).toBe(true);
    const told = await expectTold(11);
    expect(first).toMatchObject({ sent: first.total, resumedFrom: undefined });
    expect(first.total + second.total).toBe(told.total);
    expect(sum(Object.values(first.byTopic))).toBe(first.total);
    expect(first.firstAt).toBeLessThan(first.lastAt!);
    expect(backfillClaims(folderOf(11)).map((claim) => [claim.first, claim.count])).toEqual([
      [0, 60],
      [60, 30],
    ]);
  });

  it('continues to the event after being killed again and again, whatever others write meanwhile', async () => {
    const request = [120, 2, 12].map(String);
    const others = new AbortController();
    const live = produceLive({
      ...settings(),
      seed: 13,
      rate: 300,
      durationMs: 120_000,
      signal: others.signal,
    }).catch((error: unknown) => error);
    const script = path.join(projectRoot, 'test/fixtures/backfill-process.ts');
    for (let kills = 0; kills < 3; kills += 1) {
      const child = spawn(process.execPath, ['--import', 'tsx', script, ...request], {
        cwd: projectRoot,
        env: { ...process.env, ...stack.env },
        stdio: 'ignore',
      });
      await untilTold(12, toldOf(12));
      await aMoment();
      await kill(child, 'SIGKILL');
    }
    const result = await backfill({ ...settings(), ...close, customers: 120, years: 2, seed: 12 });
    others.abort();
    await live;
    expect(result.resumedFrom).toBeGreaterThan(0);
    expect((await expectTold(12)).total).toBe(result.total);
  });

  it('stops on Ctrl-C with 130, refuses another one in its place and is continued by the same command', async () => {
    const env = { ...process.env, ...stack.env };
    const flags = ['--customers', '250', '--years', '2', '--seed', '14'];
    const main = path.join(projectRoot, 'cli/main.ts');
    const child = spawn(process.execPath, ['--import', 'tsx', main, 'backfill', ...flags], {
      cwd: projectRoot,
      env: { ...env, NO_COLOR: '1' },
    });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
    await untilTold(14, 0);
    // Held for a while, or it would be ready before the other one is refused.
    child.kill('SIGSTOP');
    const busy = await runCli(env, 'backfill', ...flags);
    child.kill('SIGCONT');
    expect(await kill(child, 'SIGINT')).toBe(130);
    expect(stderr).toMatch(/Interrupted after [\d,]+ acknowledged records; run the same command again/);
    expect(busy).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('is running already') as string,
    });

    const other = await runCli(env, 'backfill', '--customers', '10', '--seed', '14');
    expect(other.exitCode).toBe(1);
    expect(other.stderr).toContain('npm run backfill -- --years 2 --customers 250 --seed 14');

    const again = await runCli(env, 'backfill', ...flags, '--json');
    expect(again.exitCode).toBe(0);
    expect(again.stderr).toMatch(/Continues at \d+ %/);
    const { total, acknowledged } = JSON.parse(again.stdout) as { total: number; acknowledged: object };
    expect(sum(Object.values(acknowledged) as number[])).toBe(total);
    expect((await expectTold(14)).total).toBe(total);
  });

  it('reports every bad value at once, without touching the stack', async () => {
    const flags = ['--customers=0', '--years=-1', '--seed=x'];
    const run = await runCli({ ...process.env, ...stack.env }, 'backfill', ...flags);
    expect(run.exitCode).toBe(1);
    for (const flag of ['--customers', '--years', '--seed'])
      expect(run.stderr).toContain(`- ${flag}: expected`);
  });

  it('sends nothing where it cannot record what it does', async () => {
    const before = await readBounds(stack.target, topicNames);
    const file = path.join(mkdtempSync(path.join(tmpdir(), 'backfill-')), 'file');
    writeFileSync(file, '');
    const home = resolveHome({ PIPELINE_HOME: file });
    const running = backfill({ ...settings(), home, customers: 5, years: 1, seed: 15 });
    await expect(running).rejects.toMatchObject({ code: 'STATE_NOT_WRITABLE' });
    expect(await readBounds(stack.target, topicNames)).toEqual(before);
  });

  it('stops when the disk is full, and continues once there is room', async () => {
    const request = { ...settings(), ...close, customers: 100, years: 2, seed: 16 };
    let draft = '';
    const running = backfill({
      ...request,
      onBegin: () => {
        const claims = new Claims(folderOf(16));
        // A checkpoint is written here before it takes the place of the one before.
        draft = path.join(claims.folderOf(claims.list()[0]!), 'part-000001.json.draft');
      },
      onProgress: ({ done }) => {
        if (done > 0) fillDisk(draft);
      },
    });
    const error: unknown = await running.catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(BackfillFailedError);
    expect(error).toMatchObject({
      code: 'STATE_NOT_WRITABLE',
      message: expect.stringContaining('ENOSPC') as string,
      todo: expect.stringContaining('Run the same command again') as string,
    });
    rmSync(draft);
    const result = await backfill(request);
    expect((await expectTold(16)).total).toBe(result.total);
  });
});

describe('a backfill while the broker dies', () => {
  it('goes on by itself when the broker comes back in time', async () => {
    const running = backfill({ ...settings(), ...close, customers: 120, years: 2, seed: 17 });
    await untilTold(17, 0);
    await killBroker();
    await startBroker();
    const result = await running;
    expect(result).toMatchObject({ resumedFrom: undefined, sent: result.total });
    expect((await expectTold(17)).total).toBe(result.total);
  });

  it('gives up a broker that stays away, and continues when it is back', async () => {
    const request = { ...settings(), ...close, customers: 120, years: 2, seed: 18 };
    const running = backfill({
      ...request,
      stopTimeoutMs: 1000,
      delivery: { ...close.delivery, retries: 1 },
    }).catch((caught: unknown) => caught);
    await untilTold(18, 0);
    await killBroker();
    const error = await running;
    await startBroker();
    expect(error).toBeInstanceOf(BackfillFailedError);
    expect(error).not.toBeInstanceOf(BackfillInterruptedError);
    expect(error).toMatchObject({ code: 'KAFKA_UNREACHABLE' });
    const result = await backfill(request);
    expect((await expectTold(18)).total).toBe(result.total);
  });
});

/** Checkpoints close together, so that a short history has several. */
const close = {
  checkpointEvery: { events: 2000, ms: 500 },
  delivery: { batchRecords: 500 },
} satisfies Partial<BackfillOptions>;

function settings() {
  return { target: stack.target, catalog, home: stack.settings.home };
}

function folderOf(seed: number): string {
  return runsFolder(stack.settings.home, stack.target.name, clusterId, seed);
}

async function expectTold(seed: number): Promise<{ total: number }> {
  return expectToldExactly(stack.target, folderOf(seed), seed, begin);
}

/** Records that seed's backfills have noted as told. */
function toldOf(seed: number): number {
  const claims = new Claims(folderOf(seed));
  const checkpoints = backfillClaims(folderOf(seed)).flatMap((claim) => {
    const store = new Checkpoints(claims.folderOf(claim));
    return Array.from({ length: claim.backfill.parts + 1 }, (_, part) => store.read(part)?.told ?? 0);
  });
  return sum(checkpoints);
}

async function untilTold(seed: number, more: number): Promise<void> {
  await waitFor(() => toldOf(seed) > more, { what: `checkpoints of seed ${seed}`, timeoutMs: 60_000 });
}

/** Any moment will do: that is what is tested. */
async function aMoment(): Promise<void> {
  await sleep(Math.random() * 400);
}

async function kill(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null) return child.exitCode;
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  child.kill(signal);
  return ended;
}

/** Whatever is written to the file from now on meets a full disk. */
function fillDisk(file: string): void {
  if (existsSync(file)) return;
  symlinkSync('/dev/full', file);
}

async function killBroker(): Promise<void> {
  const pid = brokerPid!;
  process.kill(pid, 'SIGKILL');
  await waitFor(() => !isAlive(pid), { what: 'the broker to die', timeoutMs: 10_000 });
}

async function startBroker(): Promise<void> {
  const { services } = await startStack(stack.settings, { services: ['kafka'] });
  brokerPid = services.find(({ name }) => name === 'kafka')?.pid;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
