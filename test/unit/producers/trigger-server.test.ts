import { request } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { InterruptedError, PipelineError } from '../../../core/errors.ts';
import { waitFor } from '../../../core/wait.ts';
import { ProduceFailedError, type ProduceResult } from '../../../producers/runs/run.ts';
import {
  checkToken,
  startTriggerServer,
  type TriggerServer,
} from '../../../producers/runs/orchestrate/trigger-server.ts';
import { Batches, type Batch, type RunBatch } from '../../../producers/runs/orchestrate/trigger.ts';

const token = 'correct-horse-battery';
let server: TriggerServer | undefined;
afterEach(async () => server?.close());

describe('the trigger server', () => {
  it('starts a batch and tells how it goes', async () => {
    const { runBatch, finish, progress } = batchByHand();
    await serve(runBatch);
    const started = await post({ events: 500, rate: 250 });
    expect(started.status).toBe(202);
    const location = started.headers.get('location')!;
    expect(location).toBe(`/batches/${started.body['id'] as string}`);
    progress({ 'billing.payments': 100 });
    expect((await get(location)).body).toMatchObject({
      state: 'running',
      events: 500,
      rate: 250,
      endedAt: null,
      acknowledged: { 'billing.payments': 100 },
      total: 100,
    });
    finish({ 'billing.payments': 500 });
    expect(await ended(location)).toMatchObject({ state: 'completed', total: 500, failure: null });
  });

  it('takes the rate it was started with where a batch names none', async () => {
    const { runBatch, finish } = batchByHand();
    await serve(runBatch);
    expect((await post({ events: 1 })).body).toMatchObject({ rate: 100 });
    finish({});
  });

  it('lets nobody in without the token, and says nothing about what is there', async () => {
    await serve(batchByHand().runBatch);
    for (const authorization of [
      undefined,
      'Bearer',
      'Bearer wrong-token-wrong-token',
      `Basic ${token}`,
      token,
    ]) {
      const headers = authorization === undefined ? {} : { authorization };
      for (const path of ['/batches', '/batches/some-id']) {
        const answer = await fetch(`${server!.url}${path}`, {
          method: 'POST',
          headers,
          body: 'not even JSON',
        });
        expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
      }
    }
  });

  it('answers health checks without a token', async () => {
    await serve(batchByHand().runBatch);
    const answer = await fetch(`${server!.url}/healthz`);
    expect([answer.status, await answer.json()]).toEqual([200, { status: 'ok' }]);
  });

  it.each([
    ['no JSON', '{"events": ', 400, 'not JSON'],
    ['an empty body', '', 400, 'not JSON'],
    ['no number of events', '{}', 400, 'events'],
    ['too many events', '{"events": 1000001}', 400, 'events'],
    ['part of an event', '{"events": 1.5}', 400, 'events'],
    ['a negative rate', '{"events": 10, "rate": -1}', 400, 'rate'],
    ['a batch of more than a day', '{"events": 1000000, "rate": 1}', 400, 'more than a day'],
    ['an unknown key', '{"events": 10, "topic": "x"}', 400, 'topic: unknown key'],
    ['a large body', `{"events": 10, "x": "${'x'.repeat(10_000)}"}`, 413, 'larger than'],
  ])('refuses %s', async (_, body, status, message) => {
    await serve(batchByHand().runBatch);
    const answer = await call('POST', '/batches', body);
    expect(answer.status).toBe(status);
    expect(errorOf(answer)).toContain(message);
  });

  it('refuses a body that does not say that it is JSON', async () => {
    await serve(batchByHand().runBatch);
    expect((await call('POST', '/batches', '{"events": 1}', 'text/plain')).status).toBe(415);
  });

  it('answers 404 for what is not there and 405 for what cannot be done', async () => {
    await serve(batchByHand().runBatch);
    for (const path of ['/', '/nothing', '/batches/unknown', '/batches/a/b', '/batches/']) {
      expect((await get(path)).status, path).toBe(404);
    }
    const wrong = await get('/batches');
    expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'POST']);
    expect((await call('DELETE', '/batches/some-id')).status).toBe(405);
  });

  it('runs one batch at a time', async () => {
    const { runBatch, finish } = batchByHand();
    await serve(runBatch);
    const first = await post({ events: 1 });
    expect((await post({ events: 1 })).status).toBe(409);
    finish({});
    await ended(first.headers.get('location')!);
    expect((await post({ events: 1 })).status).toBe(202);
    finish({});
  });

  it('reports a batch that failed with what was acknowledged before', async () => {
    const { runBatch, fail } = batchByHand();
    await serve(runBatch);
    const { headers } = await post({ events: 9 });
    const cause = new PipelineError('KAFKA_UNREACHABLE', { what: 'No broker answers' });
    fail(new ProduceFailedError(cause, resultOf({ 'billing.customers': 3 })));
    expect(await ended(headers.get('location')!)).toMatchObject({
      state: 'failed',
      total: 3,
      failure: { code: 'KAFKA_UNREACHABLE', message: expect.stringContaining('No broker answers') as string },
    });
  });

  it('answers until the running batch has ended, but takes no other', async () => {
    const ends: Batch[] = [];
    const { runBatch, fail } = batchByHand();
    await serve(runBatch, (batch) => ends.push(batch));
    const { headers } = await post({ events: 9 });
    const closing = server!.close();
    expect((await post({ events: 1 })).status).toBe(503);
    expect((await get(headers.get('location')!)).body).toMatchObject({ state: 'running' });
    fail(new InterruptedError());
    await closing;
    expect(ends.map(({ state }) => state)).toEqual(['interrupted']);
    await expect(fetch(`${server!.url}/healthz`)).rejects.toThrow();
  });

  it('gives up a client that never finishes its request', async () => {
    await serve(batchByHand().runBatch, undefined, 300);
    const status = new Promise<number | undefined>((resolve, reject) => {
      const headers = {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        'content-length': 20,
      };
      const slow = request(`${server!.url}/batches`, { method: 'POST', headers }, (response) => {
        resolve(response.statusCode);
        response.resume();
      });
      slow.once('error', reject).write('{"events"');
    });
    expect(await status).toBe(408);
  });

  it('says that its port is taken', async () => {
    await serve(batchByHand().runBatch);
    const port = Number(new URL(server!.url).port);
    const second = startTriggerServer({ batches: new Batches(batchByHand().runBatch), port, token, rate: 1 });
    await expect(second).rejects.toMatchObject({ code: 'PORT_TAKEN', where: `127.0.0.1:${port}` });
  });
});

