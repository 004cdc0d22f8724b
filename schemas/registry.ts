import { COMPATIBILITY, SchemaRegistry, SchemaType } from '@kafkajs/confluent-schema-registry';
import axios, { isAxiosError } from 'axios';
import { z } from 'zod';
import { InterruptedError, PipelineError, codeOf, isAbort, messageOf } from '../core/errors.ts';
import { parseWith } from '../core/parse.ts';
import { retry } from '../core/retry.ts';
import { httpsAgent, tlsFailure, type TlsFiles } from '../core/tls.ts';
import type { CatalogTopic, CompatibilityLevel } from './catalog.ts';

/** What the pipeline asks of a Confluent-compatible registry. Every call has a deadline and is retried twice. */
export interface Registry {
  /** Id of exactly this schema under its subject; undefined where it is not registered. */
  findId(topic: CatalogTopic): Promise<number | undefined>;
  /** The definition with this id, as it was registered; undefined where there is none. */
  findSchema(id: number): Promise<unknown>;
  /** Whether any version was ever registered under it. */
  hasSubject(subject: string): Promise<boolean>;
  /** Level set for the subject itself; undefined where none is. */
  compatibilityOf(subject: string): Promise<CompatibilityLevel | undefined>;
  setCompatibility(subject: string, level: CompatibilityLevel): Promise<void>;
  /** Whether the schema may follow the subject's versions, by its level; true where there are none. */
  isCompatible(topic: CatalogTopic): Promise<boolean>;
  /** Every version of the subject, newest first; none where it was never registered. */
  versionsOf(subject: string): Promise<RegisteredVersion[]>;
  /** @throws PipelineError `SCHEMA_REFUSED` whose message is the registry's reason */
  register(topic: CatalogTopic): Promise<number>;
}

/** A schema as it was registered. */
export interface RegisteredVersion {
  version: number;
  schema: string;
}

const requestTimeoutMs = 10_000;

/** Where a registry is, and how to log in to it. */
export interface RegistryEndpoint {
  /** Base of the Confluent-compatible API, without a trailing slash. */
  url: string;
  /** Basic authentication. */
  auth?: { username: string; password: string } | undefined;
  /** Default: the authorities that Node and the system trust. */
  tls?: TlsFiles | undefined;
}

export function createRegistry({ url, auth, tls }: RegistryEndpoint, signal?: AbortSignal): Registry {
  const login = auth === undefined ? {} : { auth };
  const agent = url.startsWith('https:') ? httpsAgent(tls) : undefined;
  // The library knows neither the level of a subject nor deadlines: those requests are made directly, and its
  // own requests get a deadline from a middleware. Retries are ours, in one place.
  const library = new SchemaRegistry({
    host: url,
    ...login,
    ...(agent === undefined ? {} : { agent }),
    retry: { retries: 0 },
    middlewares: [
      () => ({
        prepareRequest: async (next) => (await next()).enhance({ timeout: requestTimeoutMs }),
      }),
    ],
  });
  const http = axios.create({
    baseURL: url,
    ...login,
    ...(agent === undefined ? {} : { httpsAgent: agent }),
    timeout: requestTimeoutMs,
    headers: { 'Content-Type': 'application/vnd.schemaregistry.v1+json' },
  });
  const ask = async <T>(request: () => Promise<T>): Promise<T> =>
    retry(
      async () => {
        try {
          return await request();
        } catch (error) {
          throw registryError(url, error);
        }
      },
      { retries: 2, maxDelayMs: 1000, ...(signal === undefined ? {} : { signal }) },
    );
  const askUnlessMissing = async <T>(request: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await ask(request);
    } catch (error) {
      if (error instanceof PipelineError && error.code === 'REGISTRY_HAS_NONE') return undefined;
      throw error;
    }
  };
  const abort = signal === undefined ? {} : { signal };

  return {
    findId: async (topic) =>
      askUnlessMissing(async () => library.getRegistryIdBySchema(topic.subject, avroSchema(topic))),
    findSchema: async (id) =>
      askUnlessMissing(async () => {
        const { data } = await http.get<unknown>(`/schemas/ids/${String(id)}`, abort);
        return JSON.parse(
          parseWith(schemaAnswer, data, 'The registry answered something unexpected', url).schema,
        ) as unknown;
      }),
    hasSubject: async (subject) =>
      (await askUnlessMissing(async () =>
        http.get(`/subjects/${encodeURIComponent(subject)}/versions`, abort),
      )) !== undefined,
    compatibilityOf: async (subject) =>
      askUnlessMissing(async () => {
        const { data } = await http.get<unknown>(`/config/${encodeURIComponent(subject)}`, abort);
        return parseWith(configAnswer, data, 'The registry answered something unexpected', url)
          .compatibilityLevel as CompatibilityLevel;
      }),
    setCompatibility: async (subject, compatibility) =>
      ask(async () => {
        await http.put(`/config/${encodeURIComponent(subject)}`, { compatibility }, abort);
      }),
    isCompatible: async (topic) => {
      // Without a version all of them are compared that the subject's level asks for.
      const path = `/compatibility/subjects/${encodeURIComponent(topic.subject)}/versions`;
      const answer = await askUnlessMissing(async () => http.post<unknown>(path, avroSchema(topic), abort));
      if (answer === undefined) return true;
      const what = 'The registry answered something unexpected';
      return parseWith(compatibilityAnswer, answer.data, what, url).is_compatible;
    },
    versionsOf: async (subject) => {
      const path = `/subjects/${encodeURIComponent(subject)}/versions`;
      const what = 'The registry answered something unexpected';
      const list = await askUnlessMissing(async () => http.get<unknown>(path, abort));
      if (list === undefined) return [];
      const versions: RegisteredVersion[] = [];
      for (const version of parseWith(versionsAnswer, list.data, what, url).sort((a, b) => b - a)) {
        const { data } = await ask(async () => http.get<unknown>(`${path}/${version}`, abort));
        versions.push({ version, schema: parseWith(versionAnswer, data, what, url).schema });
      }
      return versions;
    },
    register: async (topic) =>
      ask(async () => {
        const { id } = await library.register(avroSchema(topic), {
          subject: topic.subject,
          compatibility: COMPATIBILITY[topic.compatibility],
        });
        return id;
      }),
  };
}

