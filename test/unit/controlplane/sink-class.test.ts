import { expect, test } from 'vitest';
import {
  chooseSink,
  describeSink,
  officialSinkClass,
  standInSinkClass,
  withSink,
} from '../../../controlplane/sink-class.ts';
import { desired } from './fixtures.ts';

const official = { class: officialSinkClass, version: 'v1.5.0' };
const standIn = { class: standInSinkClass, version: '0.1.0' };
const other = { class: 'x.Other', version: null };

test('the official sink is used wherever the worker has it', () => {
  for (const allowed of [['official'], ['official', 'stand-in']] as const) {
    expect(chooseSink([other, standIn, official], allowed, 'w')).toEqual({
      kind: 'official',
      class: officialSinkClass,
      version: '1.5.0',
    });
  }
});

test('the stand-in takes its place only where the target allows it', () => {
  expect(chooseSink([other, standIn], ['official', 'stand-in'], 'w')).toEqual({
    kind: 'stand-in',
    ...standIn,
  });
  expect(() => chooseSink([standIn], ['official'], 'w')).toThrow(
    expect.objectContaining({
      code: 'SINK_MISSING',
      message: expect.stringContaining('does not allow') as string,
    }),
  );
});

test('a worker without any sink is an error that says how to install one', () => {
  expect(() => chooseSink([other], ['official', 'stand-in'], 'http://w')).toThrow(
    expect.objectContaining({ where: 'http://w', todo: expect.stringContaining('plugin.path') as string }),
  );
});

test('only the declared class is replaced', () => {
  const sink = chooseSink([standIn], ['official', 'stand-in'], 'w');
  const connector = desired('a', { 'connector.class': officialSinkClass, topics: 't' });
  expect(withSink(connector, sink).config).toEqual({ 'connector.class': standInSinkClass, topics: 't' });
  const foreign = desired('b', { 'connector.class': 'x.Other' });
  expect(withSink(foreign, sink)).toBe(foreign);
  expect(describeSink(sink)).toBe('Sink: the stand-in 0.1.0, in place of the official ClickHouse sink');
});

test('Confluent Cloud has a sink of its own, or none that would do', () => {
  const managed = { class: 'ClickHouseSink', version: '1.3.0' };
  const sink = chooseSink([official, managed], ['managed'], 'c');
  expect(describeSink(sink)).toBe("Sink: Confluent Cloud's managed ClickHouse sink 1.3.0");
  expect(() => chooseSink([official], ['managed'], 'c')).toThrow(
    expect.objectContaining({
      code: 'SINK_MISSING',
      message: expect.stringContaining('Confluent Cloud') as string,
    }),
  );
});
