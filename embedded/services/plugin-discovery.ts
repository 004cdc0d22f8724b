import { readdirSync, realpathSync } from 'node:fs';
import path from 'node:path';
import yauzl from 'yauzl';
import { jarsIn } from '../sink/plugin-folder.ts';

const serviceFile = 'META-INF/services/org.apache.kafka.connect.sink.SinkConnector';

/** The worker's setting `plugin.discovery` (KIP-898). */
export type PluginDiscovery = 'service_load' | 'hybrid_warn';

/**
 * How the worker finds the sink in `pluginFolder`: by its service file, or, where no jar has one, by loading
 * every class of every jar, which costs 5 to 15 s and 300 MB. The pinned release and the stand-in have it.
 */
export async function pluginDiscoveryFor(pluginFolder: string): Promise<PluginDiscovery> {
  // A plugin that a setting names is there as a link.
  const plugins = readdirSync(pluginFolder).map((name) => realpathSync(path.join(pluginFolder, name)));
  for (const jar of plugins.flatMap((plugin) => jarsIn(plugin))) {
    if (await holds(jar, serviceFile)) return 'service_load';
  }
  return 'hybrid_warn';
}

async function holds(jar: string, name: string): Promise<boolean> {
  let archive: yauzl.ZipFile | undefined;
  try {
    archive = await yauzl.openPromise(jar, { autoClose: false });
    for await (const entry of archive.eachEntry()) if (entry.fileName === name) return true;
    return false;
  } catch {
    // Not an archive that can be read, so not one the worker can read either.
    return false;
  } finally {
    archive?.close();
  }
}
