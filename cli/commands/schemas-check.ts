import { PipelineError } from '../../core/errors.ts';
import { listRules } from '../../core/finding.ts';
import { checkAgainstGit, checkAgainstRegistry } from '../../schemas/evolution/check-evolution.ts';
import { readGitHistory } from '../../schemas/evolution/git-history.ts';
import { evolutionRules } from '../../schemas/evolution/rules.ts';
import { createRegistry } from '../../schemas/registry.ts';
import type { CommandContext, Options, Run } from '../command.ts';
import { reportFindings } from '../findings/report-findings.ts';

export const run: Run = async (context, options) => {
  const { base, subjects, findings } = await compare(context, options);
  return reportFindings(context.output, options, {
    check: 'schemas:check',
    rules: listRules(evolutionRules),
    findings,
    scope: `${subjects.length} schemas against ${base}`,
    document: { base, subjects },
  });
};

function compare({ target, signal }: CommandContext, { base }: Options) {
  if (base === undefined) {
    const { schemaRegistry } = target();
    return checkAgainstRegistry(createRegistry(schemaRegistry, signal), schemaRegistry.url);
  }
  if (typeof base !== 'string' || base === '') {
    throw new PipelineError('USAGE', {
      what: '--base needs the name of one commit',
      todo: 'As in "npm run schemas:check -- --base origin/main".',
    });
  }
  return readGitHistory(base, { signal }).then((history) => checkAgainstGit(history));
}
