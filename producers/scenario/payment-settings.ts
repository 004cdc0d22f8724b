import { z } from 'zod';
import { basisPoints, days, namedWithShares, share, shares, usdMinor, withShares } from './setting-shapes.ts';

export const methodNames = ['card', 'direct_debit', 'bank_transfer', 'wallet'] as const;
export type MethodName = (typeof methodNames)[number];

export const failureCodes = [
  'insufficient_funds',
  'card_declined',
  'expired_card',
  'processing_error',
  'fraud_suspected',
  'authentication_failed',
  'limit_exceeded',
] as const;
export type FailureCode = (typeof failureCodes)[number];

const refundReasons = ['requested_by_customer', 'duplicate', 'service_issue', 'fraudulent'] as const;
/** Only an order can be sent back. */
const orderRefundReasons = ['product_returned', ...refundReasons] as const;
export type RefundReason = (typeof orderRefundReasons)[number];

const disputeReasons = [
  'fraudulent',
  'unrecognized',
  'product_not_received',
  'product_unacceptable',
  'subscription_canceled',
  'duplicate',
] as const;
export type DisputeReason = (typeof disputeReasons)[number];

const processor = z.strictObject({
  share,
  /** Median time to answer. */
  latencyMs: z.number().positive().max(60_000),
  /** Standard deviation of the logarithm of the time to answer: 0.5 puts the 99th percentile at 3.2 medians. */
  latencySpread: z.number().min(0).max(2),
  /** What a capture costs: a part of the amount and a fixed sum. */
  fees: z.record(z.enum(methodNames), z.strictObject({ bps: basisPoints, fixed: usdMinor })),
  refundFee: usdMinor,
  chargebackFee: usdMinor,
});

export const paymentSettings = z.strictObject({
  outcomes: shares(['succeeded', 'failed', 'refunded']),
  successes: shares(['direct', 'recovered', 'disputed']),
  failures: shares(['failed', 'voided', 'expired']),
  requiresAction: share,
  partialRefunds: share,
  refundReasons: z.strictObject({ subscription: shares(refundReasons), order: shares(orderRefundReasons) }),
  disputesWon: share,
  disputeReasons: shares(disputeReasons),
  evidenceDays: days,
  methods: shares(methodNames),
  processors: namedWithShares(processor),
  failureCodes: withShares(
    failureCodes,
    z.strictObject({ share, isSoft: z.boolean(), isCardOnly: z.boolean() }),
  ),
});
