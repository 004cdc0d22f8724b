import { expect, test } from 'vitest';
import {
  clickHouseException,
  httpStatusOf,
  toClickHouseException,
} from '../../../embedded/clickhouse/exceptions.ts';

test("the engine's errors keep their code, once", () => {
  const error = toClickHouseException(
    new Error('Code: 27. DB::Exception: Code: 27. DB::Exception: Cannot parse. (X)'),
  );
  expect([error.code, error.message]).toEqual([27, 'Code: 27. DB::Exception: Cannot parse. (X)']);
});

test('a full disk is NOT_ENOUGH_SPACE, everything unforeseen LOGICAL_ERROR without its stack', () => {
  expect(toClickHouseException(Object.assign(new Error('write'), { code: 'ENOSPC' })).code).toBe(243);
  const bug = toClickHouseException(new TypeError('x is not a function\n    at somewhere'));
  expect(bug.message).toBe('Code: 49. DB::Exception: x is not a function (LOGICAL_ERROR)');
});

test('codes have the status the server gives them', () => {
  const statuses = [62, 60, 81, 115, 516, 194, 48, 159, 241, 394, 999].map((code) => httpStatusOf(code));
  expect(statuses).toEqual([400, 404, 404, 404, 403, 401, 501, 408, 500, 500, 500]);
  expect(clickHouseException('READONLY', 'no').message).toBe('Code: 164. DB::Exception: no (READONLY)');
});
