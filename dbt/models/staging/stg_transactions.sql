SELECT
    e.transaction_id AS transaction_id,
    e.payment_id AS payment_id,
    any(e.invoice_id) AS invoice_id,
    any(e.customer_id) AS customer_id,
    any(e.payment_method_id) AS payment_method_id,
    any(e.refund_id) AS refund_id,
    any(e.dispute_id) AS dispute_id,
    any(e.processor) AS processor,
    any(e.processor_ref) AS processor_ref,
    e.kind AS kind,
    any(e.attempt_no) AS attempt_no,
    any(e.amount_minor) AS amount_minor,
    any(e.fee_minor) AS fee_minor,
    any(e.currency) AS currency,
    any(e.status) AS status,
    any(e.failure_code) AS failure_code,
    any(e.latency_ms) AS latency_ms,
    any(e.country) AS country,
    any(e.region) AS region,
    e.occurred_at AS occurred_at
FROM {{ source('billing', 'raw_transactions') }} AS e
WHERE e.transaction_id NOT IN (SELECT transaction_id FROM {{ source('billing', 'raw_transactions') }} WHERE is_deleted = 1)
GROUP BY e.kind, e.occurred_at, e.payment_id, e.transaction_id
