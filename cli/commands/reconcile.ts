import { isClean, reconcile } from '../../controlplane/reconcile.ts';
import { loadCatalog } from '../../schemas/catalog.ts';
import type { Run } from '../command.ts';
import { renderReconciliation } from '../render-reconciliation.ts';

export const run: Run = async (context) => {
  const { signal, output } = context;
  const partitions = await reconcile({ target: context.target(), catalog: loadCatalog(), signal });
  const clean = isClean(partitions);
  output.print(renderReconciliation(partitions));
  output.print(
    clean
      ? '\nNothing is missing: every record landed or is in a dead letter topic.'
      : '\nWhat the sink has not delivered yet counts as missing: run again, or see "npm run connectors:status".',
  );
  output.document(partitions);
  return clean ? 0 : 2;
};
