{{ config(
    materialized='monthly',
    partition_by='toYYYYMM(payment_initiated_at)',
    order_by='payment_detail_id',
    month_of={'raw_payments': 'initiated_at'},
    changed_by={
        'raw_transactions': changed_by_payments(),
        'raw_payment_methods': "SELECT initiated_at AS instant FROM raw_payments WHERE event_type = 'payment.initiated' AND payment_method_id IN (SELECT payment_method_id FROM new WHERE entity_version = 1)",
    },
) }}

WITH
    -- The ids of the months in question. Each payment has one such event: while it has not landed, what belongs to the
    -- payment is not found, and when it lands, the month is built again.
    payments AS
    (
        SELECT payment_id, payment_method_id
        FROM {{ ref('stg_payment_events') }}
        WHERE event_type = 'payment.initiated' AND {{ in_months('initiated_at') }} AND {{ since_months('occurred_at') }}
    ),
    methods AS
    (
        SELECT payment_method_id, brand
        FROM {{ ref('stg_payment_methods') }}
        WHERE payment_method_id IN (SELECT payment_method_id FROM payments)
    ),
    attempts AS
    (
        SELECT * FROM {{ ref('stg_payment_attempts') }} WHERE {{ in_months('payment_initiated_at') }}
    ),
    asked AS
    (
        SELECT
            payment_id,
            attempt_no,
            sumIf(latency_ms, kind = 'authorization') AS authorization_latency_ms,
            sumIf(latency_ms, kind = 'capture') AS capture_latency_ms,
            sum(fee_minor) AS fee_minor
        FROM {{ ref('stg_transactions') }}
        WHERE kind IN ('authorization', 'capture', 'reversal')
          AND dispute_id IS NULL
          AND {{ since_months('occurred_at') }}
          AND payment_id IN (SELECT payment_id FROM payments)
        GROUP BY payment_id, attempt_no
    )
SELECT
    concat(attempts.payment_id, '-', toString(attempts.attempt_no)) AS payment_detail_id,
    attempts.payment_id AS payment_id,
    attempts.attempt_no AS attempt_no,
    attempts.invoice_id AS invoice_id,
    attempts.customer_id AS customer_id,
    attempts.payment_method_id AS payment_method_id,
    attempts.method AS method,
    if(methods.brand = '', 'unknown', methods.brand) AS brand,
    attempts.processor AS processor,
    attempts.country AS country,
    attempts.region AS region,
    attempts.currency AS currency,
    attempts.amount_minor AS amount_minor,
    multiIf(
        attempts.captured_at IS NOT NULL, 'captured',
        attempts.voided_at IS NOT NULL, 'voided',
        attempts.expired_at IS NOT NULL, 'expired',
        attempts.failed_at IS NOT NULL, 'failed',
        'pending'
    ) AS outcome,
    if(attempts.failed_at IS NULL, 'none', attempts.failure_code) AS failure_code,
    multiIf(
        attempts.failed_at IS NULL, 'none',
        failure_code IN ('insufficient_funds', 'processing_error', 'authentication_failed', 'limit_exceeded'), 'soft',
        failure_code IN ('card_declined', 'expired_card', 'fraud_suspected'), 'hard',
        'other'
    ) AS failure_kind,
    attempts.payment_initiated_at AS payment_initiated_at,
    attempts.initiated_at AS initiated_at,
    attempts.authorized_at AS authorized_at,
    attempts.captured_at AS captured_at,
    attempts.settled_at AS settled_at,
    attempts.failed_at AS failed_at,
    attempts.voided_at AS voided_at,
    attempts.expired_at AS expired_at,
    coalesce(attempts.captured_at, attempts.voided_at, attempts.expired_at, attempts.failed_at) AS ended_at,
    toUInt32(asked.authorization_latency_ms) AS authorization_latency_ms,
    toUInt32(asked.capture_latency_ms) AS capture_latency_ms,
    asked.fee_minor AS fee_minor
FROM attempts
LEFT JOIN asked ON asked.payment_id = attempts.payment_id AND asked.attempt_no = attempts.attempt_no
LEFT JOIN methods ON methods.payment_method_id = attempts.payment_method_id
