import axios, { type AxiosInstance, type AxiosResponse } from 'axios';
import { z } from 'zod';
import { InterruptedError, PipelineError, codeOf, type Problem } from '../core/errors.ts';
import { parseWith } from '../core/parse.ts';
import { retry } from '../core/retry.ts';
import {
  runStates,
  type ConnectorPlugin,
  type ConnectorService,
  type LiveConnector,
} from './connector-service.ts';
import { diffConfig } from './plan.ts';
import { createMask, secretValues, type Mask } from './secrets.ts';

export interface ConnectClientOptions {
  /** Base address of the worker, or of any worker of the cluster. */
  url: string;
  /** For one request. Writes were seen to block for 12.8 s during a rebalance; default 30,000. */
  timeoutMs?: number;
  /** Attempts after the first where the worker says "not now". Default 8, about half a minute with the pauses. */
  retries?: number;
}

const state = z.enum(runStates);
const statusSchema = z.object({
  connector: z.object({ state, trace: z.string().nullish() }),
  tasks: z.array(
    z.object({ id: z.int(), state, worker_id: z.string().default(''), trace: z.string().nullish() }),
  ),
});
const infoSchema = z.object({ config: z.record(z.string(), z.string().nullable()) });
const infosSchema = z.record(z.string(), z.object({ info: infoSchema }));
const statusesSchema = z.record(z.string(), z.object({ status: statusSchema }));
const pluginsSchema = z.array(z.object({ class: z.string(), version: z.string().nullish() }));
const validationSchema = z.object({
  configs: z.array(z.object({ value: z.object({ name: z.string(), errors: z.array(z.string()) }) })),
});
const errorSchema = z.object({ message: z.string() });

interface Request {
  method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  path: string;
  body?: unknown;
  /** What is being done, as in "Cannot <purpose>". */
  purpose: string;
  /** Hides what must not be repeated from an error the server words. */
  mask?: Mask;
}

interface Answer {
  status: number;
  body: unknown;
}

