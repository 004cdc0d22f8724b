import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { InterruptedError, InvalidInputError } from '../../../core/errors.ts';
import { buildStandIn } from '../../../embedded/sink/build-stand-in.ts';
import { officialSinkClass } from '../../../embedded/sink/plugin-folder.ts';
import { resolveSinkPlugin, type ResolveSinkOptions } from '../../../embedded/sink/resolve-sink.ts';
import { jarWith, zipArchive, type ZipEntry } from '../../support/zip-archive.ts';
import {
  breaksOff,
  sends,
  sendsInPieces,
  stallsAfter,
  startReleaseServer,
  type ReleaseServer,
} from './release-server.ts';

const limits = {
  answerTimeoutMs: 400,
  stallTimeoutMs: 400,
  maxBytes: 2_000_000,
  maxUnpackedBytes: 1_000_000,
};
const jarName = 'clickhouse-kafka-connect-v1.5.0/lib/clickhouse-kafka-connect-v1.5.0-confluent.jar';
const release = zipArchive([
  { name: 'clickhouse-kafka-connect-v1.5.0/' },
  { name: 'clickhouse-kafka-connect-v1.5.0/manifest.json', content: '{}' },
  { name: jarName, content: jarWith(officialSinkClass) },
]);
const otherRelease = archiveWith({ name: 'README.md', content: 'another one' });

let template: string;
let root: string;
let server: ReleaseServer;

beforeAll(async () => {
  template = mkdtempSync(path.join(tmpdir(), 'sink-template-'));
  await buildStandIn({ folder: path.join(template, 'sink') });
});
afterAll(() => {
  rmSync(template, { recursive: true, force: true });
});
beforeEach(async () => {
  root = mkdtempSync(path.join(tmpdir(), 'sink-'));
  server = await startReleaseServer();
});
afterEach(async () => {
  await server.close();
  rmSync(root, { recursive: true, force: true });
});

describe('resolveSinkPlugin with a release to download', () => {
  it('unpacks the release into the cache, and needs no network the next time', async () => {
    server.answer(sends(release));
    const downloaded = await resolve();
    expect(downloaded).toMatchObject({ kind: 'official', version: '1.5.0', source: server.url });
    // Connect takes each subfolder of an element of plugin.path for one plugin.
    const [plugin, ...others] = readdirSync(downloaded.folder);
    expect(others).toEqual([]);
    expect(existsSync(path.join(downloaded.folder, plugin!, jarName))).toBe(true);

    expect(await resolve()).toMatchObject({ folder: downloaded.folder, reason: 'it is in the cache' });
    expect(server.requests).toHaveLength(1);
    expect(leftovers()).toEqual([]);
  });

  it('follows redirects, as the releases page answers with one', async () => {
    server.answer((request, response) => {
      if (request.url === '/sink.zip') response.writeHead(302, { location: '/elsewhere' }).end();
      else response.end(release);
    });
    expect(await resolve()).toMatchObject({ kind: 'official' });
    expect(server.requests).toEqual(['/sink.zip', '/elsewhere']);
  });

  it('demands the checksum of the first download from every later one', async () => {
    server.answer(sends(release));
    const { folder } = await resolve();
    rmSync(folder, { recursive: true });
    server.answer(sends(otherRelease));
    await expect(resolve()).rejects.toMatchObject({ code: 'SINK_CHECKSUM_MISMATCH', where: server.url });
    expect(existsSync(folder)).toBe(false);
    server.answer(sends(release));
    expect(await resolve()).toMatchObject({ kind: 'official', folder });
  });

  it('demands the checksum that CLICKHOUSE_SINK_SHA256 pins, from the cache too', async () => {
    const pinned = createHash('sha256').update(release).digest('hex').toUpperCase();
    server.answer(sends(otherRelease));
    await expect(resolve({ CLICKHOUSE_SINK_SHA256: pinned })).rejects.toMatchObject({
      code: 'SINK_CHECKSUM_MISMATCH',
    });
    expect(leftovers()).toEqual([]);
    server.answer(sends(release));
    expect(await resolve({ CLICKHOUSE_SINK_SHA256: pinned })).toMatchObject({ kind: 'official' });
    await expect(resolve({ CLICKHOUSE_SINK_SHA256: 'f'.repeat(64) })).rejects.toMatchObject({
      code: 'SINK_CHECKSUM_MISMATCH',
    });
  });

  it('refuses a cached release whose jar was changed', async () => {
    server.answer(sends(release));
    const { folder } = await resolve();
    writeFileSync(
      path.join(folder, 'clickhouse-kafka-connect', jarName),
      jarWith(officialSinkClass, '6.6.6'),
    );
    await expect(resolve()).rejects.toMatchObject({ code: 'SINK_CHECKSUM_MISMATCH', where: folder });
  });

  it('refuses a record of checksums that cannot be read, which would pin nothing', async () => {
    server.answer(sends(release));
    const { folder } = await resolve();
    writeFileSync(`${folder}.json`, '{}');
    await expect(resolve()).rejects.toMatchObject({ code: 'INVALID_INPUT', where: `${folder}.json` });
  });
});

