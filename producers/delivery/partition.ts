/**
 * Kafka's default partitioner: `toPositive(murmur2(key)) % partitions`, as in the Java client's
 * `Utils.murmur2`, so that every client puts a key into the same partition. kafkajs's own computes the same
 * with 64-bit arithmetic emulated in objects, which costs more than encoding the record.
 */
export function partitionOf(key: string, partitions: number): number {
  return (murmur2(key) & 0x7fffffff) % partitions;
}

const seed = 0x9747b28c;
const multiplier = 0x5bd1e995;

function murmur2(key: string): number {
  const bytes = Buffer.from(key, 'utf8');
  const { length } = bytes;
  const whole = length & ~3;
  let hash = seed ^ length;
  for (let index = 0; index < whole; index += 4) {
    let word = Math.imul(bytes.readInt32LE(index), multiplier);
    word ^= word >>> 24;
    hash = Math.imul(hash, multiplier) ^ Math.imul(word, multiplier);
  }
  if (length > whole) {
    for (let index = length - 1; index >= whole; index -= 1) {
      hash ^= bytes.readUInt8(index) << ((index - whole) * 8);
    }
    hash = Math.imul(hash, multiplier);
  }
  hash ^= hash >>> 13;
  hash = Math.imul(hash, multiplier);
  return hash ^ (hash >>> 15);
}
