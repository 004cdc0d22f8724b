/** The options that every check has, beside those of its own. */
export const findingOptions = [
  ['--sarif <file>', 'Also write the findings to this file, as SARIF 2.1.0'],
  ['--annotations', 'Also print them as annotations of GitHub Actions'],
] as const;
