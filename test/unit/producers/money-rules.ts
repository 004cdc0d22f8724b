import type { Fields } from './domain-rules.ts';

type Complain = (what: string) => void;

/** What came together for an invoice, a payment or an order, beside its latest record. */
class Sums {
  latest: Fields = {};
  readonly #sums = new Map<string, number>();

  add(name: string, value: unknown): void {
    this.#sums.set(name, this.of(name) + Number(value));
  }

  of(name: string): number {
    return this.#sums.get(name) ?? 0;
  }
}

/** That every amount is the sum of what it stands for, to the cent. */
export class MoneyRules {
  readonly #invoices = new Map<string, Sums>();
  readonly #payments = new Map<string, Sums>();
  readonly #orders = new Map<string, Sums>();

  check(topic: string, record: Fields, before: Fields | undefined, complain: Complain): void {
    const invoice = sumsOf(this.#invoices, record['invoice_id']);
    const payment = sumsOf(this.#payments, record['payment_id']);
    const order = sumsOf(this.#orders, record['order_id']);
    switch (topic) {
      case 'billing.invoices':
        invoice.latest = record;
        checkInvoice(record, invoice, complain);
        break;
      case 'billing.invoice-lines':
        checkLine(record, complain);
        for (const name of ['amount', 'discount', 'tax', 'total']) invoice.add(name, record[`${name}_minor`]);
        break;
      case 'billing.payments':
        payment.latest = record;
        checkPayment(record, before, complain);
        if (record['status'] === 'captured') {
          invoice.add('captured', record['amount_minor']);
          payment.add('captured', record['amount_minor']);
        }
        break;
      case 'billing.transactions':
        checkTransaction(record, payment.latest, complain);
        if (record['status'] === 'succeeded') payment.add(String(record['kind']), record['amount_minor']);
        break;
      case 'billing.refunds':
        if (record['status'] === 'succeeded') payment.add('given back', record['amount_minor']);
        if (payment.of('given back') > payment.of('captured')) complain('more is refunded than was captured');
        break;
      case 'billing.disputes':
        if (record['amount_minor'] !== payment.latest['amount_minor']) complain('disputes another amount');
        break;
      case 'billing.orders':
        order.latest = record;
        break;
      case 'billing.order-lines':
        if (record['amount_minor'] !== Number(record['quantity']) * Number(record['unit_amount_minor'])) {
          complain('quantity x unit_amount is not amount');
        }
        if (before !== undefined) break;
        order.add('lines', 1);
        order.add('pieces', record['quantity']);
        order.add('amount', record['amount_minor']);
        break;
      case 'billing.shipments':
        if ((record['status'] === 'pending') !== (record['shipped_at'] === null))
          complain('shipped_at is wrong');
        if ((record['status'] === 'delivered') !== (record['delivered_at'] !== null)) {
          complain('delivered_at is wrong');
        }
        order.add(String(record['status']), 1);
        break;
    }
  }

  finish(complain: Complain): void {
    for (const [id, invoice] of this.#invoices) this.#finishInvoice(id, invoice, complain);
    for (const [id, payment] of this.#payments) {
      const { latest } = payment;
      const expect = (name: string, expected: unknown) => {
        if (payment.of(name) !== expected) complain(`payment ${id}: ${name} is not ${String(expected)}`);
      };
      const wasDisputed = ['disputed', 'won', 'lost'].includes(String(latest['status']));
      expect('given back', latest['refunded_minor']);
      expect('refund', latest['refunded_minor']);
      expect('capture', payment.of('captured'));
      expect('chargeback', wasDisputed ? latest['amount_minor'] : 0);
      expect(
        'reversal',
        latest['status'] === 'won' || latest['status'] === 'voided' ? latest['amount_minor'] : 0,
      );
    }
    for (const [id, order] of this.#orders) {
      const { latest } = order;
      if (order.of('amount') !== latest['subtotal_minor'])
        complain(`order ${id}: lines are not its subtotal`);
      if (order.of('lines') !== latest['line_count']) complain(`order ${id}: line_count is wrong`);
      if (order.of('pieces') !== latest['item_count']) complain(`order ${id}: item_count is wrong`);
      const isSent = order.of('delivered') === 1 || order.of('returned') === 1;
      const isOver =
        latest['status'] === 'fulfilled' || (latest['status'] === 'canceled' && order.of('pending') > 0);
      if (isSent !== isOver) complain(`order ${id}: ${String(latest['status'])} but sent: ${isSent}`);
    }
  }

  #finishInvoice(id: string, invoice: Sums, complain: Complain): void {
    const { latest } = invoice;
    const expect = (name: string, field: string) => {
      if (invoice.of(name) !== latest[field]) complain(`invoice ${id}: ${name} of the lines is not ${field}`);
    };
    expect('amount', 'subtotal_minor');
    expect('discount', 'discount_minor');
    expect('tax', 'tax_minor');
    expect('total', 'total_minor');
    expect('captured', 'paid_minor');
    if ((latest['subscription_id'] === null) === (latest['order_id'] === null)) {
      complain(`invoice ${id}: bills either a subscription or an order`);
    }
    if (latest['order_id'] === null) return;
    const order = sumsOf(this.#orders, latest['order_id']).latest;
    if (latest['subtotal_minor'] !== Number(order['subtotal_minor']) + Number(order['shipping_minor'])) {
      complain(`invoice ${id}: bills another amount than the order`);
    }
  }
}

const nobody = new Sums();

function sumsOf(all: Map<string, Sums>, id: unknown): Sums {
  // Records of other topics have no such id, and nothing is added to it.
  if (typeof id !== 'string') return nobody;
  let sums = all.get(id);
  if (sums === undefined) all.set(id, (sums = new Sums()));
  return sums;
}

function checkInvoice(record: Fields, invoice: Sums, complain: Complain): void {
  const amount = (name: string) => Number(record[`${name}_minor`]);
  const isPaid = record['status'] === 'paid';
  if (amount('total') !== amount('subtotal') - amount('discount') + amount('tax'))
    complain('does not add up');
  if (amount('paid') !== invoice.of('captured')) complain('paid is not what was captured');
  if (isPaid !== (record['paid_at'] !== null)) complain('paid_at is wrong');
  if (isPaid && amount('paid') !== amount('total')) complain('paid in part only');
}

function checkLine(record: Fields, complain: Complain): void {
  const amount = (name: string) => Number(record[`${name}_minor`]);
  if (amount('amount') !== Number(record['quantity']) * amount('unit_amount')) complain('amount is wrong');
  if (amount('total') !== amount('amount') - amount('discount') + amount('tax')) complain('does not add up');
}

function checkPayment(record: Fields, before: Fields | undefined, complain: Complain): void {
  const to = record['status'];
  const amountMinor = Number(record['amount_minor']);
  const refundedMinor = Number(record['refunded_minor']);
  for (const field of ['initiated_at', 'amount_minor', 'payment_method_id', 'invoice_id']) {
    if (before !== undefined && before[field] !== record[field]) complain(`${field} changed`);
  }
  if (record['attempt_no'] !== Number(before?.['attempt_no'] ?? 1) + (to === 'retrying' ? 1 : 0)) {
    complain('attempt_no is wrong');
  }
  if ((to === 'failed' || to === 'abandoned') !== (record['failure_code'] !== 'none')) {
    complain('failure_code is wrong');
  }
  if (refundedMinor > amountMinor) complain('more is refunded than was paid');
  if ((to === 'refunded') !== (refundedMinor === amountMinor)) complain('refunded is not all of it');
}

function checkTransaction(record: Fields, payment: Fields, complain: Complain): void {
  const kind = String(record['kind']);
  const hasFailed = record['status'] === 'failed';
  if (hasFailed !== (record['failure_code'] !== 'none')) complain('failure_code is wrong');
  if (hasFailed && record['fee_minor'] !== 0) complain('a fee for nothing');
  if ((kind === 'refund') !== (record['refund_id'] !== null)) complain('refund_id is wrong');
  const isOfDispute = kind === 'chargeback' || (kind === 'reversal' && payment['status'] !== 'voided');
  if (isOfDispute !== (record['dispute_id'] !== null)) complain('dispute_id is wrong');
  for (const field of ['currency', 'processor', 'payment_method_id', 'invoice_id', 'attempt_no', 'country']) {
    if (record[field] !== payment[field]) complain(`${field} is not that of the payment`);
  }
  if (Number(record['amount_minor']) > Number(payment['amount_minor'])) complain('moves more than was paid');
}
