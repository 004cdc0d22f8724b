import { existsSync, linkSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { PipelineError, codeOf } from '../../core/errors.ts';
import type { Home } from '../../core/home.ts';
import { parseWith, readJson } from '../../core/parse.ts';

const period = z.strictObject({ startAt: z.int(), endAt: z.int() });

const claimSchema = z.strictObject({
  kind: z.enum(['history', 'live']),
  /** Customers whose indices the run may use, and nobody else ever again. */
  first: z.int().min(0),
  count: z.int().min(0),
  /** Of a history: the period it tells of. Of a live run: twice the moment it began. */
  startAt: z.int(),
  endAt: z.int(),
  /** Of a live run: customers of complete histories whose lives it goes on with; no other run ever does. */
  adopts: z.array(z.strictObject({ first: z.int().min(0), count: z.int().min(1) })).optional(),
  /** Settings and code the lives follow from (fingerprint.ts): only the same can go on with them. */
  fingerprint: z.string().optional(),
  /** Of a history: how it is told, so that whoever goes on with it does the same. */
  backfill: z
    .strictObject({
      years: z.number().positive(),
      /** Customers are told of in so many parts of the same size, each from the start to the end of the period. */
      parts: z.int().min(1),
    })
    .optional(),
  /** Whole days (UTC) whose exchange rates the run tells. */
  rates: z.array(period).optional(),
  /** Changes of products and plans up to this moment are told, by this run or by one before it. */
  referenceUntil: z.int().optional(),
  /** Marketing spend of the days before this one (UTC) is told. */
  spendUntil: z.int().optional(),
});

/** What a run is about to write: which customers, told of which period. */
export type Claim = z.infer<typeof claimSchema>;

/** A claim with its number; a run's number sets its ids apart from every other run's. */
export interface NumberedClaim extends Claim {
  number: number;
  /** The run went to its end, so its customers exist on the broker. */
  isComplete: boolean;
}

/**
 * Remembers which part of a scenario has been written, so that no later run of the same seed uses the same ids.
 * A claim is a small file that is created before the first record is sent and never changed: a run that is
 * killed leaves a gap, never a collision. Two runs at the same time get different numbers.
 */
export class Claims {
  readonly #folder: string;

  /** @param folder belongs to one seed on one Kafka cluster */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** @throws InvalidInputError when somebody edited a claim */
  list(): NumberedClaim[] {
    if (!existsSync(this.#folder)) return [];
    const what = 'The record of an earlier run is not valid';
    return readdirSync(this.#folder)
      .filter((name) => /^\d{6}\.json$/.test(name))
      .sort()
      .map((name) => {
        const file = path.join(this.#folder, name);
        const number = Number.parseInt(name, 10);
        const claim = parseWith(claimSchema, readJson(file, what), what, file);
        return { ...claim, number, isComplete: existsSync(this.#doneFile(number)) };
      });
  }

  /** Claims what `decide` makes of the claims so far; decides again when another run was faster. */
  add<C extends Claim>(decide: (previous: readonly NumberedClaim[]) => C): C & NumberedClaim {
    try {
      mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
      for (;;) {
        const previous = this.list();
        const number = (previous.at(-1)?.number ?? 0) + 1;
        const claim = decide(previous);
        if (this.#create(number, claim)) return { ...claim, number, isComplete: false };
      }
    } catch (error) {
      if (error instanceof PipelineError) throw error;
      throw notWritable(this.#folder, error);
    }
  }

  /** @throws PipelineError `STATE_NOT_WRITABLE` */
  complete({ number }: NumberedClaim): void {
    const file = this.#doneFile(number);
    try {
      writeFileSync(file, '', { mode: 0o600 });
    } catch (error) {
      throw new PipelineError('STATE_NOT_WRITABLE', {
        what: `All was sent, but the end of the run cannot be recorded (${codeOf(error) ?? 'unknown reason'})`,
        where: file,
        todo: 'Make room or correct the permissions, then run the same command again.',
        cause: error,
      });
    }
  }

  /** Where the run may keep files of its own. */
  folderOf({ number }: NumberedClaim): string {
    return path.join(this.#folder, `${String(number).padStart(6, '0')}.run`);
  }

  /** A link appears with its whole content or not at all, and fails where the name is taken. */
  #create(number: number, claim: Claim): boolean {
    const draft = path.join(this.#folder, `draft-${process.pid}`);
    writeFileSync(draft, `${JSON.stringify(claim)}\n`, { mode: 0o600 });
    try {
      linkSync(draft, path.join(this.#folder, `${String(number).padStart(6, '0')}.json`));
      return true;
    } catch (error) {
      if (codeOf(error) === 'EEXIST') return false;
      throw error;
    } finally {
      rmSync(draft, { force: true });
    }
  }

  #doneFile(number: number): string {
    return path.join(this.#folder, `${String(number).padStart(6, '0')}.done`);
  }
}

/** Where the runs against one target are remembered, one folder per seed. */
export function claimsFolder(home: Home, targetName: string): string {
  return path.join(home.data, 'producers', targetName);
}

/** Belongs to one seed on one Kafka cluster: what a purged broker held is no reason to skip anything. */
export function runsFolder(home: Home, targetName: string, clusterId: string, seed: number): string {
  return path.join(claimsFolder(home, targetName), clusterId, `seed-${seed}`);
}

/** For an attempt to record a run before it has sent anything. */
export function notWritable(folder: string, cause: unknown): PipelineError {
  return new PipelineError('STATE_NOT_WRITABLE', {
    what: `The run cannot be recorded (${codeOf(cause) ?? 'unknown reason'}); nothing was sent`,
    where: folder,
    todo: 'Make room or correct the permissions, or point PIPELINE_HOME elsewhere.',
    cause,
  });
}

/**
 * Forgets every run against a target whose topics are gone: a live run would go on with customers that no
 * broker holds any more.
 */
export function forgetRuns(home: Home, targetName: string): void {
  rmSync(claimsFolder(home, targetName), { recursive: true, force: true });
}

/** The first index that no run has claimed. */
export function firstFreeIndex(claims: readonly Claim[]): number {
  return claims.reduce((next, { first, count }) => Math.max(next, first + count), 0);
}
