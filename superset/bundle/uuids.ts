import { createHash } from 'node:crypto';

/** Made once, at random: the space in which the names below are unique. */
const namespace = Buffer.from('6d0b9a3e5f7c4e2a9d1847c25be360fa', 'hex');

/** The same UUID for the same name, on every machine (RFC 9562, version 5): an import finds what it has made before. */
export function uuidOf(...name: readonly string[]): string {
  const bytes = createHash('sha1').update(namespace).update(name.join('/')).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x50, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
