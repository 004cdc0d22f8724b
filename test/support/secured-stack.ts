import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { Agent, get } from 'node:https';
import path from 'node:path';
import { runCommand } from '../../core/run-command.ts';
import { tlsOptions, type TlsFiles } from '../../core/tls.ts';
import { planServices } from '../../embedded/plan-stack.ts';
import { connect, workerProperties } from '../../embedded/services/connect.ts';
import { brokerProperties, kafka, newClusterId } from '../../embedded/services/kafka.ts';
import { renderProperties } from '../../embedded/services/jvm.ts';
import type { Service, ServiceContext } from '../../embedded/services/service.ts';
import { awaitReady, startService } from '../../embedded/start-service.ts';
import { createKafka } from '../../targets/kafka.ts';
import { makeAuthority, type IssuedCertificate, type TestAuthority } from './certificates.ts';
import { freePorts } from './free-ports.ts';
import { startTestStack, type TestStack } from './test-stack.ts';
import { startTlsFront, type TlsFront } from './tls-front.ts';

/** Who may log in where. The worker and the pipeline are different users, as they should be. */
export const logins = {
  kafka: { username: 'pipeline', password: 'kafka secret' },
  /** Known to Kafka, and allowed nothing. */
  stranger: { username: 'stranger', password: 'stranger secret' },
  connect: { username: 'operator', password: 'connect secret' },
  registry: { username: 'registrar', password: 'registry secret' },
  clickhouse: { username: 'loader', password: 'clickhouse secret' },
} as const;
const internal = { username: 'internal', password: 'internal secret' };

export interface SecuredStack {
  /** What a user of the `connect` target sets, and nothing of the stack's own. */
  env: Record<string, string>;
  /** host:port of the broker's listener that demands a client certificate instead of a password. */
  mutualTlsBroker: string;
  /** A server that does not encrypt. */
  plainClickHouse: string;
  authority: TestAuthority;
  /** Certificate of the client whom the broker allows everything. */
  client: IssuedCertificate;
  stop: () => Promise<void>;
}

/**
 * The embedded services as a company runs them: Kafka with SASL over TLS and access rights, a worker whose REST API
 * wants a password over TLS, and the registry and ClickHouse behind what encrypts for them.
 */
