import { crc32 } from 'node:zlib';

export interface ZipEntry {
  /** Taken as it is: tests of unpacking need names that no archiver writes. */
  name: string;
  content?: string | Buffer;
  /** Unix mode with the file type, as in `0o120777` for a symbolic link. Default: a plain file. */
  mode?: number;
}

/** A zip archive of uncompressed entries (PKWARE APPNOTE 4.3), with no more checks than a test wants. */
export function zipArchive(entries: readonly ZipEntry[]): Buffer {
  const files: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, content = '', mode = 0o100644 } of entries) {
    const data = Buffer.from(content);
    const nameBytes = Buffer.from(name);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0); // version needed
    common.writeUInt32LE(crc32(data), 10);
    common.writeUInt32LE(data.length, 14);
    common.writeUInt32LE(data.length, 18);
    common.writeUInt16LE(nameBytes.length, 22);
    files.push(Buffer.from('PK\x03\x04'), common, nameBytes, data);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE((mode << 16) >>> 0, 6);
    rest.writeUInt32LE(offset, 10);
    // Made by Unix (3), so that the mode counts.
    directory.push(Buffer.from('PK\x01\x02'), Buffer.from([20, 3]), common, rest, nameBytes);
    offset += 30 + nameBytes.length + data.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(entries.length, 4);
  end.writeUInt16LE(entries.length, 6);
  end.writeUInt32LE(central.length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...files, central, Buffer.from('PK\x05\x06'), end]);
}

/** A jar that holds `className`, with the manifest's version. */
export function jarWith(className: string, version = 'v1.5.0'): Buffer {
  return zipArchive([
    {
      name: 'META-INF/MANIFEST.MF',
      content: `Manifest-Version: 1.0\r\nImplementation-Version: ${version}\r\n`,
    },
    { name: `${className.replaceAll('.', '/')}.class`, content: 'bytecode' },
  ]);
}
