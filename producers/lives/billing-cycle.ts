import type { Customer } from '../entities/customers.ts';
import { createDiscount, type Reduction } from '../entities/discounts.ts';
import { createInvoice, subtotalOf, type Bill, type Invoice } from '../entities/invoices.ts';
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

/** An invoice from its draft to its end, with its lines and every payment made for it. */
export interface PlannedInvoice {
  invoice: Invoice;
  /** In the order of time. */
  steps: PlannedStep[];
  /** When it was paid in full; undefined when it never is. */
  paidAt: number | undefined;
  /**
   * When the customer falls behind: an automatic payment fails, or the invoice is due and not paid. Undefined
   * when neither happens, and when the invoice is void.
   */
  pastDueAt: number | undefined;
  /** When nobody tries to collect it any more; undefined unless the customer fell behind and never pays. */
  givenUpAt: number | undefined;
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
  const reduction = bill.discountMinor === 0 ? drawReduction(scenario, random, bill) : undefined;
  const billed = reduction === undefined ? bill : { ...bill, discountMinor: minorOf(reduction, bill) };
  const { invoice, lines } = createInvoice(scenario, billed, numbering);
  const openAt = at + random.integer(1, 30) * minute;
  const steps = [turn(invoice, at, 'draft')];
  for (const line of lines) steps.push({ at, step: { kind: 'invoiceLine', line } });
  if (reduction !== undefined) {
    const discount = createDiscount(scenario, bill.customer, { invoice }, reduction, numbering);
    steps.push({ at, step: { kind: 'discount', discount, to: 'active', lastsMs: openAt - at } });
    steps.push({ at: openAt, step: { kind: 'discount', discount, to: 'ended', lastsMs: 0 } });
  }
  steps.push(turn(invoice, openAt, 'open'));
  const planned: PlannedInvoice = {
    invoice,
    steps,
    paidAt: undefined,
    pastDueAt: undefined,
    givenUpAt: undefined,
  };
  if (random.chance(settings.void)) {
    steps.push(turn(invoice, openAt + random.integer(1, 72) * hour, 'void'));
  } else if (invoice.totalMinor === 0) {
    steps.push(turn(invoice, openAt, 'paid'));
    planned.paidAt = openAt;
  } else {
    collect(scenario, random, planned, numbering, at, openAt);
    // Stable: what follows from a payment at the same moment stays behind it.
    steps.sort((a, b) => a.at - b.at);
  }
  return planned;
}

/** Adds the payments, until the invoice is paid or given up. */
function collect(
  scenario: Scenario,
  random: Random,
  planned: PlannedInvoice,
  numbering: Numbering,
  issuedAt: number,
  openAt: number,
): void {
  const { invoices: settings } = scenario.settings;
  const { invoice, steps } = planned;
  const isPartial = random.chance(settings.partial) && invoice.totalMinor > 1;
  const firstMinor = isPartial ? Math.ceil(invoice.totalMinor / 2) : invoice.totalMinor;
  const isAutomatic = invoice.customer.method !== 'bank_transfer';
  let pastDueAt = issuedAt + invoice.dueDays * day;
  let openMinor = invoice.totalMinor;
  let payAt = firstPaymentAt(scenario, random, invoice, openAt);
  let endedAt = payAt;
  for (let retries = 0; ;) {
    const amountMinor = Math.min(firstMinor, openMinor);
    const payment = createPayment(scenario, invoice, amountMinor, numbering);
    const walked = planPayment(scenario, random, payment, numbering, payAt);
    for (const step of walked.steps) steps.push(step);
    if (isAutomatic) pastDueAt = Math.min(pastDueAt, firstFailureOf(walked.steps));
    if (walked.capturedAt !== undefined) {
      openMinor -= amountMinor;
      const isPaid = openMinor === 0;
      steps.push(turn(invoice, walked.capturedAt, isPaid ? 'paid' : 'partially_paid', amountMinor));
      if (isPaid) {
        planned.paidAt = walked.capturedAt;
        break;
      }
      payAt = walked.capturedAt + random.integer(2, 20) * day;
      continue;
    }
    endedAt = walked.endedAt;
    if (retries === settings.maxRetries || !random.chance(settings.retried)) break;
    retries += 1;
    const [soonest, latest] = settings.retryAfterDays;
    payAt = endedAt + random.integer(soonest, latest) * day;
  }
  const { paidAt } = planned;
  if (paidAt !== undefined && paidAt <= pastDueAt) return;
  planned.pastDueAt = pastDueAt;
  if (paidAt !== undefined) return;
  planned.givenUpAt = Math.max(endedAt, pastDueAt);
  // What was paid in part stays open: the state machine writes off whole invoices only.
  if (openMinor === invoice.totalMinor) {
    steps.push(turn(invoice, endedAt + settings.uncollectibleAfterDays * day, 'uncollectible'));
  }
}

/** When an automatic payment turned out not to go through, at first at least; Infinity when it did at once. */
function firstFailureOf(steps: readonly PlannedStep[]): number {
  for (const { at, step } of steps) {
    if (step.kind === 'payment' && (step.to === 'failed' || step.to === 'voided' || step.to === 'expired')) {
      return at;
    }
  }
  return Number.POSITIVE_INFINITY;
}

/** A coupon for this one invoice, or none. */
function drawReduction({ settings }: Scenario, random: Random, bill: Bill): Reduction | undefined {
  const { share, percentBps, amountShare, amounts } = settings.discounts.once;
  if (!random.chance(share)) return undefined;
  if (!random.chance(amountShare)) {
    const bps = percentBps[random.integer(0, percentBps.length - 1)] ?? 0;
    return { coupon: `SAVE-${bps / 100}`, percentBps: bps, amountMinor: null };
  }
  const usdMinor = amounts[random.integer(0, amounts.length - 1)] ?? 0;
  const amountMinor = Math.max(1, Math.round(usdMinor * bill.customer.place.minorPerUsdMinor));
  return { coupon: `CREDIT-${usdMinor / 100}`, percentBps: null, amountMinor };
}

function minorOf({ percentBps, amountMinor }: Reduction, bill: Bill): number {
  const subtotalMinor = subtotalOf(bill);
  return Math.min(subtotalMinor, amountMinor ?? Math.round((subtotalMinor * (percentBps ?? 0)) / 10_000));
}

function turn(invoice: Invoice, at: number, to: InvoiceStatus, paidMinor = 0): PlannedStep {
  return { at, step: { kind: 'invoice', invoice, to, paidMinor } };
}

/** Cards, debits and wallets are charged at once; transfers are made by people, in their waking hours. */
function firstPaymentAt(
  scenario: Scenario,
  random: Random,
  { customer, dueDays }: Invoice,
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
