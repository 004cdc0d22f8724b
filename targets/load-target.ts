import { readdirSync } from 'node:fs';
import path from 'node:path';
import { InvalidInputError, PipelineError } from '../core/errors.ts';
import { projectRoot } from '../core/home.ts';
import { check, readYaml } from '../core/parse.ts';
import { overlay, resolveSettings } from './environment.ts';
import { checkedSchema, type Target } from './target-schema.ts';

export type { Target } from './target-schema.ts';

/** The target used when neither `--target` nor `PIPELINE_TARGET` names one. */
export const defaultTargetName = 'embedded';

/**
 * Loads `targets/<name>.yaml`, lays the file that `PIPELINE_TARGET_FILE` names over it, and fills in the environment.
 *
 * @throws PipelineError `UNKNOWN_TARGET` when there is no such file
 * @throws InvalidInputError listing every unset variable, every malformed setting and every unusable file together
 */
export function loadTarget(
  name: string,
  env: NodeJS.ProcessEnv = process.env,
  folder = path.join(projectRoot, 'targets'),
): Target {
  const known = targetNames(folder);
  if (!known.includes(name)) {
    throw new PipelineError('UNKNOWN_TARGET', {
      what: `There is no target "${name}"`,
      where: folder,
      todo: `Use one of: ${known.join(', ')} (--target or PIPELINE_TARGET), or add ${name}.yaml there.`,
    });
  }
  const file = path.join(folder, `${name}.yaml`);
  const what = `The target "${name}" is not valid`;
  const over = env['PIPELINE_TARGET_FILE'] || undefined;
  const written = readYaml(file, what);
  const { settings, problems, variables } = resolveSettings(
    over === undefined ? written : overlay(written, readYaml(path.resolve(over), what)),
    env,
  );
  const parsed = check(checkedSchema, settings);
  // A variable that is not set is the cause; what the schema says of the hole it left is only noise.
  const holes = new Set(problems.map((problem) => problem.path));
  const all = [
    ...problems,
    ...parsed.problems
      .filter((problem) => !holes.has(problem.path))
      .map((problem) => ({ ...problem, path: variables.get(problem.path) ?? problem.path }))
      .filter((problem) => !holes.has(`${problem.path}_FILE`)),
  ];
  if (parsed.value === undefined || all.length > 0) {
    throw new InvalidInputError({
      what,
      where: over === undefined ? file : `${file}, ${over}`,
      problems: all,
    });
  }
  return { name, ...parsed.value };
}

/** Every target there is a file for, sorted. */
export function targetNames(folder = path.join(projectRoot, 'targets')): string[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => path.basename(file, '.yaml'))
    .sort();
}
