SELECT
    event_id,
    payment_id,
    invoice_id,
    customer_id,
    payment_method_id,
    method,
    processor,
    amount_minor,
    refunded_minor,
    currency,
    status,
    previous_status,
    attempt_no,
    failure_code,
    country,
    region,
    initiated_at,
    occurred_at,
    entity_version
FROM {{ source('billing', 'raw_payments') }} {{ final() }}
WHERE payment_id NOT IN (SELECT payment_id FROM {{ source('billing', 'raw_payments') }} WHERE is_deleted = 1)
{{ final_settings() }}