describe('resolveSinkPlugin without a release to be had', () => {
  const cut = release.subarray(0, release.length / 2);
  it.each<[string, RequestListener, RegExp]>([
    ['is not there', (_, response) => response.writeHead(404).end(), /the server answered 404 Not Found/],
    ['breaks off', breaksOff(release), /the connection broke off/],
    ['stalls', stallsAfter(cut), /nothing came for 0.4 s/],
    ['is never answered', () => undefined, /no answer within 0.4 s/],
    [
      'redirects in circles',
      (_, response) => response.writeHead(302, { location: '/sink.zip' }).end(),
      /redirect/,
    ],
    ['arrives cut short', sends(cut), /the archive is damaged or unsafe/],
    ['is no archive', sends(Buffer.from('<html>Please log in</html>')), /the archive is damaged or unsafe/],
    ['holds no sink', sends(zipArchive([{ name: 'README.md' }])), /does not hold com\.clickhouse\.kafka/],
    ['announces too many bytes', sends(Buffer.alloc(2_000_001)), /larger than 2 MB/],
    ['sends too many bytes', sendsInPieces(Buffer.alloc(3_000_000)), /larger than 2 MB/],
    [
      'would leave its folder',
      sends(archiveWith({ name: '../../escaped' })),
      /unsafe: .*\.\.\/\.\.\/escaped/,
    ],
    ['has an absolute name', sends(archiveWith({ name: '/tmp/escaped' })), /unsafe: absolute path/],
    [
      'holds a link',
      sends(archiveWith({ name: 'link', content: '/etc', mode: 0o120777 })),
      /is a symbolic link/,
    ],
    [
      'unpacks to too much',
      sends(archiveWith({ name: 'bomb', content: Buffer.alloc(1_200_000) })),
      /unpacks to more than 1 MB/,
    ],
  ])('takes the stand-in when the release %s, and says why', async (_, listener, reason) => {
    withBuiltStandIn();
    server.answer(listener);
    const sink = await resolve();
    expect(sink).toMatchObject({ kind: 'stand-in', version: '0.1.0' });
    expect(sink.reason).toMatch(reason);
    expect(leftovers()).toEqual([]);
  });

  it('does not try again for a while, but does so at another address', async () => {
    withBuiltStandIn();
    server.answer((_, response) => response.writeHead(404).end());
    await resolve();
    expect((await resolve()).reason).toMatch(/failed at .*404/);
    expect(server.requests).toHaveLength(1);
    await resolve({ CLICKHOUSE_SINK_URL: `${server.url}?mirror` });
    expect(server.requests).toHaveLength(2);
  });

  it('asks nobody when CLICKHOUSE_SINK_DOWNLOAD is off', async () => {
    withBuiltStandIn();
    const sink = await resolve({ CLICKHOUSE_SINK_DOWNLOAD: 'off' });
    expect(sink).toMatchObject({ kind: 'stand-in', reason: 'CLICKHOUSE_SINK_DOWNLOAD is off' });
    expect(server.requests).toEqual([]);
  });
});

