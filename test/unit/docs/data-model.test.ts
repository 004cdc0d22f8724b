import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { projectRoot } from '../../../core/home.ts';
import { loadScenarioSettings } from '../../../producers/scenario/settings.ts';
import { loadCatalog } from '../../../schemas/catalog.ts';
import { dataModelSections } from './data-model-sections.ts';

const file = path.join(projectRoot, 'docs', 'data-model.md');

it('docs/data-model.md says what the catalog, the state machines and the scenario say (written by: npx vitest run --project unit test/unit/docs -u)', async () => {
  let text = readFileSync(file, 'utf8');
  for (const [name, body] of Object.entries(dataModelSections(loadCatalog(), loadScenarioSettings()))) {
    const [begin, end] = [`<!-- begin ${name} -->`, `<!-- end ${name} -->`];
    expect(text.split(begin), begin).toHaveLength(2);
    expect(text.split(end), end).toHaveLength(2);
    text = `${text.slice(0, text.indexOf(begin))}${begin}\n\n${body}\n\n${text.slice(text.indexOf(end))}`;
  }
  await expect(text).toMatchFileSnapshot(file);
});