/** The client for Kafka Connect's REST API. */
export function createConnectClient({
  url,
  timeoutMs = 30_000,
  retries = 8,
}: ConnectClientOptions): ConnectorService {
  const address = url.replace(/\/+$/, '');
  const http = axios.create({
    baseURL: address,
    timeout: timeoutMs,
    // What comes back is judged below: a redirect, an error or a page of HTML is an answer like any other.
    validateStatus: () => true,
    maxRedirects: 0,
    responseType: 'text',
    transformResponse: (text: unknown) => text,
    maxContentLength: 64 * 1024 * 1024,
    // A POST without a body would otherwise go out as a form, which Connect refuses with 415.
    headers: { Accept: 'application/json', 'Content-Type': 'application/json' },
  });

  const send = (request: Request, signal?: AbortSignal) =>
    retry(() => sendOnce(http, address, request, signal), {
      retries,
      ...(signal === undefined ? {} : { signal }),
    });

  const read: ConnectorService['read'] = async (name, signal) => {
    const path = pathOf(name);
    const purpose = `read the connector ${name}`;
    const config = await send({ method: 'GET', path: `${path}/config`, purpose }, signal);
    if (config.status === 404) return undefined;
    const status = await send({ method: 'GET', path: `${path}/status`, purpose }, signal);
    return toLive(
      name,
      parseWith(infoSchema, { config: config.body }, unexpected, `${address}${path}/config`).config,
      status.status === 404
        ? undefined
        : parseWith(statusSchema, status.body, unexpected, `${address}${path}/status`),
    );
  };

  return {
    address,
    read,

    async plugins(signal) {
      const path = '/connector-plugins';
      const { body } = await send({ method: 'GET', path, purpose: "list the worker's plugins" }, signal);
      return parseWith(pluginsSchema, body, unexpected, address + path).map((plugin): ConnectorPlugin => {
        return { class: plugin.class, version: plugin.version ?? null };
      });
    },

    async list(signal) {
      // Asked for both at once, the worker leaves out every connector that has no status yet, and a plan would
      // create it again (ConnectorsResource.listConnectors skips what throws NotFoundException).
      const expand = async <S extends z.ZodType>(what: string, schema: S) => {
        const path = `/connectors?expand=${what}`;
        const { body } = await send({ method: 'GET', path, purpose: 'list the connectors' }, signal);
        return parseWith(schema, body, unexpected, address + path);
      };
      const [infos, statuses] = await Promise.all([
        expand('info', infosSchema),
        expand('status', statusesSchema),
      ]);
      return new Map(
        Object.entries(infos).map(([name, { info }]) => [
          name,
          toLive(name, info.config, statuses[name]?.status),
        ]),
      );
    },

    async validate({ name, config, secretKeys }, signal) {
      const path = `/connector-plugins/${encodeURIComponent(config['connector.class'] ?? '')}/config/validate`;
      const request: Request = {
        method: 'PUT',
        path,
        body: { ...config, name },
        purpose: `validate the connector ${name}`,
        mask: createMask(secretValues(config, secretKeys)),
      };
      const { body } = await send(request, signal);
      return parseWith(validationSchema, body, unexpected, address + path).configs.flatMap(({ value }) =>
        // One mistake has a second error in its wake: "null: must be non-null", as nothing could be parsed.
        value.errors.slice(0, 1).map((message): Problem => {
          return { path: `${name}.config.${value.name}`, message: request.mask?.(message) ?? message };
        }),
      );
    },

    async put({ name, config, secretKeys }, signal) {
      const request: Request = {
        method: 'PUT',
        path: `${pathOf(name)}/config`,
        body: config,
        purpose: `write the connector ${name}`,
        mask: createMask(secretValues(config, secretKeys)),
      };
      await retry(
        async () => {
          try {
            await sendOnce(http, address, request, signal);
          } catch (error) {
            // A 500 or a broken connection does not say whether the write took effect: look.
            const ambiguous = error instanceof PipelineError && ambiguousCodes.has(error.code);
            if (!ambiguous) throw error;
            const live = await read(name, signal);
            if (live === undefined || diffConfig(live.config, config, new Set()).length > 0) throw error;
          }
        },
        { retries, ...(signal === undefined ? {} : { signal }) },
      );
    },

    async restartFailed(name, signal) {
      const path = `${pathOf(name)}/restart?includeTasks=true&onlyFailed=true`;
      await send({ method: 'POST', path, purpose: `restart the connector ${name}` }, signal);
    },

    async delete(name, signal) {
      await send({ method: 'DELETE', path: pathOf(name), purpose: `delete the connector ${name}` }, signal);
    },
  };
}

const unexpected = 'Kafka Connect answered in a form this client does not know';
const ambiguousCodes: ReadonlySet<string> = new Set([
  'CONNECT_FAILED',
  'CONNECT_NO_ANSWER',
  'CONNECT_TIMED_OUT',
]);
/** Connect words a refusal with the whole list of errors; more than this helps nobody. */
const longestMessage = 400;

function pathOf(name: string): string {
  return `/connectors/${encodeURIComponent(name)}`;
}

/** One request. Returns 2xx and a JSON 404; throws for everything else, saying whether it may be repeated. */
async function sendOnce(
  http: AxiosInstance,
  address: string,
  request: Request,
  signal: AbortSignal | undefined,
): Promise<Answer> {
  let response: AxiosResponse<string>;
  try {
    response = await http.request<string>({
      method: request.method,
      url: request.path,
      ...(request.body === undefined ? {} : { data: request.body }),
      ...(signal === undefined ? {} : { signal }),
    });
  } catch (error) {
    if (signal?.aborted) throw new InterruptedError();
    throw noAnswer(error, address, request);
  }
  const { status } = response;
  const body = parseJson(response.data);
  if (body === undefined && !(status === 204 || (status < 300 && response.data === ''))) {
    throw notConnect(response, address);
  }
  if (status < 300) return { status, body };
  if (status === 404 && request.method !== 'PUT' && request.method !== 'POST') return { status, body };
  throw refused(status, body, address, request);
}

