import { createRequire } from 'node:module';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../../../core/home.ts';
import { loadCatalog } from '../../../schemas/catalog.ts';
import { desiredTopics } from '../../../schemas/plan-topics.ts';
import { loadTarget } from '../../../targets/load-target.ts';

// Required and not imported: its types would bring the browser's with them, for the whole project.
const { parse } = createRequire(import.meta.url)('@cdktn/hcl2json') as {
  parse: (file: string, hcl: string) => Promise<Record<string, unknown>>;
};

const root = path.join(projectRoot, 'infra/terraform');
const modules = ['.', 'modules/aws', 'modules/clickhouse', 'modules/confluent'];
const environments = ['dev', 'demo', 'prod'];
const terraform = ['tofu', 'terraform'].find((program) => spawnSync(program, ['version']).status === 0);

type Blocks = Record<string, Record<string, unknown>[]>;
interface Module {
  variable?: Blocks;
  output?: Blocks;
  module?: Blocks;
  resource?: Record<string, Blocks>;
  data?: Record<string, Blocks>;
  locals?: Record<string, unknown>[];
  provider?: Blocks;
  terraform?: Record<string, unknown>[];
}

/** A module as Terraform's own parser reads it, its files together, and their text. */
interface Source {
  parsed: Module;
  text: string;
}
const sources = new Map<string, Source>();
const source = (folder: string): Source => sources.get(folder) ?? { parsed: {}, text: '' };

beforeAll(async () => {
  for (const folder of modules) {
    const files = readdirSync(path.join(root, folder)).filter((file) => file.endsWith('.tf'));
    const text = files.map((file) => readFileSync(path.join(root, folder, file), 'utf8')).join('\n');
    sources.set(folder, { parsed: await parse(`${folder}.tf`, text), text });
  }
});

