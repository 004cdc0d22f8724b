import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { OpenAPIBackend, type Operation } from 'openapi-backend';
import { z } from 'zod';
import { createManagedConnectors, type Handler, type Reply } from './managed-connectors.ts';
import { expansionsPath, expansionsQuery, readDocument } from './openapi-document.ts';

export interface ConformingServer {
  url: string;
  /** Everything a request or a response had against the document, one line each. Has to stay empty. */
  violations: string[];
  /** Requests that the document does not know, as `METHOD path`; they are answered with 404. */
  undocumented: string[];
  /** Operations in the order they came, by the document's names. */
  operations: string[];
  close: () => void;
}

/** What the server accepts. */
export const cloudLogin = {
  environment: 'env-t1',
  cluster: 'lkc-t1',
  apiKey: 'CLOUDKEY',
  apiSecret: 'cloud+s3cret/',
};

/**
 * A Confluent Cloud that is made up, but whose every request and response is checked against the document that
 * Confluent publishes. A request that does not conform gets a 500 and is noted.
 */
export async function startConformingServer(document: string): Promise<ConformingServer> {
  // "quick" skips judging the document itself, which has one $ref with a sibling where OpenAPI allows none.
  const api = new OpenAPIBackend({
    definition: readDocument(document),
    quick: true,
    ajvOpts: { strict: false },
    customizeAjv: (ajv) => {
      ajv.addFormat('date-time', (text: string) => z.iso.datetime({ offset: true }).safeParse(text).success);
      return ajv;
    },
  });
  await api.init();
  const handlers = createManagedConnectors(cloudLogin);
  const violations: string[] = [];
  const undocumented: string[] = [];
  const operations: string[] = [];
  const server = createServer((request, response) => {
    void answer(request).then((reply) => {
      send(response, reply);
    });
  });

  const answer = async (request: IncomingMessage): Promise<Reply> => {
    const { method = '', url = '' } = request;
    const text = await textOf(request);
    const at = url.replace(expansionsQuery, expansionsPath);
    const body: unknown = text === '' ? undefined : JSON.parse(text);
    const asked = { method: method.toLowerCase(), path: at, headers: {}, body, query: {} };
    const operation = api.matchOperation(asked);
    if (operation === undefined) {
      undocumented.push(`${method} ${url}`);
      return { status: 404, body: { errors: [{ status: '404', detail: 'no such address' }] } };
    }
    const name = operation.operationId ?? '';
    operations.push(name);
    const { errors } = api.validateRequest(asked, operation);
    if (errors) {
      violations.push(
        ...errors.map((error) => `request ${name}${error.instancePath} ${error.message ?? ''}`),
      );
      return { status: 500, body: { error: { code: 500, message: 'the request does not conform' } } };
    }
    const handler: Handler | undefined = handlers[name];
    if (handler === undefined) throw new Error(`the server does not know ${name}`);
    const params = api.router.parseRequest(asked, operation).params as Record<string, string>;
    const reply = handler({
      authorization: request.headers.authorization,
      params,
      body,
    });
    check(operation, reply);
    return reply;
  };

  const check = (operation: Operation, { status, body }: Reply) => {
    const name = `response ${String(status)} of ${operation.operationId ?? ''}`;
    const documented = operation.responses?.[String(status)];
    if (documented === undefined) violations.push(`${name} is not documented`);
    const schema = documented !== undefined && 'content' in documented;
    const { errors } = schema ? api.validateResponse(body, operation, status) : { errors: null };
    violations.push(...(errors ?? []).map((error) => `${name}${error.instancePath} ${error.message ?? ''}`));
  };

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    violations,
    undocumented,
    operations,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

function send(response: ServerResponse, { status, body }: Reply): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(body === undefined ? '' : JSON.stringify(body));
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text;
}
