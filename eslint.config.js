import js from '@eslint/js';
import prettier from 'eslint-config-prettier';
import { createNodeResolver, importX } from 'eslint-plugin-import-x';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

/** Which folder may import which: the table of CONTRIBUTING.md. Everything may import core/ and itself. */
const mayImport = {
  core: [],
  targets: [],
  schemas: [],
  producers: ['schemas', 'targets'],
  clickhouse: ['targets'],
  dbt: ['targets'],
  controlplane: ['schemas', 'targets', 'connectors', 'clickhouse'],
  contracts: ['schemas', 'targets', 'controlplane', 'clickhouse', 'superset'],
  embedded: ['schemas', 'targets'],
  superset: ['targets', 'clickhouse', 'embedded'],
  // The demo ties every area together, and the command line is the door to all of them.
  demo: [
    'schemas',
    'targets',
    'producers',
    'controlplane',
    'clickhouse',
    'dbt',
    'embedded',
    'superset',
    'cli',
  ],
  cli: [
    'schemas',
    'targets',
    'producers',
    'connectors',
    'controlplane',
    'clickhouse',
    'dbt',
    'contracts',
    'embedded',
    'superset',
    'demo',
  ],
};
const areas = [...Object.keys(mayImport), 'connectors', 'bench', 'test'];

/** Import zones for import-x, one for each forbidden direction. */
const zones = Object.entries(mayImport).flatMap(([target, allowed]) =>
  areas
    .filter((from) => from !== target && from !== 'core' && !allowed.includes(from))
    .map((from) => ({
      target: `./${target}`,
      from: `./${from}`,
      message: `${target}/ must not import ${from}/ (CONTRIBUTING.md, "Who may import whom").`,
    })),
);

export default defineConfig(
  { ignores: ['node_modules/', '.pipeline/', '**/target/'] },
  js.configs.recommended,
  tseslint.configs.strictTypeChecked,
  tseslint.configs.stylisticTypeChecked,
  {
    plugins: { 'import-x': importX },
    settings: { 'import-x/resolver-next': [createNodeResolver({ extensions: ['.ts', '.js', '.json'] })] },
    languageOptions: { parserOptions: { projectService: { allowDefaultProject: ['*.js'] } } },
    rules: {
      'import-x/no-restricted-paths': ['error', { zones }],
      'import-x/no-cycle': 'error',
      'import-x/no-default-export': 'error',
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          paths: [
            {
              name: 'kafkajs',
              message: 'Use core/kafkajs/kafkajs.ts, which makes it fast.',
              allowTypeImports: true,
            },
          ],
        },
      ],
      'import-x/no-unresolved': 'off',
      '@typescript-eslint/consistent-type-imports': 'error',
      // An empty environment variable counts as unset, so || is meant on strings.
      '@typescript-eslint/prefer-nullish-coalescing': ['error', { ignorePrimitives: { string: true } }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // Environment variables and open records are read as env['NAME']: tsconfig demands it.
      '@typescript-eslint/dot-notation': ['error', { allowIndexSignaturePropertyAccess: true }],
      'max-lines': ['error', { max: 300, skipBlankLines: true, skipComments: true }],
      'no-console': 'error',
    },
  },
  { files: ['*.config.{js,ts}'], rules: { 'import-x/no-default-export': 'off' } },
  { files: ['test/**'], rules: { '@typescript-eslint/no-non-null-assertion': 'off' } },
  { files: ['**/*.js'], extends: [tseslint.configs.disableTypeChecked] },
  prettier,
);