describe('the token', () => {
  it.each([undefined, '', 'short', 'fifteen-letters', 'with spaces in between'])(
    '"%s" is refused',
    (given) => {
      expect(() => checkToken(given)).toThrow(expect.objectContaining({ code: 'PRODUCE_TOKEN_INVALID' }));
    },
  );

  it('of 16 characters is accepted, and never shown when it is too short', () => {
    expect(checkToken('sixteen-letters!')).toBe('sixteen-letters!');
    expect(() => checkToken('s3cr3t')).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining('s3cr3t') as string }),
    );
  });
});

/** A batch that goes as the test says. */
function batchByHand() {
  let settle: { resolve: (result: ProduceResult) => void; reject: (error: Error) => void } | undefined;
  let report: Parameters<RunBatch>[1] | undefined;
  const runBatch: RunBatch = (_, onProgress) => {
    report = onProgress;
    return new Promise((resolve, reject) => {
      settle = { resolve, reject };
    });
  };
  return {
    runBatch,
    finish: (byTopic: Record<string, number>) => settle?.resolve(resultOf(byTopic)),
    fail: (error: Error) => settle?.reject(error),
    progress: (byTopic: Record<string, number>) => report?.({ byTopic, total: resultOf(byTopic).total }),
  };
}

function resultOf(byTopic: Record<string, number>): ProduceResult {
  const total = Object.values(byTopic).reduce((sum, records) => sum + records, 0);
  return { byTopic, total, firstAt: undefined, lastAt: undefined, elapsedMs: 1, faults: null, refused: [] };
}

async function serve(
  runBatch: RunBatch,
  onEnd?: (batch: Batch) => void,
  requestTimeoutMs?: number,
): Promise<void> {
  server = await startTriggerServer({
    batches: new Batches(runBatch, onEnd),
    port: 0,
    token,
    rate: 100,
    ...(requestTimeoutMs === undefined ? {} : { requestTimeoutMs }),
  });
}

async function call(method: string, path: string, body?: string, type = 'application/json') {
  const response = await fetch(`${server!.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': type },
    ...(body === undefined ? {} : { body }),
  });
  const parsed = (await response.json()) as Record<string, unknown>;
  return { status: response.status, headers: response.headers, body: parsed };
}

async function post(body: unknown) {
  return call('POST', '/batches', JSON.stringify(body));
}

async function get(path: string) {
  return call('GET', path);
}

async function ended(location: string): Promise<Record<string, unknown>> {
  return waitFor(
    async () => {
      const { body } = await get(location);
      return body['state'] !== 'running' && body;
    },
    { what: 'the end of the batch', timeoutMs: 5000, pollIntervalMs: 5 },
  );
}

function errorOf({ body }: { body: Record<string, unknown> }): string {
  return (body['error'] as { message: string }).message;
}
