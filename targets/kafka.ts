import { compressFrameSync, decompressFrameSync } from 'lz4-napi';
import type { Admin, Kafka, KafkaConfig, RetryOptions, SASLOptions } from 'kafkajs';
import { InterruptedError, PipelineError, codeOf, isAbort, messageOf } from '../core/errors.ts';
import { kafkajs } from '../core/kafkajs/kafkajs.ts';
import { tlsFailure, tlsOptions } from '../core/tls.ts';
import type { Target } from './load-target.ts';

export interface KafkaOptions {
  /** Names the client in the broker's logs and metrics. */
  clientId: string;
  /** Default 3000: the embedded broker answers in milliseconds, a remote one within a second. */
  connectionTimeoutMs?: number;
  /** Default 30000, Kafka's own default. */
  requestTimeoutMs?: number;
  /** Of connecting and of administrative requests. Default: three more attempts, 200 to 1000 ms apart. */
  retry?: RetryOptions;
}

// kafkajs knows the codec's number and leaves the codec to its user. The registry is one for the whole process.
kafkajs.CompressionCodecs[kafkajs.CompressionTypes.LZ4] = () => ({
  compress: async (records: { buffer: Buffer }) => Promise.resolve(compressFrameSync(records.buffer)),
  decompress: async (compressed: Buffer) => Promise.resolve(decompressFrameSync(compressed)),
});

/**
 * The one place that builds a Kafka client: bounded timeouts and retries, and nothing written to the console.
 * What it throws is kafkajs's own; {@link kafkaError} turns that into an error a person can act on.
 */
export function createKafka(target: Pick<Target, 'kafka'>, options: KafkaOptions): Kafka {
  const { sasl, securityProtocol = 'PLAINTEXT', tls } = target.kafka;
  const config: KafkaConfig = {
    ...(securityProtocol.endsWith('SSL') ? { ssl: tlsOptions(tls) } : {}),
    ...(securityProtocol.startsWith('SASL_') && sasl !== undefined ? { sasl: loginOf(sasl) } : {}),
    clientId: options.clientId,
    brokers: target.kafka.brokers,
    connectionTimeout: options.connectionTimeoutMs ?? 3000,
    requestTimeout: options.requestTimeoutMs ?? 30_000,
    // Without it kafkajs keeps a request open for ever on a connection that went silent.
    enforceRequestTimeout: true,
    retry: options.retry ?? { initialRetryTime: 200, maxRetryTime: 1000, retries: 3 },
    logLevel: kafkajs.logLevel.NOTHING,
    logCreator: () => () => undefined,
  };
  return new kafkajs.Kafka(config);
}

function loginOf({ mechanism, username, password }: NonNullable<Target['kafka']['sasl']>): SASLOptions {
  const names = {
    PLAIN: 'plain',
    'SCRAM-SHA-256': 'scram-sha-256',
    'SCRAM-SHA-512': 'scram-sha-512',
  } as const;
  return { mechanism: names[mechanism], username, password };
}

/**
 * Connects an administrative client, runs `work` and disconnects, whatever happens.
 *
 * @throws PipelineError `KAFKA_UNREACHABLE`, `KAFKA_TLS`, `KAFKA_AUTHENTICATION`, `KAFKA_FORBIDDEN` or `KAFKA_ERROR`,
 *   and whatever `work` throws of its own
 */
