import pc from 'picocolors';
import { examineMachine } from '../../embedded/doctor.ts';
import type { Finding } from '../../embedded/machine.ts';
import { resolveStackSettings } from '../../embedded/stack.ts';
import type { Run } from '../command.ts';

export const run: Run = async ({ env, signal, output }) => {
  const findings = await examineMachine(resolveStackSettings(env), signal);
  const problems = findings.filter(({ ok }) => !ok).length;
  output.document(findings);
  output.print(findings.map(renderFinding).join('\n'));
  if (problems === 0) {
    output.print('\nEverything the pipeline needs is here.');
    return 0;
  }
  output.print(`\n${problems === 1 ? 'One problem' : `${problems} problems`} to solve.`);
  return 2;
};

function renderFinding({ name, ok, found, cure }: Finding): string {
  const line = `${ok ? pc.green('✓') : pc.red('✗')} ${name.padEnd(18)} ${found}`;
  return cure === undefined ? line : `${line}\n  ${' '.repeat(18)} ${pc.dim('cure:')} ${cure}`;
}
