import { drawLast4, holdsACard, type PaymentMethodStep } from '../entities/payment-methods.ts';
import { addMonths } from '../scenario/local-time.ts';
import type { Scenario } from '../scenario/scenario.ts';
import type { CustomerLife } from './customer-life.ts';
import type { PlannedStep } from './steps.ts';

const hour = 3_600_000;
const day = 24 * hour;

/** Puts what the customer pays with on file. */
export function attachMethod({ settings }: Scenario, life: CustomerLife, at: number): PlannedStep {
  return putOnFile(life, at, 'attached', settings.paymentMethods.validMonths);
}

/** The card on file expires; its successor is put on file some days later, under the same id. */
export function replaceMethod({ settings }: Scenario, life: CustomerLife, at: number): PlannedStep[] {
  const { replacedAfterDays, replacedValidMonths } = settings.paymentMethods;
  const [soonest, latest] = replacedAfterDays;
  const { method, random } = life;
  const replacedAt = at + 1 * hour + Math.round((soonest + random.float() * (latest - soonest)) * day);
  return [
    { at, step: { kind: 'paymentMethod', method, verb: 'expired', validMonths: 0, last4: null } },
    putOnFile(life, replacedAt, 'updated', replacedValidMonths),
  ];
}

/** A payment that fails because the card has expired is how one learns of it. */
export function expireAfterFailure(life: CustomerLife, steps: readonly PlannedStep[]): void {
  for (const { at, step } of steps) {
    if (step.kind !== 'payment' || step.failureCode !== 'expired_card') continue;
    if (at >= life.methodFrom && holdsACard(life.customer)) life.methodAt = Math.min(life.methodAt, at);
  }
}

function putOnFile(
  life: CustomerLife,
  at: number,
  verb: PaymentMethodStep['verb'],
  [shortest, longest]: readonly [number, number],
): PlannedStep {
  const { method, random } = life;
  const validMonths = holdsACard(life.customer) ? random.integer(shortest, longest) : 0;
  life.methodFrom = at;
  life.methodAt = validMonths === 0 ? Number.POSITIVE_INFINITY : endOfMonth(addMonths(at, validMonths));
  return { at, step: { kind: 'paymentMethod', method, verb, validMonths, last4: drawLast4(random) } };
}

/** Cards are good until the end of the month that is printed on them. */
function endOfMonth(at: number): number {
  const date = new Date(at);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1);
}
