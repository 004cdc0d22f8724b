/** Memory of the whole engine, queries and caches together: with Kafka and Connect the stack stays below 3 GB. */
const maxServerMemoryBytes = 800_000_000;

const megabyte = 1024 * 1024;

/**
 * Configuration of the engine, as arguments of its connection. The defaults are those of a server that has the
 * machine to itself: 90 % of its memory and caches of 5 GB each.
 */
export const engineArguments: readonly string[] = [
  `--max_server_memory_usage=${maxServerMemoryBytes}`,
  `--mark_cache_size=${64 * megabyte}`,
  `--index_mark_cache_size=${8 * megabyte}`,
  `--primary_index_cache_size=${64 * megabyte}`,
];
