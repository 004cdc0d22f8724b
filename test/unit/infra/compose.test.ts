import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { loadDesiredConnectors } from '../../../controlplane/declarations.ts';
import { createMetrics } from '../../../controlplane/watch/metrics.ts';
import { projectRoot } from '../../../core/home.ts';
import { releaseVersion } from '../../../embedded/sink/official-release.ts';
import { loadCatalog } from '../../../schemas/catalog.ts';
import { loadTarget } from '../../../targets/load-target.ts';
import schema from '../../fixtures/compose-spec/compose-spec.json' with { type: 'json' };
import { readComposeFile, readProjectFile, type Dashboard, type Rules } from './compose-file.ts';

const compose = readComposeFile();
const services = Object.entries(compose.services);
const text = readProjectFile('docker-compose.yml');
const password = { CLICKHOUSE_PASSWORD: 'secret' };

/** What each service listens on inside of its container. */
const listening: Record<string, number[]> = {
  kafka: [9092, 19092],
  'schema-registry': [8081],
  clickhouse: [8123],
  connect: [8083],
  watcher: [8090],
  superset: [8088],
  prometheus: [9090],
  grafana: [3000],
};

describe('docker-compose.yml', () => {
  it('is what the Compose specification describes', () => {
    const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true });
    // Under the schema's address of the draft, which ajv knows with a "#" at its end only.
    const validate = ajv.compile({ ...schema, $schema: 'http://json-schema.org/draft-07/schema#' });
    expect(validate(parse(text, { merge: true })), JSON.stringify(validate.errors)).toBe(true);
    expect(validate({ services: { kafka: { imagee: 'x' } } })).toBe(false);
  });

  it('pins every image: by digest, or by the full version of a release', () => {
    const built = services.filter(([, { build }]) => build !== undefined);
    const files = built.map(([, { build }]) =>
      path.join(build?.context ?? '', build?.dockerfile ?? 'Dockerfile'),
    );
    const references = [
      ...services.filter(([, { build }]) => build === undefined).map(([, { image }]) => image),
      ...[...new Set(files)].flatMap((file) =>
        [...readProjectFile(file).matchAll(/^FROM (\S+)/gm)].map(([, image = '']) => image),
      ),
    ];
    expect(references.length).toBeGreaterThan(8);
    // Debian's tag moves with its security fixes, and nothing of it reaches an image that runs.
    const unpinned = references.filter(
      (image) => !/@sha256:[0-9a-f]{64}$|:v?\d+(\.\d+){2,3}$/.test(image) && image !== 'debian:bookworm-slim',
    );
    expect(unpinned).toEqual([]);
    for (const [, { image }] of built) expect(image).toMatch(/^billing-analytics\/\w+:local$/);
  });

  it('publishes on loopback only, where each service listens', () => {
    for (const [name, { ports = [] }] of services) {
      for (const port of ports) {
        const found = /^127\.0\.0\.1:\$\{[A-Z_]+_PORT:-\d+\}:(\d+)$/.exec(port);
        expect(listening[name], `${name} ${port}`).toContain(Number(found?.[1]));
      }
    }
  });

  it('limits the memory of every service, and together to what a laptop has', () => {
    const megabytes = services.map(([, { mem_limit: limit }]) => {
      const [, size, unit] = /^(\d+)([mg])$/.exec(limit) ?? [];
      return Number(size) * (unit === 'g' ? 1024 : 1);
    });
    expect(megabytes.reduce((sum, one) => sum + one, 0)).toBeLessThanOrEqual(12 * 1024);
  });

  it('has no password in it, and takes none from anywhere but .env', () => {
    for (const [name, { environment = {} }] of services) {
      for (const [variable, value] of Object.entries(environment)) {
        if (!/PASSWORD|SECRET|TOKEN|HASH_KEY/.test(variable)) continue;
        expect(`${name} ${variable} ${value}`).toMatch(/ (\/run\/secrets\/\w+|\$\{[A-Z_]+:[?-].*\})$/);
      }
    }
    for (const { environment } of Object.values(compose.secrets)) {
      expect(readProjectFile('cli/commands/compose-init.ts')).toContain(`  ${environment}: `);
    }
  });

  it('uses what it declares and declares what it uses', () => {
    const used = (list: (string | undefined)[]) =>
      [...new Set(list)].filter((name) => name !== undefined).sort();
    expect(used(services.flatMap(([, service]) => service.secrets ?? []))).toEqual(
      Object.keys(compose.secrets).sort(),
    );
    const volumes = services.flatMap(([, service]) => service.volumes ?? []);
    const named = volumes.filter((volume) => !volume.startsWith('.')).map((volume) => volume.split(':')[0]);
    expect(used(named)).toEqual(Object.keys(compose.volumes).sort());
    for (const volume of volumes.filter((one) => one.startsWith('.'))) {
      expect(existsSync(path.join(projectRoot, volume.split(':')[0] ?? '')), volume).toBe(true);
      expect(volume).toMatch(/:ro$/);
    }
  });

  it('waits for health only of what has a check of it', () => {
    for (const [name, { depends_on: needs = {} }] of services) {
      for (const [other, { condition }] of Object.entries(needs)) {
        const needed = compose.services[other];
        expect(needed, `${name} needs ${other}`).toBeDefined();
        if (condition === 'service_healthy')
          expect(needed?.healthcheck?.test?.length, other).toBeGreaterThan(1);
      }
    }
    // Of the others, the watcher's check is in the image.
    const unchecked = services.filter(([, { healthcheck }]) => healthcheck === undefined);
    expect(unchecked.map(([name]) => name)).toEqual(['watcher']);
    expect(readProjectFile('Dockerfile')).toMatch(/^HEALTHCHECK [^]*8090\/healthz/m);
  });

  it('puts every service into one of its profiles', () => {
    expect([...new Set(services.flatMap(([, { profiles }]) => profiles))].sort()).toEqual([
      'core',
      'dashboards',
      'monitoring',
    ]);
    expect(services.filter(([, { profiles }]) => profiles.length !== 1)).toEqual([]);
  });

  it('names only services that there are, at ports where they listen', () => {
    const places = [
      text,
      readProjectFile('targets/compose.yaml'),
      readProjectFile('infra/compose/prometheus/prometheus.yml'),
      readProjectFile('infra/compose/grafana/provisioning/datasources/prometheus.yml'),
    ].flatMap((content) => [
      ...content
        .replaceAll(/^\s*#.*$/gm, '')
        .matchAll(/(?:https?:\/\/|PLAINTEXT:\/\/|: |')([a-z][a-z-]+):(\d{4,5})\b/g),
    ]);
    const addresses = places.filter(([, host]) => host !== 'localhost');
    expect(addresses.length).toBeGreaterThanOrEqual(10);
    for (const [, host = '', port] of addresses) expect(listening[host], host).toContain(Number(port));
  });

  it("runs the project's image with everything that its commands import", () => {
    const copied = [...readProjectFile('Dockerfile').matchAll(/^COPY (\w+) \1$/gm)].map(
      ([, folder]) => folder,
    );
    const allowed = [...readProjectFile('.dockerignore').matchAll(/^!(\w+)$/gm)].map(([, folder]) => folder);
    const imported = new Set(
      ['cli', 'cli/commands'].flatMap((folder) =>
        readdirSync(path.join(projectRoot, folder))
          .filter((file) => file.endsWith('.ts'))
          .flatMap((file) => [...readProjectFile(`${folder}/${file}`).matchAll(/'(?:\.\.\/)+([a-z]+)\//g)])
          .map(([, area = '']) => area)
          // The rest are folders of cli/ itself.
          .filter((area) => existsSync(path.join(projectRoot, area))),
      ),
    );
    expect(copied).toEqual(expect.arrayContaining([...imported, 'connectors']));
    expect(allowed).toEqual(expect.arrayContaining(copied));
  });

  it('is given every variable that it demands where CI reads it', () => {
    const demanded = [...text.matchAll(/\$\{(\w+):\?|environment: (\w+) \}/g)];
    const workflow = readProjectFile('.github/workflows/ci.yml');
    expect(demanded.length).toBeGreaterThan(5);
    for (const [, variable, secret = variable] of demanded)
      expect(workflow).toContain(`${secret ?? ''}: unused`);
  });

  it('builds the worker with the release of the sink that the project is written against', () => {
    expect(readProjectFile('infra/compose/connect/Dockerfile')).toContain(
      `ARG CLICKHOUSE_SINK_VERSION=${releaseVersion}\n`,
    );
  });

  // The specification's schema is checked above in any case; the engine's own reading where its plugin is installed.
  it.runIf(spawnSync('docker', ['compose', 'version']).status === 0)('is accepted by docker compose', () => {
    const names = [...text.matchAll(/(?:\$\{|environment: )([A-Z_0-9]+)/g)].map(([, name = '']) => name);
    const env = {
      ...process.env,
      ...Object.fromEntries(names.map((name) => [name, '1'])),
      COMPOSE_PROFILES: '*',
    };
    const run = spawnSync('docker', ['compose', 'config', '--quiet'], {
      cwd: projectRoot,
      env,
      encoding: 'utf8',
    });
    expect(`${String(run.status)} ${run.stderr}`).toBe('0 ');
  });
});

describe('the compose target', () => {
  it('makes of every declaration one that its worker can run', () => {
    const target = loadTarget('compose', password);
    const connectors = loadDesiredConnectors({ target, contracts: loadCatalog(), env: {} });
    expect(connectors.length).toBeGreaterThan(3);
    for (const { config, secretKeys } of connectors) {
      expect(config).toMatchObject({
        hostname: 'clickhouse',
        port: '8123',
        ssl: 'false',
        username: compose.services['clickhouse']?.environment?.['CLICKHOUSE_USER'],
        exactlyOnce: 'true',
        'value.converter': 'io.confluent.connect.avro.AvroConverter',
        'value.converter.schema.registry.url': 'http://schema-registry:8081',
        'errors.deadletterqueue.topic.replication.factor': '1',
      });
      expect(secretKeys).toContain('password');
      // The sink's state needs a path that the server's Keeper map has.
      expect(config['zkPath']).toMatch(/^\/kafka-connect\//);
    }
  });

  it('is the same inside of the containers, at other addresses', () => {
    const { environment } = compose.services['setup'] ?? {};
    const inside = loadTarget('compose', { ...environment, CLICKHOUSE_PASSWORD_FILE: '', ...password });
    expect(inside.kafka.brokers).toEqual(['kafka:19092']);
    expect(inside.clickhouse.url).toBe('http://clickhouse:8123');
    expect(inside.connect.url).toBe('http://connect:8083');
  });
});

describe('monitoring', () => {
  const rules = parse(readProjectFile('infra/compose/prometheus/rules.yml')) as Rules;
  const alerts = rules.groups.flatMap((group) => group.rules);
  const dashboards = readdirSync(path.join(projectRoot, 'infra/compose/grafana/dashboards')).map(
    (file) => JSON.parse(readProjectFile(`infra/compose/grafana/dashboards/${file}`)) as Dashboard,
  );
  const panels = dashboards.flatMap((dashboard) => dashboard.panels);

  it('asks only for metrics and labels that the watcher exposes', async () => {
    const exposed = await createMetrics({ processMetrics: false }).expose();
    const known = new Set([...exposed.matchAll(/^# TYPE (\w+)/gm)].map(([, name = '']) => name));
    const expressions = [
      ...alerts.map(({ expr }) => expr),
      ...panels.flatMap((panel) => panel.targets.map(({ expr }) => expr)),
    ];
    const used = expressions.flatMap((expression) => expression.match(/billing_\w+/g) ?? []);
    expect(new Set(used).size).toBeGreaterThan(8);
    expect(used.filter((name) => !known.has(name.replace(/_bucket$/, '')))).toEqual([]);
  });

  it('shows every metric of the watcher somewhere', async () => {
    const exposed = await createMetrics({ processMetrics: false }).expose();
    const shown = panels.flatMap((panel) => panel.targets.map(({ expr }) => expr)).join('\n');
    const names = [...exposed.matchAll(/^# TYPE (\w+)/gm)].map(([, name = '']) => name);
    expect(names.filter((name) => !shown.includes(name))).toEqual([]);
  });

  it('names each alert once and says what it means', () => {
    const names = alerts.map(({ alert }) => alert);
    expect(new Set(names).size).toBe(names.length);
    for (const { alert, annotations } of alerts) expect(annotations.summary, alert).toBeTruthy();
  });

  it.runIf(spawnSync('promtool', ['--version']).status === 0)('has rules that promtool accepts', () => {
    const run = spawnSync('promtool', ['check', 'rules', 'infra/compose/prometheus/rules.yml'], {
      cwd: projectRoot,
      encoding: 'utf8',
    });
    expect(`${String(run.status)} ${run.stderr}`).toBe('0 ');
  });
});
