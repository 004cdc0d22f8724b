import { describe, expect, it } from 'vitest';
import { PipelineError } from '../../../core/errors.ts';
import { kafkaError, withKafkaAdmin } from '../../../targets/kafka.ts';
import { kafkajs } from '../../../core/kafkajs/kafkajs.ts';
import { loadTarget } from '../../../targets/load-target.ts';

const target = loadTarget('embedded', { KAFKA_BROKERS: '127.0.0.1:1' });

describe('kafkaError', () => {
  it('finds a broken connection below any number of retries', () => {
    const refused = new kafkajs.KafkaJSConnectionError('connect ECONNREFUSED', { code: 'ECONNREFUSED' });
    const wrapped = new kafkajs.KafkaJSNumberOfRetriesExceeded(refused, { retryCount: 3, retryTime: 1 });
    expect(kafkaError(target, wrapped)).toMatchObject({
      code: 'KAFKA_UNREACHABLE',
      retryable: true,
      where: '127.0.0.1:1',
    });
  });

  it.each([
    [true, 'a broker that still elects leaders'],
    [false, 'a request that can never succeed'],
  ])('is retryable: %s for %s', (retriable) => {
    const answer = Object.assign(new Error('refused'), { type: 'X', code: 6, retriable });
    const error = new kafkajs.KafkaJSProtocolError(answer);
    expect(kafkaError(target, error)).toMatchObject({
      code: 'KAFKA_ERROR',
      retryable: retriable,
      message: 'Kafka refused: refused',
    });
  });

  it('leaves our own errors as they are', () => {
    const error = new PipelineError('X', { what: 'x' });
    expect(kafkaError(target, error)).toBe(error);
  });
});

describe('withKafkaAdmin', () => {
  it('says which broker does not answer, soon', async () => {
    const retry = { retries: 0 };
    await expect(
      withKafkaAdmin(target, { clientId: 'test', retry }, async (admin) => admin.listTopics()),
    ).rejects.toMatchObject({ code: 'KAFKA_UNREACHABLE' });
  });
});
