import type { Finding, FindingLevel } from '../../core/finding.ts';
import { messageOf, nameOf } from './sarif.ts';

const commands: Record<FindingLevel, string> = { error: 'error', warning: 'warning', note: 'notice' };

/** Workflow commands of GitHub Actions: each line puts a finding beside its line in a pull request. */
export function toAnnotations(findings: readonly Finding[]): string[] {
  return findings.map((finding) => {
    const properties = [
      `file=${property(finding.file)}`,
      `line=${finding.line}`,
      `title=${property(`${nameOf(finding)} (${finding.rule})`)}`,
    ];
    return `::${commands[finding.level]} ${properties.join(',')}::${data(messageOf(finding))}`;
  });
}

/** The runner decodes these and nothing else. */
function data(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function property(text: string): string {
  return data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
