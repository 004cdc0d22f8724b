import type { Scenario } from '../scenario/scenario.ts';
import type { PlannedInvoice } from './billing-cycle.ts';
import type { CustomerLife } from './customer-life.ts';
import { customerTurn, subscriptionTurn } from './subscription-steps.ts';
import type { PlannedStep } from './steps.ts';

const day = 86_400_000;

/** An invoice that is not paid in time. */
export interface Debt {
  pastDueAt: number;
  isPastDue: boolean;
  /** One of the two comes, the other is Infinity. */
  paidAt: number;
  givenUpAt: number;
}

/** Remembers an invoice that will not be paid in time. */
export function rememberDebt(life: CustomerLife, { pastDueAt, paidAt, givenUpAt }: PlannedInvoice): void {
  if (pastDueAt === undefined) return;
  life.debts.push({
    pastDueAt,
    isPastDue: false,
    paidAt: paidAt ?? Number.POSITIVE_INFINITY,
    givenUpAt: givenUpAt ?? Number.POSITIVE_INFINITY,
  });
}

/** When something comes of a debt next; Infinity without debts. */
export function nextDebtAt({ debts }: CustomerLife): number {
  let next = Number.POSITIVE_INFINITY;
  for (const debt of debts) next = Math.min(next, turnOf(debt));
  return next;
}

/**
 * What comes of the debt that turns now: a subscription is past due while any of its invoices is, active again
 * once all are paid, and unpaid as soon as one is given up.
 */
export function turnDebts({ settings }: Scenario, life: CustomerLife, at: number): PlannedStep[] {
  const index = life.debts.findIndex((debt) => turnOf(debt) === at);
  const debt = life.debts[index];
  if (debt === undefined) return [];
  if (!debt.isPastDue) {
    debt.isPastDue = true;
    if (life.status === 'past_due') return [];
    return [
      customerTurn(life, at, 'past_due', 'past_due'),
      subscriptionTurn(life, at, 'past_due', 'past_due'),
    ];
  }
  if (debt.paidAt === at) {
    life.debts.splice(index, 1);
    if (life.debts.some(({ isPastDue }) => isPastDue)) return [];
    return [customerTurn(life, at, 'recovered', 'active'), subscriptionTurn(life, at, 'recovered', 'active')];
  }
  life.debts = [];
  life.phase = 'unpaid_end';
  life.turnAt = at + settings.subscriptions.unpaidDays * day;
  return [subscriptionTurn(life, at, 'unpaid', 'unpaid')];
}

function turnOf({ isPastDue, pastDueAt, paidAt, givenUpAt }: Debt): number {
  return isPastDue ? Math.min(paidAt, givenUpAt) : pastDueAt;
}
