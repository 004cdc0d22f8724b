import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Finding } from '../../../core/finding.ts';
import { loadCatalog } from '../../../schemas/catalog.ts';
import type { AvroRecord } from '../../../schemas/read-schema.ts';
import { evolutionCases } from '../../fixtures/evolution/all-cases.ts';
import { runCli } from '../../support/run-cli.ts';
import { startTestStack, type TestStack } from '../../support/test-stack.ts';

let stack: TestStack;

beforeAll(async () => {
  stack = await startTestStack(['schema-registry']);
});
afterAll(async () => {
  await stack.stop();
});

/** Asks the registry itself, without any code of ours in between. */
async function ask(path: string, method: string, body?: object): Promise<Record<string, unknown>> {
  const response = await fetch(`${stack.target.schemaRegistry.url}${path}`, {
    method,
    headers: { 'Content-Type': 'application/vnd.schemaregistry.v1+json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return JSON.parse(text) as Record<string, unknown>;
}

async function register(subject: string, definition: AvroRecord): Promise<void> {
  await ask(`/subjects/${subject}/versions`, 'POST', { schema: JSON.stringify(definition) });
}

describe("the registry's verdict is the check's", () => {
  it.concurrent.each(evolutionCases.map((one) => [one.name, one] as const))('%s', async (_, one) => {
    const { before, after, backward, forward } = one;
    const subject = `${randomUUID()}-value`;
    await register(subject, before);
    const verdict = async (compatibility: string) => {
      await ask(`/config/${subject}`, 'PUT', { compatibility });
      const path = `/compatibility/subjects/${subject}/versions/latest`;
      return (await ask(path, 'POST', { schema: JSON.stringify(after) }))['is_compatible'];
    };
    expect({ backward: await verdict('BACKWARD'), forward: await verdict('FORWARD') }).toEqual({
      backward,
      forward,
    });
  });
});

describe('schemas:check against the registry', () => {
  const topics = loadCatalog().topics;
  const check = async (...flags: string[]) => {
    const run = await runCli({ ...process.env, ...stack.env }, 'schemas:check', '--json', ...flags);
    const { findings } = JSON.parse(run.stdout || '{"findings":[]}') as { findings: Finding[] };
    return { ...run, findings };
  };
  /** The catalog's schema of a topic, as it would have been without one of its fields. */
  const without = (topic: string, field: string): AvroRecord => {
    const { definition } = topics.find((one) => one.topic === topic)!;
    return { ...definition, fields: definition.fields.filter(({ name }) => name !== field) };
  };

  it('has nothing to say of subjects that the registry does not have, or has as they are', async () => {
    expect(await check()).toMatchObject({ exitCode: 0, findings: [] });
    const run = await runCli({ ...process.env, ...stack.env }, 'schemas:register');
    expect(run.exitCode).toBe(0);
    expect(await check()).toMatchObject({ exitCode: 0, findings: [] });
  });

  it('refuses what the registered version can not be read with, and what a level of the registry forbids', async () => {
    // A version in which the catalog's field does not exist yet: to the check, the catalog adds it.
    for (const [topic, field] of [
      ['billing.customers', 'email'],
      ['billing.orders', 'currency'],
    ] as const) {
      await ask(`/config/${topic}-value`, 'PUT', { compatibility: 'NONE' });
      await register(`${topic}-value`, without(topic, field));
    }
    await ask('/config/billing.orders-value', 'PUT', { compatibility: 'BACKWARD' });
    const { exitCode, findings } = await check();
    expect(exitCode).toBe(2);
    expect(findings.map(({ subject, rule, path, level }) => [subject, level, rule, path])).toEqual([
      ['billing.customers-value', 'error', 'field-required', 'email'],
      ['billing.orders-value', 'error', 'field-required', 'currency'],
      ['billing.customers-value', 'warning', 'registry-level', ''],
    ]);
    expect(findings[0]).toMatchObject({
      file: 'schemas/avro/billing.customers.avsc',
      line: expect.any(Number) as number,
      breaks: ['producer on the old schema', 'sink'],
    });
    // A name that was removed for a version, and comes back as it was, is nobody's business.
    expect(findings.map(({ rule }) => rule)).not.toContain('name-reused');
  });

  it('says so when the registry refuses what the check has no objection to', async () => {
    const subject = 'billing.refunds-value';
    const { definition } = topics.find((one) => one.subject === subject)!;
    const extra = { name: 'extra', type: 'int', doc: 'A field that the catalog drops.' };
    await ask(`/config/${subject}`, 'PUT', { compatibility: 'NONE' });
    await register(subject, { ...definition, fields: [...definition.fields, extra] });
    // The catalog's BACKWARD lets a field go, FULL does not.
    await ask(`/config/${subject}`, 'PUT', { compatibility: 'FULL' });
    const { exitCode, findings } = await check();
    expect(exitCode).toBe(2);
    const found = findings
      .filter((one) => one.subject === subject)
      .map(({ level, rule }) => `${level} ${rule}`);
    expect(found).toEqual(['error registry-refuses', 'warning field-removed', 'warning registry-level']);
  });

  it('says in three lines that the registry does not answer', async () => {
    const env = { ...process.env, ...stack.env, SCHEMA_REGISTRY_URL: 'http://127.0.0.1:1' };
    const { exitCode, stdout, stderr } = await runCli(env, 'schemas:check');
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
    expect(stderr.trim().split('\n')).toHaveLength(3);
  });
});
