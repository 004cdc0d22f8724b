import path from 'node:path';
import { planFleet } from '../../controlplane/fleet.ts';
import { toSavedPlan, writePlanFile } from '../../controlplane/plan-file.ts';
import { hasChanges } from '../../controlplane/plan.ts';
import { loadSecretHash } from '../../controlplane/secret-hash.ts';
import { describeSink } from '../../controlplane/sink-class.ts';
import { loadCatalog } from '../../schemas/catalog.ts';
import type { Run } from '../command.ts';
import { renderPlan } from '../render-plan.ts';

export const run: Run = async (context, options) => {
  const { env, home, output, signal } = context;
  const target = context.target();
  const asked = { prune: options['prune'] === true, rewriteSecrets: options['rewriteSecrets'] === true };
  const secretHash = loadSecretHash(home, env);
  const planned = await planFleet({ target, contracts: loadCatalog(), env, ...asked, secretHash, signal });
  const { address, sink, plan, leftOver } = planned;
  output.print(`${describeSink(sink)}\n\n${renderPlan(planned)}`);
  output.document({ sink, changes: plan.changes, leftOver });
  const file = options['out'];
  if (typeof file === 'string') {
    writePlanFile(
      path.resolve(file),
      toSavedPlan(plan, { ...asked, target: target.name, address, hash: secretHash }),
    );
    output.note(`Saved as ${file}: connectors:apply -- --plan ${file}`);
  }
  return hasChanges(plan) ? 2 : 0;
};