export async function withKafkaAdmin<T>(
  target: Target,
  options: KafkaOptions,
  work: (admin: Admin) => Promise<T>,
): Promise<T> {
  const admin = createKafka(target, options).admin();
  try {
    await admin.connect();
    return await work(admin);
  } catch (error) {
    throw kafkaError(target, error);
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}

/** Names of the errors that mean "no broker answered", as opposed to "the broker refused". */
const unreachable = new Set([
  'KafkaJSConnectionError',
  'KafkaJSConnectionClosedError',
  'KafkaJSRequestTimeoutError',
  'KafkaJSBrokerNotFound',
  'KafkaJSMetadataNotLoaded',
]);

/** What kafkajs threw as a {@link PipelineError}; an error that already is one is returned as it is. */
export function kafkaError(target: Target, error: unknown): PipelineError {
  if (error instanceof PipelineError) return error;
  if (isAbort(error)) return new InterruptedError();
  const chain = causesOf(error);
  const broker = target.kafka.brokers.join(', ');
  return (
    refusal(target, chain, broker) ??
    (isUnreachable(error) ? noAnswer(target, error, broker) : otherError(chain, error, broker))
  );
}

function noAnswer(target: Target, error: unknown, where: string): PipelineError {
  const { securityProtocol = 'PLAINTEXT' } = target.kafka;
  return new PipelineError('KAFKA_UNREACHABLE', {
    what: 'Kafka does not answer',
    where,
    // A broker that expects TLS takes plain text for a broken handshake and hangs up without a word.
    todo:
      target.name === 'embedded'
        ? 'Start it (npm run up), or correct KAFKA_BROKERS or targets/embedded.yaml.'
        : `Start it, or correct KAFKA_BROKERS; ${securityProtocol} (KAFKA_SECURITY_PROTOCOL) has to be what it speaks there.`,
    retryable: true,
    cause: error,
  });
}

/** What a broker, or the certificate it shows, says about who may talk to whom. Trying again changes nothing. */
function refusal(target: Target, chain: readonly unknown[], where: string): PipelineError | undefined {
  const broken = chain.map(tlsFailure).find((failure) => failure !== undefined);
  if (broken !== undefined) {
    return new PipelineError('KAFKA_TLS', {
      what: `The encrypted connection to Kafka failed: ${broken}`,
      where,
      todo: 'Correct KAFKA_SECURITY_PROTOCOL, the port, or KAFKA_CA_FILE, which names the authority to trust.',
      cause: chain[0],
    });
  }
  if (chain.some((cause) => cause instanceof Error && cause.name.startsWith('KafkaJSSASL'))) {
    const user = target.kafka.sasl?.username ?? '';
    return new PipelineError('KAFKA_AUTHENTICATION', {
      what: `Kafka refused to log in the user "${user}"`,
      where,
      todo: 'Correct the user name, the password or the mechanism (KAFKA_SASL_MECHANISM), or create the user.',
      cause: chain[0],
    });
  }
  const forbidden = chain.find(
    (cause) => cause instanceof kafkajs.KafkaJSProtocolError && cause.type.endsWith('AUTHORIZATION_FAILED'),
  );
  if (forbidden === undefined) return undefined;
  return new PipelineError('KAFKA_FORBIDDEN', {
    what: `Kafka refused: ${messageOf(forbidden)}`,
    where,
    todo: 'Grant the user what it lacks (an ACL), or log in as another one.',
    cause: chain[0],
  });
}

function otherError(chain: readonly unknown[], error: unknown, broker: string): PipelineError {
  return new PipelineError('KAFKA_ERROR', {
    what: `Kafka refused: ${messageOf(chain.at(-1) ?? error)}`,
    where: broker,
    // "Not the leader" and the like: the broker is still electing after a start or a new topic.
    retryable: chain.some((cause) => cause instanceof kafkajs.KafkaJSProtocolError && cause.retriable),
    cause: error,
  });
}

/** Whether no broker answered, as far as any of the error's causes says. */
export function isUnreachable(error: unknown): boolean {
  return causesOf(error).some(saysUnreachable);
}

function saysUnreachable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = codeOf(error);
  return (
    unreachable.has(error.name) || code === 'ECONNREFUSED' || code === 'ENOTFOUND' || code === 'ETIMEDOUT'
  );
}

/** `error` and everything below it: kafkajs wraps the cause once more for each layer of retries. */
function causesOf(error: unknown): unknown[] {
  const chain: unknown[] = [];
  for (let next: unknown = error; next !== undefined && !chain.includes(next);) {
    chain.push(next);
    if (!(next instanceof Error)) break;
    // createTopics and createPartitions answer with one error for each topic.
    next = 'errors' in next && Array.isArray(next.errors) ? (next.errors as unknown[])[0] : next.cause;
  }
  return chain;
}
