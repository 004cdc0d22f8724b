import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { applyFleet, planFleet } from '../../controlplane/fleet.ts';
import { readPlanFile, requireSamePlan } from '../../controlplane/plan-file.ts';
import { loadSecretHash } from '../../controlplane/secret-hash.ts';
import { describeSink } from '../../controlplane/sink-class.ts';
import { PipelineError } from '../../core/errors.ts';
import { withProcessLock } from '../../core/process-lock.ts';
import { loadCatalog } from '../../schemas/catalog.ts';
import type { CommandContext, ExitCode, Options, Run } from '../command.ts';
import { renderPlan } from '../render-plan.ts';

/** Managed connectors take minutes to be provisioned. */
const lockTimeoutMs = 900_000;

export const run: Run = async (context, options) => {
  const { home } = context;
  const file = path.join(home.root, 'connectors', `${context.target().name}.lock`);
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  const { output, signal } = context;
  const onWait = (owner: number | undefined) => {
    output.note(`Waiting for another apply (pid ${String(owner ?? 'unknown')})`);
  };
  const todo = `It holds ${file}.`;
  // Two applies of one machine run one after the other: what the first one writes is what the second finds.
  return withProcessLock(
    file,
    { what: 'another apply to end', timeoutMs: lockTimeoutMs, signal, todo, onWait },
    () => apply(context, options),
  );
};

async function apply(context: CommandContext, options: Options): Promise<ExitCode> {
  const { env, home, output, signal } = context;
  const { file, ...asked } = readOptions(options);
  const saved = file === undefined ? undefined : readPlanFile(file);
  const { prune, rewriteSecrets } = saved ?? asked;
  const target = context.target();
  const secretHash = loadSecretHash(home, env);
  const fleet = { target, contracts: loadCatalog(), env, prune, rewriteSecrets, secretHash, signal };
  const planned = await planFleet(fleet);
  const { address, sink, plan, leftOver } = planned;
  if (saved !== undefined && file !== undefined) {
    const now = { target: target.name, address, prune, rewriteSecrets, hash: secretHash };
    requireSamePlan(saved, plan, now, file);
  }
  output.print(`${describeSink(sink)}\n\n${renderPlan(planned)}`);
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
    leftOver,
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
}

function readOptions(options: Options) {
  const [prune, rewriteSecrets] = [options['prune'] === true, options['rewriteSecrets'] === true];
  const file = options['plan'];
  if (typeof file !== 'string') return { file: undefined, prune, rewriteSecrets };
  if (prune || rewriteSecrets) {
    throw new PipelineError('USAGE', {
      what: '--plan goes alone: the saved plan says what it was asked for',
      todo: 'Give --prune and --rewrite-secrets to connectors:plan.',
    });
  }
  return { file: path.resolve(file), prune, rewriteSecrets };
}
