import path from 'node:path';
import { z } from 'zod';
import { findTlsProblems, type TlsFiles } from '../core/tls.ts';

export const securityProtocols = ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'] as const;
export const saslMechanisms = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const;
export const tableEngines = ['local', 'replicated', 'shared'] as const;

const httpUrl = z
  .url({ protocol: /^https?$/, error: 'expected an http:// or https:// address' })
  // Addresses are printed.
  .refine((url) => !URL.canParse(url) || new URL(url).username === '', {
    error: 'must not carry credentials: they have settings of their own',
  });
const hostAndPort = z.string().regex(/^[^\s:]+:\d{1,5}$/, 'expected host:port');
/** From a variable it comes as text. */
const flag = z.union([z.boolean(), z.enum(['true', 'false']).transform((text) => text === 'true')], {
  error: 'expected true or false',
});
const smallNumber = z.preprocess(
  (value) => (typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value),
  z.int().min(1).max(9),
);
/** A group whose variables are all unset is not there. */
const unlessEmpty = <S extends z.ZodType>(schema: S) =>
  z
    .preprocess(
      (value) =>
        typeof value === 'object' && value !== null && Object.values(value).every((one) => one === '')
          ? undefined
          : value,
      schema.optional(),
    )
    .optional();

const credential = z.string().min(1, 'must be set: the user name and the password belong together');
/** Basic authentication. */
const login = unlessEmpty(z.strictObject({ username: credential, password: credential }));
/** Relative paths start at the current folder. */
const file = z.string().transform((name) => (name === '' ? '' : path.resolve(name)));
const tls = unlessEmpty(
  z.strictObject({
    caFile: file.default(''),
    certificateFile: file.default(''),
    keyFile: file.default(''),
    keyPassphrase: z.string().default(''),
  }),
);

const targetSchema = z.strictObject({
  kafka: z.strictObject({
    brokers: z.array(hostAndPort).min(1),
    /** Of topics the pipeline creates. */
    replicationFactor: smallNumber,
    /** As in Kafka's own clients; absent for PLAINTEXT. */
    securityProtocol: z.enum(securityProtocols).optional(),
    /** How and as whom to log in, with SASL_SSL or SASL_PLAINTEXT. With Confluent Cloud, PLAIN and an API key. */
    sasl: unlessEmpty(
      z.strictObject({ mechanism: z.enum(saslMechanisms), username: credential, password: credential }),
    ),
    tls,
  }),
  schemaRegistry: z.strictObject({
    /** Base of a Confluent-compatible API, without a trailing slash. */
    url: httpUrl,
    auth: login,
    tls,
  }),
  connect: z.strictObject({
    /** A worker of Kafka Connect, or Confluent Cloud's API where `confluentCloud` is there. */
    url: httpUrl,
    auth: login,
    tls,
    confluentCloud: z
      .strictObject({
        environment: z.string().regex(/^env-\w+$/, 'expected an environment id: env-...'),
        /** Of the Kafka cluster. */
        cluster: z.string().regex(/^lkc-\w+$/, 'expected a Kafka cluster id: lkc-...'),
        /** A Cloud API key. */
        apiKey: z.string().min(1),
        /** A secret: never printed. */
        apiSecret: z.string().min(1),
        /** As whom the connectors read and write topics; empty for the API key of `kafka.sasl`. */
        serviceAccount: z.union([z.literal(''), z.string().regex(/^sa-\w+$/)], 'expected sa-... or nothing'),
      })
      .optional(),
  }),
  clickhouse: z.strictObject({
    url: httpUrl,
    user: z.string().min(1),
    /** A secret: never printed. */
    password: z.string(),
    database: z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'expected a plain identifier'),
    tls: unlessEmpty(z.strictObject({ caFile: file })),
    /**
     * Of the tables that migrations create: `local` as they are written, on one server; `replicated` as
     * Replicated*MergeTree; `shared` for ClickHouse Cloud, which replicates by itself. Absent for `local`.
     */
    engines: z.enum(tableEngines).optional(),
    /** Of the servers; migrations run ON CLUSTER. Empty or absent for one server, and for ClickHouse Cloud. */
    cluster: z
      .string()
      .regex(/^[\w.{}-]*$/, 'expected the name of a cluster in system.clusters')
      .optional(),
  }),
  /** Addresses as the Connect workers see them, where those are others than from here; empty or absent: the same. */
  workers: z
    .strictObject({
      schemaRegistryUrl: z.union([z.literal(''), httpUrl]),
      clickhouseUrl: z.union([z.literal(''), httpUrl]),
    })
    .optional(),
  capabilities: z.strictObject({
    /** ClickHouse has Keeper, so the sink may run with exactlyOnce. */
    keeper: flag,
    /** The project's stand-in sink may take the official one's place. */
    standInSink: flag,
  }),
  /**
   * Everything is on one machine or in one network that nobody else listens in, so that passwords may cross it
   * unencrypted. Absent for false: they then need TLS, except to an address of this machine.
   */
  privateNetwork: flag.optional(),
  connectors: z.strictObject({
    /** Laid over every connector declaration of this target; null removes a key, and so does a value that comes out empty. */
    overrides: z.record(z.string(), z.string().nullable()),
  }),
});