describe('resolveSinkPlugin with CLICKHOUSE_SINK_PLUGIN', () => {
  it.each(['', 'lib'])('takes a folder with the jar in "%s" and asks nobody', async (below) => {
    const folder = path.join(root, 'named');
    mkdirSync(path.join(folder, below), { recursive: true });
    writeFileSync(path.join(folder, below, 'sink.jar'), jarWith(officialSinkClass, '1.6.0'));
    const sink = await resolve({ CLICKHOUSE_SINK_PLUGIN: folder });
    expect(sink).toMatchObject({ kind: 'official', version: '1.6.0', source: folder });
    const [plugin] = readdirSync(sink.folder);
    expect(existsSync(path.join(sink.folder, plugin!, below, 'sink.jar'))).toBe(true);
    expect(await resolve({ CLICKHOUSE_SINK_PLUGIN: folder })).toEqual(sink);
    expect(server.requests).toEqual([]);
  });

  it.each([
    ['names no folder', () => undefined],
    [
      'names no folder',
      (folder: string) => {
        writeFileSync(folder, '');
      },
    ],
    [
      'names a folder without a jar',
      (folder: string) => {
        mkdirSync(folder);
      },
    ],
    [
      'names a folder without a jar',
      (folder: string) => {
        mkdirSync(folder);
        writeFileSync(path.join(folder, 'other.jar'), jarWith('com.example.Other'));
        writeFileSync(path.join(folder, 'broken.jar'), 'not an archive');
      },
    ],
  ])('refuses what %s instead of taking another sink', async (message, prepare) => {
    const folder = path.join(root, 'named');
    prepare(folder);
    await expect(resolve({ CLICKHOUSE_SINK_PLUGIN: folder })).rejects.toMatchObject({
      code: 'SINK_PLUGIN_INVALID',
      where: folder,
      message: expect.stringContaining(message) as string,
    });
    expect(server.requests).toEqual([]);
  });

  it('reports all malformed settings together', async () => {
    const failure = await resolve({
      CLICKHOUSE_SINK_DOWNLOAD: 'never',
      CLICKHOUSE_SINK_URL: 'ftp://mirror/sink.zip',
      CLICKHOUSE_SINK_SHA256: 'abc',
    }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(InvalidInputError);
    expect((failure as InvalidInputError).problems).toEqual([
      { path: 'CLICKHOUSE_SINK_DOWNLOAD', message: 'expected on or off' },
      { path: 'CLICKHOUSE_SINK_URL', message: 'expected an http or https address' },
      { path: 'CLICKHOUSE_SINK_SHA256', message: 'expected 64 hexadecimal digits' },
    ]);
  });
});

describe('resolveSinkPlugin, interrupted', () => {
  it('stops a download at once and leaves nothing', async () => {
    const abort = new AbortController();
    server.answer((_, response) => {
      response.write(release.subarray(0, 100));
      abort.abort();
    });
    const long = { answerTimeoutMs: 60_000, stallTimeoutMs: 60_000 };
    await expect(resolve({}, { signal: abort.signal, limits: long })).rejects.toBeInstanceOf(
      InterruptedError,
    );
    expect(readdirSync(path.join(root, 'cache', 'sink'))).toEqual([]);
  });
});

function resolve(env: NodeJS.ProcessEnv = {}, options: Partial<ResolveSinkOptions> = {}) {
  return resolveSinkPlugin({
    cacheFolder: path.join(root, 'cache'),
    env: { CLICKHOUSE_SINK_URL: server.url, ...env },
    limits,
    ...options,
  });
}

/** Saves each test the seconds that Maven takes. */
function withBuiltStandIn(): void {
  const [built] = readdirSync(path.join(template, 'sink'));
  mkdirSync(path.join(root, 'cache', 'sink'), { recursive: true });
  symlinkSync(path.join(template, 'sink', built!), path.join(root, 'cache', 'sink', built!));
}

/** What an interrupted or failed download may not leave: anything but the stand-in and remarks. */
function leftovers(): string[] {
  return readdirSync(path.join(root, 'cache', 'sink')).filter(
    (name) => !/^(stand-in-\w+|failed-download\.json|clickhouse-kafka-connect-1\.5\.0(\.json)?)$/.test(name),
  );
}

function archiveWith(extra: ZipEntry): Buffer {
  return zipArchive([{ name: jarName, content: jarWith(officialSinkClass) }, extra]);
}
