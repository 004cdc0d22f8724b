SELECT
    event_id,
    invoice_id,
    customer_id,
    number,
    currency,
    country,
    period_start_at,
    period_end_at,
    subtotal_minor,
    discount_minor,
    tax_minor,
    total_minor,
    paid_minor,
    issued_at,
    due_at,
    paid_at,
    status,
    subscription_id,
    order_id,
    occurred_at,
    entity_version
FROM {{ source('billing', 'raw_invoices') }} {{ final() }}
WHERE invoice_id NOT IN (SELECT invoice_id FROM {{ source('billing', 'raw_invoices') }} WHERE is_deleted = 1)
{{ final_settings() }}
