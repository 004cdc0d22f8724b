import { readdirSync } from 'node:fs';
import path from 'node:path';
import type { z } from 'zod';
import { InvalidInputError, type Problem } from '../../core/errors.ts';
import { projectRoot } from '../../core/home.ts';
import { check, readYaml } from '../../core/parse.ts';
import { findReferenceProblems } from './references.ts';
import { colorsShape, dashboardShape, datasetShape, type Assets } from './shapes.ts';

export const assetsFolder = path.join(projectRoot, 'superset', 'assets');

/**
 * Reads every dataset and dashboard of `superset/assets/`. A file's name is the id of what it declares.
 *
 * @throws InvalidInputError with every problem of every file, the references between them included
 */
export function readAssets(folder = assetsFolder): Assets {
  const what = 'The dashboards are not valid';
  const problems: Problem[] = [];
  const readAll = (kind: 'datasets' | 'dashboards', shape: z.ZodType) =>
    readdirSync(path.join(folder, kind))
      .filter((name) => name.endsWith('.yaml'))
      .sort()
      .flatMap((name) => {
        const file = path.join(folder, kind, name);
        const parsed = check(shape, readYaml(file, what));
        for (const { path: at, message } of parsed.problems) {
          problems.push({ path: `${kind}/${name}: ${at}`, message });
        }
        return parsed.value === undefined ? [] : [{ ...(parsed.value as object), id: name.slice(0, -5) }];
      });
  const colorsFile = path.join(folder, 'colors.yaml');
  const colors = check(colorsShape, readYaml(colorsFile, what));
  for (const { path: at, message } of colors.problems) problems.push({ path: `colors.yaml: ${at}`, message });
  const assets = {
    datasets: readAll('datasets', datasetShape),
    dashboards: readAll('dashboards', dashboardShape),
    colors: colors.value,
  } as unknown as Assets;
  if (problems.length === 0) problems.push(...findReferenceProblems(assets));
  if (problems.length > 0) throw new InvalidInputError({ what, where: folder, problems });
  return assets;
}
