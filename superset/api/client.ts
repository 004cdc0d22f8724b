import { z } from 'zod';
import { InterruptedError, PipelineError, messageOf } from '../../core/errors.ts';

export interface SupersetAccess {
  /** Base address, without a trailing slash. */
  url: string;
  /** An access token, or a login that gets one. */
  login: { token: string } | { user: string; password: string };
}

export interface SupersetOptions {
  signal?: AbortSignal;
  /** Of one request. Default 120000: an import writes some hundred rows. */
  timeoutMs?: number;
}

/** Superset's REST API, logged in. Every failure is a {@link PipelineError}. */
export interface Superset {
  readonly url: string;
  get(path: string): Promise<unknown>;
  send(method: 'POST' | 'PUT' | 'DELETE', path: string, body?: unknown): Promise<unknown>;
  /** Posts a form, as uploads are. */
  upload(path: string, form: FormData): Promise<unknown>;
  /** All rows of a list, over its pages. */
  list<S extends z.ZodType>(path: string, row: S, columns: readonly string[]): Promise<z.infer<S>[]>;
}

const pageSize = 100;

/**
 * Logs in.
 *
 * @throws PipelineError `SUPERSET_UNREACHABLE` (retryable), `SUPERSET_LOGIN`, `SUPERSET_REFUSED`, which requests throw, too
 */
export async function connectSuperset(
  access: SupersetAccess,
  options: SupersetOptions = {},
): Promise<Superset> {
  const { url } = access;
  const headers: Record<string, string> = {};
  const request = async (method: string, path: string, body?: unknown) => {
    const isForm = body instanceof FormData;
    const response = await fetchText(`${url}${path}`, options, {
      method,
      headers: {
        ...headers,
        ...(body === undefined || isForm ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: isForm ? body : JSON.stringify(body) }),
    });
    if (response.status >= 400) throw refusal(url, method, path, response);
    return response;
  };
  const json = async (method: string, path: string, body?: unknown) =>
    parseAnswer(url, path, (await request(method, path, body)).text);

  const token = 'token' in access.login ? access.login.token : await logIn(json, access.login);
  headers['authorization'] = `Bearer ${token}`;
  // Superset asks for both, also of those who come with a token and not with a cookie.
  const csrf = await request('GET', '/api/v1/security/csrf_token/');
  headers['x-csrftoken'] = z
    .object({ result: z.string() })
    .parse(parseAnswer(url, 'csrf_token', csrf.text)).result;
  headers['cookie'] = csrf.cookies.join('; ');
  headers['referer'] = url;

  return {
    url,
    get: (path) => json('GET', path),
    send: (method, path, body) => json(method, path, body),
    upload: (path, form) => json('POST', path, form),
    list: async (path, row, columns) => {
      const rows: unknown[] = [];
      for (let page = 0; ; page += 1) {
        const query = `(columns:!(${columns.join(',')}),page:${String(page)},page_size:${String(pageSize)})`;
        const answer = await json('GET', `${path}?q=${encodeURIComponent(query)}`);
        const { count, result } = z.object({ count: z.int(), result: z.array(z.unknown()) }).parse(answer);
        rows.push(...result);
        if (rows.length >= count || result.length === 0) return z.array(row).parse(rows);
      }
    },
  };
}

async function logIn(
  json: (method: string, path: string, body: unknown) => Promise<unknown>,
  { user, password }: { user: string; password: string },
): Promise<string> {
  const body = { username: user, password, provider: 'db', refresh: false };
  const answer = await json('POST', '/api/v1/security/login', body);
  return z.object({ access_token: z.string() }).parse(answer).access_token;
}

interface Answer {
  status: number;
  text: string;
  cookies: string[];
}

async function fetchText(
  url: string,
  { signal, timeoutMs = 120_000 }: SupersetOptions,
  init: RequestInit,
): Promise<Answer> {
  const deadline = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(url, {
      ...init,
      // A redirect is one to a login page.
      redirect: 'manual',
      signal: signal === undefined ? deadline : AbortSignal.any([signal, deadline]),
    });
    const cookies = response.headers.getSetCookie().map((cookie) => cookie.split(';', 1)[0] ?? '');
    return { status: response.status, text: await response.text(), cookies };
  } catch (error) {
    if (signal?.aborted) throw new InterruptedError();
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    throw new PipelineError('SUPERSET_UNREACHABLE', {
      what: `Superset does not answer: ${messageOf(cause) || 'the connection was refused'}`,
      where: new URL(url).origin,
      todo: 'Start it with "npm run dashboards:up", or set SUPERSET_URL to another one.',
      retryable: true,
      cause: error,
    });
  }
}

function parseAnswer(url: string, path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new PipelineError('SUPERSET_REFUSED', {
      what: `What answers at ${path} is not Superset's API`,
      where: url,
      todo: 'Set SUPERSET_URL to the address of Superset, without a path.',
      cause,
    });
  }
}

function refusal(url: string, method: string, path: string, { status, text }: Answer): PipelineError {
  if (status === 401) {
    return new PipelineError('SUPERSET_LOGIN', {
      what: 'Superset does not accept the login',
      where: url,
      todo: 'Set SUPERSET_TOKEN, or SUPERSET_USER and SUPERSET_PASSWORD; for the Superset of dashboards:up, none of them.',
    });
  }
  return new PipelineError('SUPERSET_REFUSED', {
    what: `Superset refused ${method} ${path} (${String(status)}): ${reasonIn(text)}`,
    where: url,
    ...(status === 403 ? { todo: 'The login needs the rights of an admin.' } : {}),
    retryable: status >= 500,
  });
}

/** What Superset says of a refusal, in one line; it nests messages by file and field. */
function reasonIn(text: string): string {
  const messages: string[] = [];
  const collect = (value: unknown, path: string): void => {
    if (typeof value === 'string') messages.push(path === '' ? value : `${path}: ${value}`);
    else if (Array.isArray(value)) for (const one of value) collect(one, path);
    else if (typeof value === 'object' && value !== null) {
      for (const [key, one] of Object.entries(value)) {
        if (['issue_codes', 'level', 'error_type', 'code'].includes(key)) continue;
        const isWrapper = ['message', 'errors', 'extra', 'error', 'msg'].includes(key);
        collect(one, isWrapper ? path : path === '' ? key : `${path}.${key}`);
      }
    }
  };
  try {
    collect(JSON.parse(text), '');
  } catch {
    return (
      text
        .replace(/<[^>]*>/g, ' ')
        .replace(/\s+/g, ' ')
        .trim()
        .slice(0, 200) || 'without a reason'
    );
  }
  return messages.slice(0, 5).join('; ') || 'without a reason';
}