/** `undefined` for what is not JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function noAnswer(error: unknown, address: string, { purpose }: Request): PipelineError {
  const code = codeOf(error);
  // The error of the HTTP library carries the request with the secrets in its body: it must not travel further.
  if (code === 'ECONNREFUSED' || code === 'ENOTFOUND') {
    return new PipelineError('CONNECT_UNREACHABLE', {
      what: `Cannot ${purpose}: Kafka Connect does not answer (${code})`,
      where: address,
      todo: 'Start it (embedded: npm run up), or correct CONNECT_URL.',
    });
  }
  if (code === 'ECONNABORTED' || code === 'ETIMEDOUT') {
    return new PipelineError('CONNECT_TIMED_OUT', {
      what: `Cannot ${purpose}: Kafka Connect did not answer in time`,
      where: address,
      todo: 'Look at the worker (npm run logs -- connect): it may be rebalancing or out of memory.',
    });
  }
  return new PipelineError('CONNECT_NO_ANSWER', {
    what: `Cannot ${purpose}: the connection to Kafka Connect broke (${code ?? 'no code'})`,
    where: address,
    todo: 'Look at the worker (npm run logs -- connect), then run the command again.',
    retryable: true,
  });
}

function notConnect({ status, headers }: AxiosResponse, address: string): PipelineError {
  const type = String(headers['content-type'] ?? 'no content type').split(';', 1)[0] ?? '';
  return new PipelineError('CONNECT_NOT_JSON', {
    what: `This is not Kafka Connect's REST API: it answered ${String(status)} with ${type}`,
    where: address,
    todo: 'Correct CONNECT_URL. A worker that has just been started may need some seconds more.',
    // A starting worker serves the web server's own pages for about two seconds before its resources exist.
    retryable: status === 404 || status >= 500,
  });
}

function refused(status: number, body: unknown, address: string, request: Request): PipelineError {
  const message = errorSchema.safeParse(body).data?.message ?? `HTTP ${String(status)}`;
  // Connect words an invalid configuration in three paragraphs; the last one points to another endpoint.
  const worded = message.split('You can also find the above list')[0] ?? message;
  const said = (request.mask?.(worded) ?? worded).replaceAll(/\s+/g, ' ').trim().slice(0, longestMessage);
  const what = `Cannot ${request.purpose}: ${said}`;
  const where = address;
  if (status === 401 || status === 403) {
    return new PipelineError('CONNECT_FORBIDDEN', {
      what,
      where,
      todo: 'Check the credentials of the target.',
    });
  }
  if (status === 409) {
    // "already exists" is the one conflict that waiting does not settle; the rest is a rebalance.
    return new PipelineError('CONNECT_REBALANCING', {
      what,
      where,
      todo: 'The workers are rebalancing: run the command again in a moment.',
      retryable: !message.includes('already exists'),
    });
  }
  if (status === 400 || status === 422) {
    return new PipelineError('CONNECT_REJECTED', { what, where, todo: 'Correct the declaration.' });
  }
  return new PipelineError('CONNECT_FAILED', {
    what,
    where,
    todo: 'Look at the worker (npm run logs -- connect), then run the command again.',
    retryable: status === 429 || status >= 500,
  });
}

function toLive(
  name: string,
  config: Record<string, string | null>,
  status: z.infer<typeof statusSchema> | undefined,
): LiveConnector {
  const entries = Object.entries(config).filter(
    // Connect puts the connector's name into the configuration it gives back.
    (entry): entry is [string, string] => entry[0] !== 'name' && entry[1] !== null,
  );
  return {
    name,
    config: Object.fromEntries(entries),
    state: status?.connector.state ?? null,
    trace: status?.connector.trace ?? null,
    tasks: (status?.tasks ?? []).map((task) => ({
      id: task.id,
      state: task.state,
      workerId: task.worker_id,
      trace: task.trace ?? null,
    })),
  };
}
