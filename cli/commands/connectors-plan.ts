import { hasChanges } from '../../controlplane/plan.ts';
import { planFleet } from '../../controlplane/fleet.ts';
import { describeSink } from '../../controlplane/sink-class.ts';
import { loadCatalog } from '../../schemas/catalog.ts';
import type { Run } from '../command.ts';
import { renderPlan } from '../render-plan.ts';

export const run: Run = async (context, options) => {
  const { env, output, signal } = context;
  const { sink, plan } = await planFleet({
    target: context.target(),
    contracts: loadCatalog(),
    env,
    rewriteSecrets: options['rewriteSecrets'] === true,
    signal,
  });
  output.print(`${describeSink(sink)}\n\n${renderPlan(plan)}`);
  output.document({ sink, changes: plan.changes });
  return hasChanges(plan) ? 2 : 0;
};
