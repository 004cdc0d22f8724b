import { applyFleet, planFleet } from '../../controlplane/fleet.ts';
import { describeSink } from '../../controlplane/sink-class.ts';
import { PipelineError } from '../../core/errors.ts';
import { loadCatalog } from '../../schemas/catalog.ts';
import type { Run } from '../command.ts';
import { renderPlan } from '../render-plan.ts';

export const run: Run = async (context, options) => {
  const { env, output, signal } = context;
  const rewriteSecrets = options['rewriteSecrets'] === true;
  const fleet = { target: context.target(), contracts: loadCatalog(), env, rewriteSecrets, signal };
  const planned = await planFleet(fleet);
  const { address, sink, plan } = planned;
  output.print(`${describeSink(sink)}\n\n${renderPlan(plan)}`);
  const applied = await applyFleet(fleet, planned, {
    onProgress: (line) => {
      output.note(line);
    },
  });
  output.document({
    sink,
    changes: plan.changes.map((change) => ({
      ...change,
      failure: applied.find((one) => one.change.name === change.name)?.failure ?? null,
    })),
  });
  const failed = applied.filter(({ failure }) => failure !== null);
  if (failed.length === 0) return 0;
  throw new PipelineError('APPLY_INCOMPLETE', {
    what: `${String(failed.length)} of ${String(applied.length)} changes did not end as they should`,
    where: address,
    todo: [
      ...failed.map(({ change, failure }) => `${change.name}: ${failure ?? ''}`),
      'Everything else was done. Correct the cause, then run connectors:apply again.',
    ].join('\n'),
  });
};
