import { expect, test } from 'vitest';
import { cityHash128 } from '../../../embedded/clickhouse/compression/city-hash-128.ts';

/** Values of Google's own code of version 1.0.2, as the package clickhouse-cityhash 1.0.2.6 for Python carries it. */
const vectors = [
  [0, '3df09dfc64c09a2b3cb540c392e51e29'],
  [1, '5a03ab4f802b3f6c58a88a3c8a31e91a'],
  [3, '3170f5b9282ab8e305259a024db0f213'],
  [4, 'ed419eae64b206bdb188a5694170cb77'],
  [7, '3e2831dbd31dcf9f5959f5dd3c4b0aca'],
  [8, '8bc7d18e98b8625a10d7fa93c292d0d7'],
  [9, 'ff3c5acb1b266d6bca9eb3c45cdebe02'],
  [15, '7a839aa5adcb96131d656b10ef92fe82'],
  [16, '3a9b81a4873d0161fc2ffb198eb50689'],
  [17, 'cea6a084c71e4ed4e4d3f9aa58e78d06'],
  [31, '11f391c2bad1c44069910c42d9f6890c'],
  [32, 'c9d8e1565fb99a69d8b7f1ff6ae83449'],
  [33, 'cbaae47e024d09b4cbd84a0f210456cf'],
  [64, 'a606ed41f65765094597668d619083b1'],
  [127, '1f2461500b4da04d7c1f998bbabb569a'],
  [128, '39df2ee2500f3a6b0a1e80f758fc7f7d'],
  [129, 'd69e173d1b0e95da12dfe9998cc81331'],
  [143, '69a54300b7a589be86f77a6f9840a96d'],
  [144, '8ffaff553b4a99c18da7aba41b859246'],
  [160, '38296a6d91fdef15f7d1ff7ec7ba4fe3'],
  [191, 'd2b8b628d733a82f2b8e2275178cba0d'],
  [255, '79b64deeeaee32f46dc14dc593da9e5e'],
  [256, 'f8efebad5b3c1dcabf0cadadc45032f0'],
  [271, '025879a8580a46708501f19ef20ad9b8'],
  [272, 'f4d56e50b6eeb92f46e3db02fbc7f2c7'],
  [273, '0cbd8973eeefaf12f358bb7d80c07b85'],
  [399, '40a20cb94f97841bc4e11dd3baeca9f1'],
  [4096, '22564052e8749c6645370d8d07beb5f3'],
  [65535, '4c0f9eea3a47ad17ed0a4f760ddd93aa'],
  [100001, 'a254c9f627dec4d89e57465bbea09742'],
] as const;

function bytes(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 131 + (i >> 3) * 17 + length) & 255);
}

const hex = (value: bigint) => value.toString(16).padStart(16, '0');

test.each(vectors)('%i bytes have the checksum of CityHash 1.0.2', (length, expected) => {
  const { low, high } = cityHash128(bytes(length));
  expect(hex(low) + hex(high)).toBe(expected);
});

test('it does not matter where in memory the bytes are', () => {
  const padded = new Uint8Array(1000 + 7);
  padded.set(bytes(1000), 7);
  expect(cityHash128(padded.subarray(7))).toEqual(cityHash128(bytes(1000)));
});
