import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Finding } from '../../../core/finding.ts';
import { projectRoot } from '../../../core/home.ts';
import { runCommand } from '../../../core/run-command.ts';
import { checkedFolders } from '../../support/checked-folders.ts';

const customers = 'schemas/avro/billing.customers.avsc';
const payments = 'schemas/avro/billing.payments.avsc';
const timeout = 120_000;

let folder: string;
let clone: string;

/** A repository with the project as it is, and a clone of it to work in, as a contributor has one. */
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'pull-request-'));
  const origin = path.join(folder, 'origin');
  for (const name of [...checkedFolders, 'package.json', 'tsconfig.json']) {
    cpSync(path.join(projectRoot, name), path.join(origin, name), { recursive: true });
  }
  await git(origin, 'init', '-q', '-b', 'main');
  await commit(origin, 'The project');
  clone = path.join(folder, 'clone');
  await git(folder, 'clone', '-q', origin, clone);
  symlinkSync(path.join(projectRoot, 'node_modules'), path.join(clone, 'node_modules'));
}, timeout);
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

async function git(cwd: string, ...args: string[]): Promise<string> {
  const identity = [
    '-c',
    'user.name=Test',
    '-c',
    'user.email=test@example.org',
    '-c',
    'commit.gpgsign=false',
  ];
  return (await runCommand('git', [...identity, ...args], { purpose: 'git', cwd, timeoutMs: 30_000 })).stdout;
}

async function commit(cwd: string, message: string): Promise<void> {
  await git(cwd, 'add', '-A', '--', '.', ':!node_modules');
  await git(cwd, 'commit', '-q', '-m', message);
}

interface Checked {
  exitCode: number;
  findings: Finding[];
  /** What GitHub Actions would read. */
  annotations: string[];
}

interface Ran {
  exitCode: number | null;
  stdout: string;
  stderr: string;
}

/** Runs a command of a checkout. */
function run(args: readonly string[], cwd = clone): Promise<Ran> {
  const env = { ...process.env, NO_COLOR: '1', PIPELINE_HOME: path.join(folder, 'home'), PIPELINE_CACHE: '' };
  return new Promise((resolve, reject) => {
    const ran: Ran = { exitCode: null, stdout: '', stderr: '' };
    const child = spawn(process.execPath, ['--import', 'tsx', 'cli/main.ts', ...args], { cwd, env });
    for (const stream of ['stdout', 'stderr'] as const) {
      child[stream].setEncoding('utf8').on('data', (chunk: string) => (ran[stream] += chunk));
    }
    child.once('error', reject).once('close', (exitCode) => {
      resolve({ ...ran, exitCode });
    });
  });
}

/** Runs a check with all its outputs, which have to agree. */
async function check(command: string, ...flags: string[]): Promise<Checked> {
  const sarif = path.join(folder, `${command.replace(':', '-')}.sarif`);
  const ran = await run([command, ...flags, '--json', '--annotations', '--sarif', sarif]);
  const { findings } = JSON.parse(ran.stdout) as { findings: Finding[] };
  const log = JSON.parse(readFileSync(sarif, 'utf8')) as { runs: [{ results: { ruleId: string }[] }] };
  expect(log.runs[0].results.map(({ ruleId }) => ruleId)).toEqual(findings.map(({ rule }) => rule));
  const annotations = ran.stderr.trim().split('\n').filter(Boolean);
  expect(annotations).toHaveLength(findings.length);
  return { exitCode: ran.exitCode ?? -1, findings, annotations };
}

/** Both checks, as a pull request runs them, on a branch of its own with these changes. */
async function pullRequest(name: string, change: () => Promise<void> | void) {
  await git(clone, 'checkout', '-q', '-B', name, 'origin/main');
  await change();
  await commit(clone, name);
  const [schemas, contracts] = await Promise.all([
    check('schemas:check', '--base', 'origin/main'),
    check('contracts:check'),
  ]);
  return { schemas, contracts };
}

interface Schema {
  fields: { name: string; type: unknown; doc?: string; default?: unknown }[];
}

function editSchema(change: (schema: Schema) => void, file = customers): void {
  const at = path.join(clone, file);
  const schema = JSON.parse(readFileSync(at, 'utf8')) as Schema;
  change(schema);
  writeFileSync(at, `${JSON.stringify(schema, null, 2)}\n`);
}

const fieldOf = (schema: Schema, name: string) => schema.fields.find((field) => field.name === name)!;
const errorsOf = ({ findings }: Checked) =>
  findings.filter(({ level }) => level === 'error').map(({ rule, path: field }) => `${rule} ${field}`);