/** Without comments: they name things that are not there. */
const code = (text: string) => text.replaceAll(/(^|\s)#.*$/gm, '');
const namesOf = (text: string, pattern: RegExp) =>
  [...new Set([...code(text).matchAll(pattern)].map(([, name = '']) => name))].sort();

describe('infra/terraform', () => {
  it('is refused by the parser where it is broken', async () => {
    await expect(parse('broken.tf', 'resource "x" "y" {')).rejects.toThrow(/broken\.tf:1/);
  });

  it('uses exactly the variables that each module declares', () => {
    for (const folder of modules) {
      const { parsed, text } = source(folder);
      expect(namesOf(text, /\bvar\.(\w+)/g), folder).toEqual(Object.keys(parsed.variable ?? {}).sort());
    }
  });

  it('gives each module exactly what it asks for, and takes from it only what it gives', () => {
    const { parsed, text } = source('.');
    const calls = Object.entries(parsed.module ?? {});
    expect(calls.map(([name]) => `modules/${name}`).sort()).toEqual(modules.slice(1).sort());
    for (const [name, [call = {}]] of calls) {
      const { parsed: called } = source(`modules/${name}`);
      const given = Object.keys(call).filter((key) => key !== 'source' && key !== 'providers');
      expect(given.sort(), name).toEqual(Object.keys(called.variable ?? {}).sort());
      const taken = namesOf(text, new RegExp(`\\bmodule\\.${name}\\.(\\w+)`, 'g'));
      expect(taken, name).toEqual(Object.keys(called.output ?? {}).sort());
    }
  });

  it('refers only to resources, data and locals that there are, and to all of the locals', () => {
    for (const folder of modules) {
      const { parsed, text } = source(folder);
      const resources = Object.entries(parsed.resource ?? {}).flatMap(([type, named]) =>
        Object.keys(named).map((name) => `${type}.${name}`),
      );
      const data = Object.entries(parsed.data ?? {}).flatMap(([type, named]) =>
        Object.keys(named).map((name) => `data.${type}.${name}`),
      );
      const used = [
        ...code(text).matchAll(/(?<![\w."])(data\.)?((?:aws|confluent|clickhouse|random)_\w+)\.(\w+)/g),
      ].map(([, prefix = '', type = '', name = '']) => `${prefix}${type}.${name}`);
      expect(
        used.filter((name) => ![...resources, ...data].includes(name)),
        folder,
      ).toEqual([]);
      const locals = (parsed.locals ?? []).flatMap((block) => Object.keys(block)).sort();
      expect(namesOf(text, /\blocal\.(\w+)/g), folder).toEqual(locals);
    }
  });

  it('names the provider of each of its resources', () => {
    for (const folder of modules) {
      const { parsed, text } = source(folder);
      const used = new Set(
        Object.keys({ ...parsed.resource, ...parsed.data }).map((type) => type.split('_', 1)[0] ?? ''),
      );
      const declared = namesOf(text, /^ {4}(\w+) = \{\n {6}source/gm);
      expect(declared, folder).toEqual(expect.arrayContaining([...used]));
    }
    // The root fixes versions: the majors that the attributes were written for.
    expect(source('.').text.match(/version = "~> \d+\.\d+"/g)).toHaveLength(4);
  });

  it.each(environments)(
    'has a value for every variable in %s, except for those of a run',
    async (environment) => {
      const file = path.join(root, 'environments', `${environment}.tfvars`);
      const values = await parse(file, readFileSync(file, 'utf8'));
      const ofARun = ['image_tag', 'alarm_email'];
      expect([...Object.keys(values), ...ofARun].sort()).toEqual(
        Object.keys(source('.').parsed.variable ?? {}).sort(),
      );
      expect(values['environment']).toBe(environment);
      // A basic cluster has one zone.
      expect([values['kafka_cluster_type'], values['kafka_availability']]).not.toEqual([
        'basic',
        'MULTI_ZONE',
      ]);
    },
  );

  it('lets nobody in', () => {
    const { text } = source('modules/aws');
    expect(text).not.toMatch(/\bingress\s*[{=]|aws_vpc_security_group_ingress_rule|type\s*=\s*"ingress"/);
    expect(text).not.toMatch(/map_public_ip_on_launch|associate_public_ip_address|0\.0\.0\.0\/0"\s*\]/);
    expect(text).toContain('http_tokens                 = "required"');
  });

  it('gives no right to everything, and over everything only where AWS knows no less', () => {
    const { parsed } = source('modules/aws');
    const documents = Object.values(parsed.data?.['aws_iam_policy_document'] ?? {}).flat();
    const statements = documents.flatMap(
      ({ statement }) => statement as { actions: string[]; resources?: string[] }[],
    );
    expect(statements.length).toBeGreaterThan(3);
    for (const { actions, resources = [] } of statements) {
      for (const action of actions) expect(action).toMatch(/^[a-z]+:[A-Z]\w+$/);
      if (resources.includes('*')) expect(actions).toEqual(['ecr:GetAuthorizationToken']);
    }
    expect(source('modules/confluent').text).not.toMatch(/OrganizationAdmin|EnvironmentAdmin|"ALL"/);
  });

  it('marks every output that carries a secret', () => {
    for (const folder of modules) {
      for (const [name, [output = {}]] of Object.entries(source(folder).parsed.output ?? {})) {
        const carries = /\.(secret|result)\b|password/.test(JSON.stringify(output['value']));
        expect(output['sensitive'] === true, `${folder} ${name}`).toBe(carries);
      }
    }
  });

  it('hands the machines the settings that their target asks for', () => {
    const { text } = source('.');
    const names = namesOf(text, /^\s+([A-Z][A-Z_]+)\s+=/gm);
    const env = Object.fromEntries(names.map((name) => [name, 'x']));
    const given = {
      ...env,
      KAFKA_BROKERS: 'pkc:9092',
      SCHEMA_REGISTRY_URL: 'https://psrc.example',
      CLICKHOUSE_URL: 'https://ch.example:8443',
      CONFLUENT_ENVIRONMENT_ID: 'env-1',
      CONFLUENT_KAFKA_CLUSTER_ID: 'lkc-1',
      CONFLUENT_SERVICE_ACCOUNT: 'sa-1',
    };
    expect(loadTarget('confluent-cloud', given).kafka.sasl).toMatchObject({
      mechanism: 'PLAIN',
      username: 'x',
    });
    expect(
      names.filter((name) => !readFileSync(path.join(projectRoot, '.env.example'), 'utf8').includes(name)),
    ).toEqual([]);
  });

  it('refuses to run without an environment and without what it needs', () => {
    const run = (...args: string[]) =>
      spawnSync('bash', [path.join(root, 'run.sh'), ...args], {
        env: { PATH: process.env['PATH'] },
        encoding: 'utf8',
      });
    for (const args of [[], ['apply'], ['apply', 'staging'], ['frobnicate', 'dev'], ['apply', '../dev']]) {
      expect(run(...args)).toMatchObject({
        status: 1,
        stderr: expect.stringMatching(/^Use: npm run infra/) as string,
      });
    }
    const { status, stderr } = run('apply', 'dev');
    expect(status).toBe(1);
    expect(stderr).toMatch(/^Not set: TF_STATE_BUCKET .*CLICKHOUSE_TOKEN_SECRET\n/);
    const documentation = readFileSync(path.join(projectRoot, 'docs/terraform.md'), 'utf8');
    for (const name of /^Not set: (.*)$/m.exec(stderr)?.[1]?.split(' ') ?? [])
      expect(documentation).toContain(name);
  });
});

describe.runIf(terraform !== undefined)('Terraform itself', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'terraform-'));
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });
  const env = { PATH: process.env['PATH'], HOME: folder, CHECKPOINT_DISABLE: '1' };

  it('finds every file formatted', () => {
    const run = spawnSync(terraform ?? '', ['fmt', '-check', '-recursive', root], { env, encoding: 'utf8' });
    expect(run.stdout + run.stderr).toBe('');
  });

  it('makes of the catalog the topics that topics:apply demands, and rules that no two accounts share', () => {
    // What needs no provider: the module's locals, over the real catalog.
    const { text } = source('modules/confluent');
    const locals = /^locals \{$.*?^\}$/ms.exec(text)?.[0].replaceAll('var.catalog', 'local.catalog') ?? '';
    const catalogFile = path.join(projectRoot, 'schemas/topics.yaml');
    writeFileSync(
      path.join(folder, 'main.tf'),
      `variable "cluster_type" { default = "basic" }\nlocals { catalog = yamldecode(file("${catalogFile}")) }\n${locals}\n`,
    );
    const run = spawnSync(terraform ?? '', ['console'], {
      cwd: folder,
      env,
      encoding: 'utf8',
      input: 'jsonencode({ topics = local.topics, acls = local.acls })\n',
    });
    const { topics, acls } = JSON.parse(JSON.parse(run.stdout) as string) as {
      topics: Record<string, unknown>;
      acls: Record<string, Record<string, string>>;
    };
    expect(topics).toEqual(
      Object.fromEntries(
        desiredTopics(loadCatalog(), 3).map(({ topic, partitions, settings }) => [
          topic,
          { partitions, cleanup: settings['cleanup.policy'], retention: settings['retention.ms'] },
        ]),
      ),
    );
    const rules = Object.values(acls);
    expect(rules.length).toBeGreaterThan(20);
    // Nobody deletes topics, and the producers create none.
    expect(
      rules.filter((rule) => rule['resource_type'] === 'TOPIC' && rule['operation'] === 'DELETE'),
    ).toEqual([]);
    const creators = rules.filter((rule) => rule['operation'] === 'CREATE').map((rule) => rule['account']);
    expect([...new Set(creators)].sort()).toEqual(['connectors', 'control-plane']);
  });

  it('renders a script that bash can read', () => {
    writeFileSync(
      path.join(folder, 'main.tf'),
      `locals {
        script = templatefile("${root}/modules/aws/start.sh.tftpl", {
          region = "eu-central-1", registry = "r", image = "r/i:1", secret = "s", log_group = "/l"
          setup  = ["schemas:register", "topics:apply"], command = "connectors:watch"
        })
      }\n`,
    );
    const input = 'jsonencode(local.script)\n';
    const run = spawnSync(terraform ?? '', ['console'], { cwd: folder, env, encoding: 'utf8', input });
    const script = JSON.parse(JSON.parse(run.stdout) as string) as string;
    expect(script).toContain('r/i:1 schemas:register\n');
    expect(spawnSync('bash', ['-n'], { input: script, encoding: 'utf8' }).stderr).toBe('');
  });
});
