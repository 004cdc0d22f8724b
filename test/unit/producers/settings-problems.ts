import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parse, stringify } from 'yaml';
import { InvalidInputError } from '../../../core/errors.ts';
import { projectRoot } from '../../../core/home.ts';
import { loadScenarioSettings, type ScenarioSettings } from '../../../producers/scenario/settings.ts';

const file = path.join(projectRoot, 'producers', 'scenario', 'scenario.yaml');

/** What loading says of the project's own settings after `change`; none if they are still valid. */
export function problemsWith(change: (settings: ScenarioSettings) => void): InvalidInputError['problems'] {
  const settings = parse(readFileSync(file, 'utf8')) as ScenarioSettings;
  change(settings);
  const folder = mkdtempSync(path.join(tmpdir(), 'scenario-'));
  const changed = path.join(folder, 'scenario.yaml');
  writeFileSync(changed, stringify(settings));
  try {
    loadScenarioSettings(changed);
    return [];
  } catch (error) {
    if (error instanceof InvalidInputError) return error.problems;
    throw error;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
