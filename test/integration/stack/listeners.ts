import { readFileSync, readdirSync, readlinkSync } from 'node:fs';

/** Addresses, as in `127.0.0.1:9092`, that the process listens on, from /proc (Linux). */
export function listenersOf(pid: number): string[] {
  const inodes = new Set(
    readdirSync(`/proc/${pid}/fd`).flatMap((descriptor) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${descriptor}`))?.[1] ?? [];
      } catch {
        return [];
      }
    }),
  );
  return ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((table) =>
    readFileSync(table, 'utf8')
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => fields[3] === '0A' && inodes.has(fields[9]!))
      .map((fields) => readable(fields[1]!)),
  );
}

/** `0100007F:2384` is 127.0.0.1:9092: each group of four bytes is little-endian. */
function readable(hexAddress: string): string {
  const [address, port] = hexAddress.split(':') as [string, string];
  const bytes = Buffer.from(address, 'hex');
  bytes.swap32();
  const isMapped = bytes.length === 16 && bytes.subarray(0, 12).toString('hex') === `${'0'.repeat(20)}ffff`;
  const ip = bytes.length === 4 || isMapped ? [...bytes.subarray(-4)].join('.') : bytes.toString('hex');
  return `${ip}:${Number.parseInt(port, 16)}`;
}
