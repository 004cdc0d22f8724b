SELECT
    event_id,
    dispute_id,
    payment_id,
    invoice_id,
    customer_id,
    amount_minor,
    currency,
    reason,
    status,
    previous_status,
    evidence_due_at,
    opened_at,
    occurred_at,
    entity_version
FROM {{ source('billing', 'raw_disputes') }} {{ final() }}
WHERE dispute_id NOT IN (SELECT dispute_id FROM {{ source('billing', 'raw_disputes') }} WHERE is_deleted = 1)
{{ final_settings() }}