export async function startSecuredStack(): Promise<SecuredStack> {
  const stack = await startTestStack(['schema-registry', 'clickhouse'], {
    CLICKHOUSE_USER: logins.clickhouse.username,
    CLICKHOUSE_PASSWORD: logins.clickhouse.password,
  });
  const fronts: TlsFront[] = [];
  const stop = async () => {
    await Promise.all(fronts.map((front) => front.close()));
    await stack.stop();
  };
  try {
    const folder = stack.settings.home.root;
    const authority = makeAuthority(folder);
    const server = authority.issue('server', { name: 'localhost' });
    const client = authority.issue('client', { name: 'pipeline' });
    const [mutualTlsPort = 0] = await freePorts(1);
    await startBrokerAndWorker(stack, { authority, server, mutualTlsPort });
    const registry = await startTlsFront(stack.target.schemaRegistry.url, server, logins.registry);
    const clickhouse = await startTlsFront(stack.target.clickhouse.url, server);
    fronts.push(registry, clickhouse);
    return {
      env: { ...environmentOf(stack, registry, clickhouse, authority), ...overlayFile(folder) },
      mutualTlsBroker: `127.0.0.1:${String(mutualTlsPort)}`,
      plainClickHouse: stack.target.clickhouse.url,
      authority,
      client,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function environmentOf(
  stack: TestStack,
  registry: TlsFront,
  clickhouse: TlsFront,
  { caFile }: TestAuthority,
): Record<string, string> {
  const { home, ports } = stack.settings;
  return {
    PIPELINE_HOME: home.root,
    PIPELINE_CACHE: home.cache,
    PIPELINE_TARGET: 'connect',
    KAFKA_BROKERS: `127.0.0.1:${String(ports.kafka)}`,
    KAFKA_SECURITY_PROTOCOL: 'SASL_SSL',
    KAFKA_SASL_MECHANISM: 'SCRAM-SHA-512',
    KAFKA_SASL_USERNAME: logins.kafka.username,
    KAFKA_SASL_PASSWORD: logins.kafka.password,
    KAFKA_REPLICATION_FACTOR: '1',
    KAFKA_CA_FILE: caFile,
    SCHEMA_REGISTRY_URL: `${registry.url}/apis/ccompat/v7`,
    SCHEMA_REGISTRY_USERNAME: logins.registry.username,
    SCHEMA_REGISTRY_PASSWORD: logins.registry.password,
    SCHEMA_REGISTRY_CA_FILE: caFile,
    CONNECT_URL: `https://127.0.0.1:${String(ports.connect)}`,
    CONNECT_USERNAME: logins.connect.username,
    CONNECT_PASSWORD: logins.connect.password,
    CONNECT_CA_FILE: caFile,
    CLICKHOUSE_URL: clickhouse.url,
    CLICKHOUSE_USER: logins.clickhouse.username,
    CLICKHOUSE_PASSWORD: logins.clickhouse.password,
    CLICKHOUSE_CA_FILE: caFile,
    CLICKHOUSE_KEEPER: 'false',
  };
}

/** What is particular of this worker: its converter, and the sink that it may have instead of the official one. */
function overlayFile(folder: string): { PIPELINE_TARGET_FILE: string } {
  const file = path.join(folder, 'target.yaml');
  writeFileSync(
    file,
    `capabilities: { standInSink: true }
connectors:
  overrides:
    value.converter: io.apicurio.registry.utils.converter.AvroConverter
    value.converter.schema.registry.url: null
    value.converter.basic.auth.credentials.source: null
    value.converter.basic.auth.user.info: null
    value.converter.apicurio.registry.url: \${schemaRegistry.origin}/apis/registry/v2
    value.converter.apicurio.registry.as-confluent: 'true'
    value.converter.apicurio.registry.use-id: contentId
    value.converter.apicurio.registry.headers.enabled: 'false'
    value.converter.apicurio.auth.username: \${schemaRegistry.username}
    value.converter.apicurio.auth.password: \${secret:schemaRegistry.password}
    jdbcConnectionProperties: '?compress=0'
`,
  );
  return { PIPELINE_TARGET_FILE: file };
}

interface Security {
  authority: TestAuthority;
  server: IssuedCertificate;
  mutualTlsPort: number;
}

async function startBrokerAndWorker(stack: TestStack, security: Security): Promise<void> {
  const { settings } = stack;
  const services = [securedBroker(security), securedWorker(security, settings.home.root)];
  const planned = await planServices(settings, services, {});
  for (const { service, context, plan } of planned) {
    const { signal } = new AbortController();
    await startService(service, context, plan, signal);
    await awaitReady(service, settings.home, signal);
  }
}

function securedBroker(security: Security): Service {
  const tls: TlsFiles = {
    caFile: security.authority.caFile,
    certificateFile: '',
    keyFile: '',
    keyPassphrase: '',
  };
  const propertiesOf = (context: ServiceContext, storage?: string) =>
    renderProperties({
      ...brokerProperties(context, storage),
      ...brokerSecurity(security, context.settings.ports),
    });
  const file = (context: ServiceContext) => path.join(context.dataFolder, 'server.properties');
  return {
    ...kafka,
    plan: (context) => ({ ...kafka.plan(context), files: { [file(context)]: propertiesOf(context) } }),
    // The users have to be there before the broker, which logs in to itself.
    prepare: async (context) => {
      const users = [logins.kafka, logins.stranger, internal].flatMap(({ username, password }) =>
        ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((mechanism) => [
          '--add-scram',
          `${mechanism}=[name=${username},password=${quoted(password)}]`,
        ]),
      );
      const classPath = path.join(context.jars.kafka ?? '', '*');
      const tool = ['kafka.tools.StorageTool', 'format', '-t', newClusterId(), '-c', file(context), ...users];
      await runCommand(context.java, ['-cp', classPath, ...tool], {
        purpose: "Formatting the broker's storage",
        timeoutMs: 60_000,
      });
    },
    isReady: async (port) => {
      const sasl = { mechanism: 'SCRAM-SHA-512' as const, ...logins.kafka };
      const brokers = [`127.0.0.1:${port}`];
      const target = {
        kafka: { brokers, replicationFactor: 1, securityProtocol: 'SASL_SSL' as const, sasl, tls },
      };
      const admin = createKafka(target, { clientId: 'secured-stack', retry: { retries: 0 } }).admin();
      try {
        await admin.connect();
        return (await admin.describeCluster()).brokers.length === 1;
      } catch {
        return false;
      } finally {
        await admin.disconnect().catch(() => undefined);
      }
    },
  };
}

function brokerSecurity(
  { authority, server, mutualTlsPort }: Security,
  ports: { kafka: number; kafkaController: number },
) {
  const own = `127.0.0.1:${String(ports.kafka)}`;
  const mutual = `127.0.0.1:${String(mutualTlsPort)}`;
  const scram = `org.apache.kafka.common.security.scram.ScramLoginModule required ${jaasLogin(internal)};`;
  const plainUsers = [logins.kafka, internal]
    .map(({ username, password }) => `user_${username}=${quoted(password)}`)
    .join(' ');
  return {
    listeners: `SASL_SSL://${own},MUTUAL://${mutual},CONTROLLER://127.0.0.1:${String(ports.kafkaController)}`,
    'advertised.listeners': `SASL_SSL://${own},MUTUAL://${mutual}`,
    'inter.broker.listener.name': 'SASL_SSL',
    'listener.security.protocol.map': 'SASL_SSL:SASL_SSL,MUTUAL:SSL,CONTROLLER:PLAINTEXT',
    'sasl.enabled.mechanisms': 'SCRAM-SHA-512,SCRAM-SHA-256,PLAIN',
    'sasl.mechanism.inter.broker.protocol': 'SCRAM-SHA-512',
    'listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config': scram,
    'listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config': scram,
    'listener.name.sasl_ssl.plain.sasl.jaas.config': `org.apache.kafka.common.security.plain.PlainLoginModule required ${jaasLogin(internal)} ${plainUsers};`,
    'listener.name.mutual.ssl.client.auth': 'required',
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.location': keyAndCertificate(server),
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.location': authority.caFile,
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    // The controller's own listener, on loopback, knows nobody by name.
    'super.users': `User:${internal.username};User:${logins.kafka.username};User:CN=pipeline;User:ANONYMOUS`,
  };
}

function securedWorker({ authority, server }: Security, folder: string): Service {
  const password = 'store-password';
  const keyStore = path.join(folder, 'worker.p12');
  const trustStore = path.join(folder, 'trust.p12');
  execFileSync('openssl', [
    ...['pkcs12', '-export', '-in', server.certificateFile, '-inkey', server.keyFile],
    ...['-out', keyStore, '-passout', `pass:${password}`],
  ]);
  execFileSync(
    'keytool',
    [
      ...['-importcert', '-noprompt', '-alias', 'authority', '-file', authority.caFile],
      ...['-keystore', trustStore, '-storetype', 'PKCS12', '-storepass', password],
    ],
    { stdio: 'pipe' },
  );
  const users = path.join(folder, 'worker-users.properties');
  writeFileSync(users, renderProperties({ [logins.connect.username]: logins.connect.password }));
  const jaas = path.join(folder, 'worker-jaas.conf');
  const loginModule = 'org.apache.kafka.connect.rest.basic.auth.extension.PropertyFileLoginModule';
  writeFileSync(jaas, `KafkaConnect { ${loginModule} required file="${users}"; };\n`);

  const login = {
    'security.protocol': 'SASL_SSL',
    'sasl.mechanism': 'SCRAM-SHA-512',
    'sasl.jaas.config': `org.apache.kafka.common.security.scram.ScramLoginModule required ${jaasLogin(internal)};`,
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.location': authority.caFile,
  };
  const everywhere = ['', 'consumer.', 'producer.', 'admin.'].flatMap((prefix) =>
    Object.entries(login).map(([key, value]) => [prefix + key, value] as const),
  );
  const propertiesOf = (context: ServiceContext) => ({
    ...workerProperties(context),
    ...Object.fromEntries(everywhere),
    listeners: `https://127.0.0.1:${String(context.settings.ports.connect)}`,
    'rest.advertised.listener': 'https',
    'listeners.https.ssl.keystore.type': 'PKCS12',
    'listeners.https.ssl.keystore.location': keyStore,
    'listeners.https.ssl.keystore.password': password,
    'listeners.https.ssl.key.password': password,
    'rest.extension.classes':
      'org.apache.kafka.connect.rest.basic.auth.extension.BasicAuthSecurityRestExtension',
  });
  const trust = [
    `-Djavax.net.ssl.trustStore=${trustStore}`,
    `-Djavax.net.ssl.trustStorePassword=${password}`,
    `-Djava.security.auth.login.config=${jaas}`,
  ];
  return {
    ...connect,
    plan: (context) => {
      const plan = connect.plan(context);
      const [file = ''] = Object.keys(plan.files ?? {});
      return {
        ...plan,
        args: [...trust, ...plan.args],
        files: { [file]: renderProperties(propertiesOf(context)) },
      };
    },
    isReady: (port) =>
      isHealthy(port, { caFile: authority.caFile, certificateFile: '', keyFile: '', keyPassphrase: '' }),
  };
}

function isHealthy(port: number, tls: TlsFiles): Promise<boolean> {
  const { username, password } = logins.connect;
  const agent = new Agent(tlsOptions(tls));
  return new Promise((resolve) => {
    get(`https://127.0.0.1:${port}/health`, { agent, auth: `${username}:${password}` }, (response) => {
      response.resume().once('end', () => {
        resolve(response.statusCode === 200);
      });
    }).once('error', () => {
      resolve(false);
    });
  });
}

/** Kafka wants both in one PEM file. */
function keyAndCertificate({ certificateFile, keyFile }: IssuedCertificate): string {
  const file = `${certificateFile}.store`;
  writeFileSync(file, readFileSync(keyFile, 'utf8') + readFileSync(certificateFile, 'utf8'), { mode: 0o600 });
  return file;
}

function jaasLogin({ username, password }: { username: string; password: string }): string {
  return `username=${quoted(username)} password=${quoted(password)}`;
}

function quoted(text: string): string {
  return `"${text.replaceAll(/["\\]/g, (character) => `\\${character}`)}"`;
}