type Settings = z.infer<typeof targetSchema>;
type Report = (path: readonly (string | number)[], message: string) => void;

/** Where the pipeline runs: addresses, credentials and what the servers there can do. */
export type Target = Settings & { name: string };

const unencrypted = 'expected https://, or an address of this machine: a password would go there unencrypted';

/** The settings of a target's file, every variable resolved. */
export const checkedSchema = targetSchema.superRefine((settings, context) => {
  const report: Report = (at, message) => {
    context.addIssue({ code: 'custom', message, path: [...at] });
  };
  for (const rule of rules) rule(settings, report);
});

/** A password crosses a network only encrypted. */
function encryptsCredentials(settings: Settings, report: Report): void {
  const { schemaRegistry, connect, clickhouse, kafka } = settings;
  if (connect.confluentCloud !== undefined && !isSafe(connect.url)) report(['connect', 'url'], unencrypted);
  if (settings.privateNetwork === true) return;
  if (schemaRegistry.auth !== undefined && !isSafe(schemaRegistry.url))
    report(['schemaRegistry', 'url'], unencrypted);
  if (connect.auth !== undefined && !isSafe(connect.url)) report(['connect', 'url'], unencrypted);
  if (clickhouse.password !== '' && !isSafe(clickhouse.url)) report(['clickhouse', 'url'], unencrypted);
  const isRemote = kafka.brokers.some((broker) => !isLoopback(broker.split(':', 1)[0] ?? ''));
  if (kafka.securityProtocol === 'SASL_PLAINTEXT' && isRemote) {
    report(['kafka', 'securityProtocol'], 'SASL_PLAINTEXT sends the password unencrypted: use SASL_SSL');
  }
}

/** A setting that has no effect is a mistake: somebody believes that it has one. */
function usesWhatIsSet({ kafka, schemaRegistry, connect, clickhouse }: Settings, report: Report): void {
  const protocol = kafka.securityProtocol ?? 'PLAINTEXT';
  const logsIn = protocol.startsWith('SASL_');
  if (logsIn && kafka.sasl === undefined) {
    report(
      ['kafka', 'sasl'],
      `must be set: ${protocol} logs in with a mechanism, a user name and a password`,
    );
  }
  if (!logsIn && kafka.sasl !== undefined) {
    report(['kafka', 'securityProtocol'], `is ${protocol}, which does not log in, but credentials are set`);
  }
  if (!protocol.endsWith('SSL') && kafka.tls !== undefined) {
    report(['kafka', 'securityProtocol'], `is ${protocol}, which is not encrypted, but TLS files are set`);
  }
  for (const [name, service] of Object.entries({ schemaRegistry, connect, clickhouse })) {
    if (service.tls !== undefined && !service.url.startsWith('https:')) {
      report([name, 'url'], 'expected https://, because TLS files are set');
    }
  }
}

function namesUsableTlsFiles({ kafka, schemaRegistry, connect, clickhouse }: Settings, report: Report): void {
  for (const [name, { tls: files }] of Object.entries({ kafka, schemaRegistry, connect, clickhouse })) {
    if (files === undefined) continue;
    const all: TlsFiles = { certificateFile: '', keyFile: '', keyPassphrase: '', ...files };
    for (const { key, message } of findTlsProblems(all)) report([name, 'tls', key], message);
  }
}

/** Connectors of Confluent Cloud need a login of their own kind. */
function letsManagedConnectorsLogIn({ connect, kafka }: Settings, report: Report): void {
  if (connect.confluentCloud?.serviceAccount === '' && kafka.sasl === undefined) {
    report(
      ['kafka', 'sasl'],
      'must be set, or connect.confluentCloud.serviceAccount: the connectors log in with it',
    );
  }
}

/** Replicas find each other by macros that every server of a cluster has; ON CLUSTER alone makes separate tables. */
function replicatesOnACluster(
  { clickhouse: { cluster = '', engines = 'local' } }: Settings,
  report: Report,
): void {
  if (cluster !== '' && engines !== 'replicated') {
    const message = `is ${engines}: tables that are created on a cluster have to be replicated`;
    report(['clickhouse', 'engines'], message);
  }
}

const rules = [
  encryptsCredentials,
  usesWhatIsSet,
  namesUsableTlsFiles,
  letsManagedConnectorsLogIn,
  replicatesOnACluster,
];

function isSafe(url: string): boolean {
  if (!URL.canParse(url)) return true;
  const { protocol, hostname } = new URL(url);
  return protocol === 'https:' || isLoopback(hostname);
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname);
}
