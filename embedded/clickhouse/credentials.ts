import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { clickHouseException } from './exceptions.ts';

/** The one user the endpoint knows: chDB has no users of its own. */
export interface Credentials {
  user: string;
  /** Empty: no password is asked for. */
  password: string;
}

/**
 * Checks who sends a request, in the three ways ClickHouse accepts: Basic authentication, the headers
 * `X-ClickHouse-User` and `-Key`, or `user` and `password` in the URL.
 *
 * @throws code 516, as ClickHouse does for a wrong password and an unknown user alike
 */
export function authenticate(request: IncomingMessage, url: URLSearchParams, expected: Credentials): void {
  const given = givenCredentials(request, url);
  const userMatches = equalInConstantTime(given.user, expected.user);
  const passwordMatches = expected.password === '' || equalInConstantTime(given.password, expected.password);
  if (userMatches && passwordMatches) return;
  throw clickHouseException(
    'AUTHENTICATION_FAILED',
    `${given.user}: Authentication failed: password is incorrect, or there is no user with such name.`,
  );
}

function givenCredentials(request: IncomingMessage, url: URLSearchParams): Credentials {
  // Node reads headers as latin1; what clients write is UTF-8.
  const header = (name: string) => {
    const value = request.headers[name]?.toString();
    return value === undefined ? undefined : Buffer.from(value, 'latin1').toString('utf8');
  };
  const authorization = header('authorization');
  const user = header('x-clickhouse-user');
  const key = header('x-clickhouse-key');
  const inHeaders = Boolean(user) || Boolean(key);
  const inUrl = url.has('user') || url.has('password');
  if (Number(authorization !== undefined) + Number(inHeaders) + Number(inUrl) > 1) {
    throw clickHouseException(
      'AUTHENTICATION_FAILED',
      'Invalid authentication: only one of the Authorization header, the X-ClickHouse headers and parameters can be used',
    );
  }
  if (authorization !== undefined) {
    const encoded = /^Basic +(\S+)$/i.exec(authorization)?.[1];
    if (encoded === undefined) {
      throw clickHouseException('AUTHENTICATION_FAILED', 'Invalid authentication: only Basic is supported');
    }
    const [name = '', ...password] = Buffer.from(encoded, 'base64').toString('utf8').split(':');
    return { user: name || 'default', password: password.join(':') };
  }
  return {
    user: user || url.get('user') || 'default',
    password: key || url.get('password') || '',
  };
}

function equalInConstantTime(given: string, expected: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}
