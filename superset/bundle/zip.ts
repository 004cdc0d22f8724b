import { buffer } from 'node:stream/consumers';
import { ZipFile } from 'yazl';

/** An import bundle: the files in one folder of a zip archive, as Superset expects it. */
export async function zipBundle(files: ReadonlyMap<string, string>): Promise<Uint8Array<ArrayBuffer>> {
  const zip = new ZipFile();
  for (const [name, content] of files) zip.addBuffer(Buffer.from(content), `billing/${name}`);
  zip.end();
  return new Uint8Array(await buffer(zip.outputStream));
}
