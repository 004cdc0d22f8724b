import path from 'node:path';
import { z } from 'zod';
import { projectRoot } from '../../core/home.ts';
import { parseWith, readText, readYaml } from '../../core/parse.ts';

/** What the models say of currencies. */
export interface Currencies {
  /** ISO 4217 code of the amounts named reporting. */
  reporting: string;
  /** Digits of the minor unit by ISO 4217 code. */
  exponents: ReadonlyMap<string, number>;
}

/** Reads the reporting currency and the minor units from the dbt project, where they are defined. */
export function readCurrencies(root = projectRoot): Currencies {
  const what = 'The currencies of the dbt project can not be read';
  const project = path.join(root, 'dbt', 'dbt_project.yml');
  const shape = z.looseObject({ vars: z.looseObject({ reporting_currency: z.string() }) });
  const { vars } = parseWith(shape, readYaml(project, what), what, project);
  const seed = readText(path.join(root, 'dbt', 'seeds', 'currencies.csv'), what);
  const exponents = new Map<string, number>();
  for (const line of seed.trim().split('\n').slice(1)) {
    // A name may hold commas; code and exponent stand at the ends.
    const cells = line.split(',');
    exponents.set(cells[0] ?? '', Number(cells.at(-1)));
  }
  return { reporting: vars.reporting_currency, exponents };
}

/** Fills the placeholders that `superset/assets/` may use in expressions and texts. */
export function fillPlaceholders(text: string, { reporting, exponents }: Currencies): string {
  return text
    .replaceAll('{reporting_currency}', reporting)
    .replaceAll('{reporting_units}', String(10 ** (exponents.get(reporting) ?? 2)))
    .replaceAll('{units}', () => {
      const others = [...exponents].filter(([, exponent]) => exponent !== 2);
      const codes = others.map(([code]) => `'${code}'`).join(', ');
      const units = others.map(([, exponent]) => String(10 ** exponent)).join(', ');
      return `transform(currency, [${codes}], [${units}], 100)`;
    });
}
