import { InterruptedError } from '../core/errors.ts';
import { lookUpSchemaIds } from '../schemas/register.ts';
import type { Catalog } from '../schemas/catalog.ts';
import type { Target } from '../targets/load-target.ts';
import { createCustomer } from '../producers/entities/customers.ts';
import { createInvoice } from '../producers/entities/invoices.ts';
import { createPayment } from '../producers/entities/payments.ts';
import type { BillingEvent } from '../producers/events.ts';
import { connectPublisher, type PublisherOptions } from '../producers/delivery/publisher.ts';
import { Random } from '../producers/scenario/random.ts';
import { createScenario, type Scenario } from '../producers/scenario/scenario.ts';
import { loadScenarioSettings } from '../producers/scenario/settings.ts';
import { planPayment } from '../producers/lives/payment-cycle.ts';
import { happen, type PlannedStep } from '../producers/lives/steps.ts';

const customers = 5000;
const dayMs = 86_400_000;

export interface PaymentsOptions {
  target: Target;
  catalog: Catalog;
  records: number;
  signal?: AbortSignal;
  /** Lanes, batch size and codec, where they are what is compared. */
  publisher?: Partial<PublisherOptions>;
}

export interface PaymentsProduced {
  records: number;
  /** From the first record generated to the last one acknowledged. */
  seconds: number;
  /** Processor time of this process for each record. */
  cpuMicroseconds: number;
}

/** Generates, encodes and sends payments on the fly, and waits until the broker has acknowledged them all. */
export async function producePayments(options: PaymentsOptions): Promise<PaymentsProduced> {
  const { target, catalog, records, signal } = options;
  const schemaIds = await lookUpSchemaIds({
    registry: target.schemaRegistry,
    topics: catalog.topics,
    ...(signal === undefined ? {} : { signal }),
  });
  const publisher = await connectPublisher({ target, catalog, schemaIds, ...options.publisher });
  try {
    const cpuBefore = process.cpuUsage();
    const startedAt = performance.now();
    let published = 0;
    for (const event of payments(createScenario(1, loadScenarioSettings()), records)) {
      const full = publisher.publish(event);
      if (full !== undefined) {
        await full;
        if (signal?.aborted === true) throw new InterruptedError();
      }
      published += 1;
      if (published === records) break;
    }
    await publisher.flush();
    const { user, system } = process.cpuUsage(cpuBefore);
    return {
      records: publisher.acknowledged().byTopic['billing.payments'] ?? 0,
      seconds: (performance.now() - startedAt) / 1000,
      cpuMicroseconds: (user + system) / records,
    };
  } finally {
    await publisher.close();
  }
}

/** What each customer of the benchmark is billed. */
const billed = {
  lines: [
    {
      kind: 'subscription',
      description: 'Subscription',
      planId: null,
      productId: null,
      quantity: 1,
      unitAmountMinor: 2000,
    },
  ],
  subscription: null,
  order: null,
  discountMinor: 0,
  months: 1,
  dueDays: 7,
} as const;

/**
 * About `records` events of payments over the past two years, day by day as a topic holds a history: a batch of
 * neighbours falls into few months. Goes on without end.
 */
function* payments(scenario: Scenario, records: number): Generator<BillingEvent> {
  // A payment has four events on average, the last of them some weeks after the first.
  const spacingMs = (700 * dayMs) / (records / 4);
  let startAt = scenario.clock.now() - 760 * dayMs;
  let day = Math.floor(startAt / dayMs);
  const coming = new Map<number, PlannedStep[]>();
  const random = new Random(scenario.seed);
  const payers = Array.from({ length: customers }, (_, index) => createCustomer(scenario, index, random));
  for (let round = 0; ; round += 1) {
    for (const customer of payers) {
      const numbering = { owner: customer.index, counts: { invoice: round, payment: round } };
      const bill = { ...billed, customer };
      const { invoice } = createInvoice(scenario, bill, numbering);
      const payment = createPayment(scenario, invoice, invoice.totalMinor, numbering);
      startAt += spacingMs;
      for (; day < Math.floor(startAt / dayMs); day += 1) {
        const steps = coming.get(day) ?? [];
        coming.delete(day);
        steps.sort((a, b) => a.at - b.at);
        for (const { at, step } of steps) yield happen(scenario, step, at);
      }
      for (const planned of planPayment(scenario, random, payment, numbering, startAt).steps) {
        if (planned.step.kind !== 'payment') continue;
        const onDay = Math.floor(planned.at / dayMs);
        const steps = coming.get(onDay);
        if (steps === undefined) coming.set(onDay, [planned]);
        else steps.push(planned);
      }
    }
  }
}