const optional = {
  name: 'nickname',
  type: ['null', 'string'],
  doc: 'What friends call them.',
  default: null,
};

describe('a pull request', () => {
  it('that changes nothing passes', { timeout }, async () => {
    const { schemas, contracts } = await pullRequest('nothing', () => {
      mkdirSync(path.join(clone, 'docs'), { recursive: true });
      writeFileSync(path.join(clone, 'docs/a.md'), 'A word.\n');
    });
    expect([schemas.exitCode, contracts.exitCode]).toEqual([0, 0]);
    expect([...schemas.findings, ...contracts.findings]).toEqual([]);
  });

  it(
    'that renames a field is rejected with the right sentence, beside the right line',
    { timeout },
    async () => {
      const { schemas, contracts } = await pullRequest('rename', () => {
        editSchema((schema) => (fieldOf(schema, 'email').name = 'mail'));
      });
      expect([schemas.exitCode, contracts.exitCode]).toEqual([2, 2]);
      expect(errorsOf(schemas)).toEqual(['field-renamed mail']);
      expect(errorsOf(contracts)).toEqual(['field-dropped mail', 'column-unfilled email']);
      const line =
        readFileSync(path.join(clone, customers), 'utf8')
          .split('\n')
          .findIndex((text) => text.includes('"mail"')) + 1;
      const [finding] = schemas.findings;
      expect(finding).toMatchObject({
        what: 'email became mail: to everybody else one field is gone and another is new',
        breaks: ['consumer on the old schema', 'producer on the old schema', 'sink', 'table'],
      });
      expect(schemas.annotations[0]).toContain(
        `::error file=${customers},line=${line},title=billing.customers-value/mail (field-renamed)::${finding!.what}`,
      );
      expect(contracts.annotations[1]).toContain(
        '::error file=clickhouse/migrations/0001_raw_customers.sql,line=',
      );
    },
  );

  it('that narrows a type is rejected with the right sentence', { timeout }, async () => {
    const { schemas, contracts } = await pullRequest('narrow', () => {
      editSchema((schema) => {
        const rate = fieldOf(schema, 'rate').type as { precision: number };
        rate.precision = 18;
      }, 'schemas/avro/billing.fx-rates.avsc');
      editSchema((schema) => (fieldOf(schema, 'attempt_no').type = 'boolean'), payments);
    });
    expect([schemas.exitCode, contracts.exitCode]).toEqual([2, 2]);
    expect(errorsOf(schemas).sort()).toEqual(['logical-type-changed rate', 'type-changed attempt_no']);
    expect(schemas.findings.map(({ what }) => what).sort()).toEqual([
      'attempt_no was int and is boolean',
      'rate was decimal(38, 12) and is decimal(18, 12): the same bytes are another value',
    ]);
    expect(errorsOf(contracts)).toEqual(['type-refused attempt_no']);
  });

  it('that widens a number is told about the sink, and passes with its migration', { timeout }, async () => {
    const { schemas, contracts } = await pullRequest('widen', async () => {
      editSchema((schema) => (fieldOf(schema, 'attempt_no').type = 'long'), payments);
      await commit(clone, 'Widen it');
      expect(errorsOf(await check('contracts:check'))).toEqual(['type-refused attempt_no']);
      expect((await run(['clickhouse:scaffold'])).exitCode).toBe(0);
    });
    expect([schemas.exitCode, contracts.exitCode]).toEqual([0, 0]);
    expect(schemas.findings).toMatchObject([{ rule: 'type-promoted', level: 'warning', path: 'attempt_no' }]);
    // And back again it is a narrowing.
    editSchema((schema) => (fieldOf(schema, 'attempt_no').type = 'int'), payments);
    expect(errorsOf(await check('schemas:check', '--base', 'HEAD'))).toEqual(['type-narrowed attempt_no']);
    await git(clone, 'checkout', '-q', '-f', 'main');
  });

  it('that adds a required field is rejected with the right sentence', { timeout }, async () => {
    const { schemas, contracts } = await pullRequest('required', async () => {
      editSchema((schema) =>
        schema.fields.push({ name: 'nickname', type: 'string', doc: 'What friends call them.' }),
      );
      // Not even the scaffold can help.
      expect(await run(['clickhouse:scaffold'])).toMatchObject({ exitCode: 1 });
    });
    expect(errorsOf(schemas)).toEqual(['field-required nickname']);
    expect(errorsOf(contracts)).toEqual(['field-dropped nickname']);
    expect(schemas.findings[0]?.what).toContain('the new field nickname has no default');
  });

  it('that forgets the column is rejected with the right sentence', { timeout }, async () => {
    const { schemas, contracts } = await pullRequest('forgotten', () => {
      editSchema((schema) => schema.fields.push(optional));
    });
    expect(schemas.exitCode).toBe(0);
    expect(contracts.exitCode).toBe(2);
    expect(errorsOf(contracts)).toEqual(['field-dropped nickname']);
    expect(contracts.findings[0]?.what).toBe(
      'raw_customers has no column nickname: the sink drops the field without a word',
    );
    expect(contracts.findings[0]).toMatchObject({
      file: customers,
      todo: expect.stringContaining('clickhouse:scaffold') as string,
    });
  });

  it('that is safe passes with the migration that the scaffold writes', { timeout }, async () => {
    const { schemas, contracts } = await pullRequest('safe', async () => {
      editSchema((schema) => {
        schema.fields.push(optional);
        const status = fieldOf(schema, 'status').type as { symbols: string[] };
        status.symbols.push('dormant');
      });
      expect((await run(['clickhouse:scaffold'])).exitCode).toBe(0);
    });
    expect([schemas.exitCode, contracts.exitCode]).toEqual([0, 0]);
    const files = (await git(clone, 'diff', '--name-only', 'origin/main')).trim().split('\n');
    expect(files).toEqual([expect.stringMatching(/raw_customers_add_nickname\.sql$/), customers]);
  });

  it('is compared with where it left the main line, not with what main got since', { timeout }, async () => {
    await git(clone, 'checkout', '-q', '-B', 'later', 'origin/main');
    editSchema((schema) => schema.fields.push(optional));
    await commit(clone, 'Main goes on');
    await git(clone, 'checkout', '-q', '-B', 'behind', 'origin/main');
    expect(await run(['schemas:check', '--base', 'later'])).toMatchObject({ exitCode: 0 });
  });

  it('that reuses a name which was removed long ago is rejected', { timeout }, async () => {
    await git(clone, 'checkout', '-q', '-B', 'history', 'origin/main');
    editSchema((schema) => schema.fields.push(optional));
    await commit(clone, 'Add a field');
    editSchema((schema) => schema.fields.pop());
    await commit(clone, 'Remove it');
    editSchema((schema) => schema.fields.push({ ...optional, type: ['null', 'int'] }));
    const { exitCode, findings } = await check('schemas:check', '--base', 'HEAD');
    expect(exitCode).toBe(2);
    expect(findings.map(({ rule }) => rule)).toEqual(['name-reused']);
    expect(findings[0]?.what).toMatch(
      /^nickname was removed after [0-9a-f]+ of \d{4}-\d\d-\d\d, where it was/,
    );
    await git(clone, 'checkout', '-q', '-f', 'main');
  });

  it('without a description, and with a name that is none, is annotated as well', { timeout }, async () => {
    await git(clone, 'checkout', '-q', '-B', 'careless', 'origin/main');
    editSchema((schema) => schema.fields.push({ name: 'nickName', type: ['null', 'string'], default: null }));
    const { exitCode, findings } = await check('schemas:check', '--base', 'origin/main');
    expect(exitCode).toBe(2);
    expect(findings.map(({ rule, file }) => `${rule} ${file}`)).toEqual([
      `doc ${customers}`,
      `name ${customers}`,
    ]);
    await git(clone, 'checkout', '-q', '-f', 'main');
  });
});

it(
  'a base that git does not know, and a shallow clone, are refused in three lines at most',
  { timeout },
  async () => {
    const shallow = path.join(folder, 'shallow');
    await git(folder, 'clone', '-q', '--depth', '1', '--branch', 'safe', `file://${clone}`, shallow);
    symlinkSync(path.join(projectRoot, 'node_modules'), path.join(shallow, 'node_modules'));
    const refused = await Promise.all([
      run(['schemas:check', '--base', 'no-such-branch']),
      run(['schemas:check', '--base', 'HEAD'], shallow),
    ]);
    for (const { exitCode, stdout, stderr } of refused) {
      expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
      expect(stderr.trim().split('\n').length).toBeLessThanOrEqual(3);
    }
    expect(refused[0].stderr).toContain('git knows no commit "no-such-branch"');
    expect(refused[1].stderr).toContain('The clone is shallow');
  },
);
