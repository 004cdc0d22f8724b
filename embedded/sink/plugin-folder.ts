import { readdirSync } from 'node:fs';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import yauzl from 'yauzl';

/** The connector class of the official sink and the one of the project's stand-in. */
export const officialSinkClass = 'com.clickhouse.kafka.connect.ClickHouseSinkConnector';
export const standInSinkClass = 'billinganalytics.connect.StandInClickHouseSinkConnector';

const unknownVersion = 'unknown';

/** Folders below the named one that are searched: the release keeps its jar in `<release>/lib/`. */
const maxDepth = 3;

/**
 * The version of the plugin among `jars`: `Implementation-Version` of the one that holds `connectorClass`, without
 * a leading `v`, or `unknown` where its manifest has none. Undefined when no jar holds the class.
 */
export async function pluginVersion(
  jars: readonly string[],
  connectorClass: string,
): Promise<string | undefined> {
  for (const jar of jars) {
    const version = await versionOfJarWith(jar, `${connectorClass.replaceAll('.', '/')}.class`);
    if (version !== undefined) return version;
  }
  return undefined;
}

/** Every jar in and below `folder`, sorted, links followed. */
export function jarsIn(folder: string, depth = 0): string[] {
  if (depth > maxDepth) return [];
  return readdirSync(folder, { withFileTypes: true })
    .sort((left, right) => (left.name < right.name ? -1 : 1))
    .flatMap((entry) => {
      const at = path.join(folder, entry.name);
      if (entry.isDirectory()) return jarsIn(at, depth + 1);
      return entry.name.endsWith('.jar') ? [at] : [];
    });
}

/** The version of `jar` if it holds the file `classFile`; a file that is no readable archive holds nothing. */
async function versionOfJarWith(jar: string, classFile: string): Promise<string | undefined> {
  let hasClass = false;
  let version = unknownVersion;
  let archive: yauzl.ZipFile | undefined;
  try {
    archive = await yauzl.openPromise(jar, { autoClose: false });
    for await (const entry of archive.eachEntry()) {
      if (entry.fileName === classFile) hasClass = true;
      if (entry.fileName === 'META-INF/MANIFEST.MF') {
        const manifest = await buffer(await archive.openReadStreamPromise(entry));
        version = implementationVersion(manifest.toString('utf8')) ?? unknownVersion;
      }
    }
  } catch {
    return undefined;
  } finally {
    archive?.close();
  }
  return hasClass ? version : undefined;
}

function implementationVersion(manifest: string): string | undefined {
  return /^Implementation-Version: *v?(\S+)/m.exec(manifest)?.[1];
}
