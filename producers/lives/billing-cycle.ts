import type { Customer } from '../entities/customers.ts';
import { createInvoice, type Bill, type Invoice } from '../entities/invoices.ts';
import { createPayment } from '../entities/payments.ts';
import type { Numbering } from '../scenario/ids.ts';
import type { Random } from '../scenario/random.ts';
import { activityAt, type Scenario } from '../scenario/scenario.ts';
import type { InvoiceStatus } from '../scenario/state-machines.ts';
import { planPayment } from './payment-cycle.ts';
import type { PlannedStep } from './steps.ts';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

/** An invoice from its draft to its end, with every payment made for it. */
export interface PlannedInvoice {
  /** In the order of time. */
  steps: PlannedStep[];
  /** When it was paid in full; undefined when it never is. */
  paidAt: number | undefined;
}

/** Draws how an invoice that is drafted at `at` goes. */
export function planInvoice(
  scenario: Scenario,
  random: Random,
  bill: Bill,
  numbering: Numbering,
  at: number,
): PlannedInvoice {
  const { invoices: settings } = scenario.settings;
  const invoice = createInvoice(scenario, random, bill, numbering);
  const openAt = at + random.integer(1, 30) * minute;
  const steps = [turn(invoice, at, 'draft'), turn(invoice, openAt, 'open')];
  if (random.chance(settings.void)) {
    steps.push(turn(invoice, openAt + random.integer(1, 72) * hour, 'void'));
    return { steps, paidAt: undefined };
  }
  if (invoice.totalMinor === 0) {
    steps.push(turn(invoice, openAt, 'paid'));
    return { steps, paidAt: openAt };
  }

  const isPartial = random.chance(settings.partial) && invoice.totalMinor > 1;
  const firstMinor = isPartial ? Math.ceil(invoice.totalMinor / 2) : invoice.totalMinor;
  let openMinor = invoice.totalMinor;
  let payAt = firstPaymentAt(scenario, random, bill, openAt);
  let isLastChance = !random.chance(settings.recoveredLater);
  for (;;) {
    const amountMinor = Math.min(firstMinor, openMinor);
    const payment = createPayment(scenario, invoice, amountMinor, numbering);
    const { steps: planned, capturedAt, endedAt } = planPayment(scenario, random, payment, numbering, payAt);
    steps.push(...planned);
    if (capturedAt !== undefined) {
      openMinor -= amountMinor;
      const isPaid = openMinor === 0;
      steps.push(turn(invoice, capturedAt, isPaid ? 'paid' : 'partially_paid', amountMinor));
      if (isPaid) return { steps: inOrder(steps), paidAt: capturedAt };
      payAt = capturedAt + random.integer(2, 20) * day;
      continue;
    }
    if (isLastChance) break;
    isLastChance = true;
    payAt = endedAt + random.integer(3, 20) * day;
  }
  // What was paid in part stays open: the state machine writes off whole invoices only.
  if (openMinor === invoice.totalMinor) {
    steps.push(turn(invoice, payAt + settings.uncollectibleAfterDays * day, 'uncollectible'));
  }
  return { steps: inOrder(steps), paidAt: undefined };
}

function turn(invoice: Invoice, at: number, to: InvoiceStatus, paidMinor = 0): PlannedStep {
  return { at, step: { kind: 'invoice', invoice, to, paidMinor } };
}

/** Cards, debits and wallets are charged at once; transfers are made by people, in their waking hours. */
function firstPaymentAt(
  scenario: Scenario,
  random: Random,
  { customer, dueDays }: Bill,
  openAt: number,
): number {
  if (customer.method !== 'bank_transfer') return openAt + random.integer(1, 10) * minute;
  const isLate = random.chance(scenario.settings.invoices.late);
  const days = isLate ? dueDays + 1 + random.exponential(8) : random.float() * Math.max(1, dueDays - 1);
  return Math.round(wakingMoment(scenario, random, customer, openAt + days * day));
}

/** A moment within the day after `from`, more likely when the customer's part of the world is busy. */
function wakingMoment(scenario: Scenario, random: Random, { place }: Customer, from: number): number {
  let moment = from;
  for (let attempt = 0; attempt < 8; attempt += 1) {
    moment = from + random.float() * day;
    if (random.chance(activityAt(scenario, place.timezone, moment))) break;
  }
  return moment;
}

/** Sorting is stable: what follows from a payment at the same moment stays behind it. */
function inOrder(steps: PlannedStep[]): PlannedStep[] {
  return steps.sort((a, b) => a.at - b.at);
}