const schemaAnswer = z.object({ schema: z.string() });
const configAnswer = z.object({ compatibilityLevel: z.string() });
const versionsAnswer = z.array(z.int());
const versionAnswer = z.object({ schema: z.string() });
const compatibilityAnswer = z.object({ is_compatible: z.boolean() });

function avroSchema(topic: CatalogTopic) {
  return { type: SchemaType.AVRO as const, schema: JSON.stringify(topic.definition) };
}

/** What axios or the library threw as an error that says what happened and whether to try again. */
function registryError(url: string, error: unknown): PipelineError {
  if (error instanceof PipelineError) return error;
  if (isAbort(error) || (isAxiosError(error) && error.code === 'ERR_CANCELED')) return new InterruptedError();
  const { status, reason } = answerOf(error);
  const untrusted =
    status === undefined ? tlsFailure(Object.assign(new Error(reason), { code: codeOf(error) })) : undefined;
  if (untrusted !== undefined) {
    return new PipelineError('REGISTRY_TLS', {
      what: `The encrypted connection to the schema registry failed: ${untrusted}`,
      where: url,
      todo: 'Correct SCHEMA_REGISTRY_URL, or SCHEMA_REGISTRY_CA_FILE, which names the authority to trust.',
      cause: error,
    });
  }
  if (status === 401 || status === 403) {
    return new PipelineError('REGISTRY_FORBIDDEN', {
      what: `The schema registry refused the login (${status}): ${reason}`,
      where: url,
      todo: 'Correct the user name and the password, or the API key, or grant it what it lacks.',
      cause: error,
    });
  }
  if (status === undefined) {
    return new PipelineError('REGISTRY_UNREACHABLE', {
      what: `The schema registry does not answer (${codeOf(error) ?? reason})`,
      where: url,
      todo: 'Start it (npm run up), or correct SCHEMA_REGISTRY_URL.',
      retryable: true,
      cause: error,
    });
  }
  if (status === 404) {
    return new PipelineError('REGISTRY_HAS_NONE', { what: reason, where: url, cause: error });
  }
  if (status === 409) {
    return new PipelineError('SCHEMA_REFUSED', { what: reason, where: url, cause: error });
  }
  return new PipelineError('REGISTRY_ERROR', {
    what: `The schema registry answered ${status}: ${reason}`,
    where: url,
    retryable: status >= 500,
    cause: error,
  });
}

/** Status and message of the registry's answer; no status where there was no answer. */
function answerOf(error: unknown): { status: number | undefined; reason: string } {
  if (isAxiosError<{ message?: unknown } | undefined>(error)) {
    const said = error.response?.data?.message;
    return { status: error.response?.status, reason: typeof said === 'string' ? plain(said) : error.message };
  }
  const reason = plain(messageOf(error));
  const status = libraryStatusOf(error);
  // The library's HTTP client reports a broken connection or a timeout as a 400 that quotes the error.
  const broken =
    status === 400 &&
    (/ECONN|ENOTFOUND|EPIPE|socket hang up|timeout/i.test(reason) || tlsFailure(error) !== undefined);
  return { status: broken ? undefined : status, reason };
}

function libraryStatusOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  if ('status' in error && typeof error.status === 'number') return error.status;
  // A lookup that found nothing is thrown as an error around the answer.
  if (error instanceof Error && error.name === 'ConfluentSchemaRegistryError') return 404;
  return undefined;
}

/** The registry's message without the client's name in front and without its Java class. */
function plain(message: string): string {
  return message.replace(/^Confluent_Schema_Registry - /, '').replace(/^([a-z]+\.)+[A-Za-z]+: /, '');
}
