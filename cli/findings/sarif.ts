import type { Finding, FindingRule } from '../../core/finding.ts';

/** Where a tool's rules are explained. */
const helpFile = 'docs/schema-evolution.md';

/**
 * A SARIF 2.1.0 log with one run (OASIS, "Static Analysis Results Interchange Format"): what code scanning services
 * and editors read. Paths are relative to `%SRCROOT%`, the checkout.
 */
export function toSarif(tool: string, rules: readonly FindingRule[], findings: readonly Finding[]): object {
  const indexes = new Map(rules.map(({ id }, index) => [id, index]));
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: tool,
            rules: rules.map(({ id, summary }) => ({
              id,
              shortDescription: { text: summary },
              help: { text: `See ${helpFile}.` },
            })),
          },
        },
        columnKind: 'utf16CodeUnits',
        originalUriBaseIds: { '%SRCROOT%': { description: { text: 'The root of the checkout.' } } },
        results: findings.map((finding) => ({
          ruleId: finding.rule,
          ruleIndex: indexes.get(finding.rule) ?? -1,
          level: finding.level,
          message: { text: messageOf(finding) },
          locations: [
            {
              physicalLocation: {
                artifactLocation: { uri: encodeURI(finding.file), uriBaseId: '%SRCROOT%' },
                region: { startLine: finding.line },
              },
              logicalLocations: [{ fullyQualifiedName: nameOf(finding) }],
            },
          ],
          // Without the line: a finding that only moved is the same one.
          partialFingerprints: { 'subjectFieldRule/v1': `${nameOf(finding)}:${finding.rule}` },
        })),
      },
    ],
  };
}

/** `billing.customers-value/email` */
export function nameOf({ subject, path }: Finding): string {
  return path === '' ? subject : `${subject}/${path}`;
}

/** What is the case, whom it breaks and what to do instead, in as many sentences. */
export function messageOf({ what, breaks, todo }: Finding): string {
  const whom = breaks.length === 0 ? '' : ` Breaks: ${breaks.join(', ')}.`;
  return `${what}.${whom} ${todo}`;
}
