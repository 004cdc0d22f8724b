import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { PipelineError, codeOf } from '../core/errors.ts';
import { parseWith, readJson } from '../core/parse.ts';
import { replaceFile } from '../core/replace-file.ts';
import type { ConnectorConfig } from './connector-config.ts';
import { operatedState, operations, type Change, type Plan } from './plan.ts';
import type { SecretHash } from './secret-hash.ts';

const what = 'This is not a saved plan';

const planFileSchema = z.object({
  version: z.literal(1),
  /** ISO 8601, UTC. */
  madeAt: z.iso.datetime(),
  target: z.string(),
  /** Of the server that runs the connectors. */
  address: z.string(),
  /** Of the key of every hash in here. */
  keyId: z.string(),
  /** What the plan was asked for. */
  prune: z.boolean(),
  rewriteSecrets: z.boolean(),
  /** As they were printed, secrets as hashes. */
  changes: z.array(z.looseObject({ name: z.string(), operation: z.enum(operations) })),
  /** Keyed hashes of what is declared and of what runs, by connector; null where there is none. */
  fingerprints: z.record(
    z.string(),
    z.object({ declared: z.string().nullable(), live: z.string().nullable() }),
  ),
});

/** A plan on disk. Holds no secret. */
export type SavedPlan = z.infer<typeof planFileSchema>;

interface PlanCircumstances {
  target: string;
  address: string;
  prune: boolean;
  rewriteSecrets: boolean;
  hash: SecretHash;
}

/** The plan as a file keeps it. */
export function toSavedPlan(plan: Plan, { hash, ...asked }: PlanCircumstances): SavedPlan {
  const names = plan.changes.map(({ name }) => name);
  return {
    version: 1,
    madeAt: new Date().toISOString(),
    ...asked,
    keyId: hash.keyId,
    changes: plan.changes.map((change) => ({ ...change })),
    fingerprints: Object.fromEntries(
      names.map((name) => {
        const [desired, live] = [plan.desired.get(name), plan.live.get(name)];
        const declared = desired && fingerprint(hash, desired.config, desired.state ?? '');
        return [
          name,
          {
            declared: declared ?? null,
            live: live === undefined ? null : fingerprint(hash, live.config, operatedState(live)),
          },
        ];
      }),
    ),
  };
}

/** @throws PipelineError `PLAN_UNWRITABLE` */
export function writePlanFile(file: string, saved: SavedPlan): void {
  try {
    replaceFile(file, `${JSON.stringify(saved, null, 2)}\n`);
  } catch (error) {
    throw new PipelineError('PLAN_UNWRITABLE', {
      what: `The plan cannot be written (${codeOf(error) ?? 'unknown'})`,
      where: file,
      todo: 'Name a file in a folder that exists and may be written to.',
    });
  }
}

/** @throws InvalidInputError where the file is missing, or is anything else than a saved plan */
export function readPlanFile(file: string): SavedPlan {
  return parseWith(planFileSchema, readJson(file, what), what, file);
}

/**
 * Makes sure that a plan made now is the saved one, so that executing it does exactly what was reviewed.
 *
 * @throws PipelineError `PLAN_OF_ANOTHER_TARGET`, `PLAN_OF_ANOTHER_KEY`, `PLAN_OUTDATED` with each connector that
 * has moved on
 */
export function requireSamePlan(saved: SavedPlan, plan: Plan, now: PlanCircumstances, file: string): void {
  if (saved.target !== now.target || saved.address !== now.address) {
    throw new PipelineError('PLAN_OF_ANOTHER_TARGET', {
      what: `The plan is for ${saved.target} at ${saved.address}, not for ${now.target} at ${now.address}`,
      where: file,
      todo: 'Name its target with --target, or make a plan for this one.',
    });
  }
  if (saved.keyId !== now.hash.keyId) {
    throw new PipelineError('PLAN_OF_ANOTHER_KEY', {
      what: 'The plan was made with another key, so that its secrets cannot be compared',
      where: file,
      todo: 'Apply it where it was made, or set the same CONNECTORS_HASH_KEY in both places.',
    });
  }
  const current = toSavedPlan(plan, now);
  const names = new Set([...Object.keys(saved.fingerprints), ...Object.keys(current.fingerprints)]);
  const moved = [...names].sort().flatMap((name) => {
    const why = reasonOf(saved, current, name);
    return why === null ? [] : [`${name}: ${why}`];
  });
  if (moved.length === 0) return;
  throw new PipelineError('PLAN_OUTDATED', {
    what: `The plan of ${saved.madeAt} no longer fits; nothing was changed`,
    where: file,
    todo: [...moved, 'Make a new one: connectors:plan -- --out FILE.'].join('\n'),
  });
}

function reasonOf(saved: SavedPlan, current: SavedPlan, name: string): string | null {
  const [before, now] = [saved.fingerprints[name], current.fingerprints[name]];
  if (before === undefined) return 'was not in the plan';
  if (now === undefined) return 'is neither declared nor there any more';
  if (before.live !== now.live) {
    if (now.live === null) return 'was deleted since';
    return before.live === null ? 'was created since' : 'what runs was changed since';
  }
  if (before.declared !== now.declared) return 'its declaration was changed since';
  const steps = (plan: SavedPlan) => toJson(plan.changes.find((change) => change.name === name));
  return isDeepStrictEqual(steps(saved), steps(current)) ? null : 'other steps are needed now';
}

function toJson(change: Partial<Change> | undefined): unknown {
  return change === undefined ? null : JSON.parse(JSON.stringify(change));
}

function fingerprint(hash: SecretHash, config: ConnectorConfig, state: string): string {
  const entries = Object.entries(config).sort(([a], [b]) => (a < b ? -1 : 1));
  return hash.of(JSON.stringify(entries), state);
}
