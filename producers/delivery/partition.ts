const seed = 0x9747b28c;
const multiplier = 0x5bd1e995;

/**
 * The positive hash by which Kafka's default partitioner places a key: `toPositive(murmur2(key))`, as in the Java
 * client's `Utils`. kafkajs's own computes the same with 64-bit arithmetic emulated in objects, which costs more
 * than encoding the record.
 */
export function hashOf(key: string): number {
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
  return (hash ^ (hash >>> 15)) & 0x7fffffff;
}

/** The partition where every other client would put the key. */
export function partitionOf(key: string, partitions: number): number {
  return hashOf(key) % partitions;
}
