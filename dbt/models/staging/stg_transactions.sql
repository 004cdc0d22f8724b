SELECT
    transaction_id,
    payment_id,
    invoice_id,
    customer_id,
    payment_method_id,
    refund_id,
    dispute_id,
    processor,
    processor_ref,
    kind,
    attempt_no,
    amount_minor,
    fee_minor,
    currency,
    status,
    failure_code,
    latency_ms,
    country,
    region,
    occurred_at
FROM {{ source('billing', 'raw_transactions') }} {{ final() }}
WHERE transaction_id NOT IN (SELECT transaction_id FROM {{ source('billing', 'raw_transactions') }} WHERE is_deleted = 1)
{{ final_settings() }}
