SELECT
    invoice_line_id,
    invoice_id,
    customer_id,
    line_no,
    kind,
    description,
    subscription_id,
    plan_id,
    product_id,
    quantity,
    unit_amount_minor,
    amount_minor,
    discount_minor,
    tax_bps,
    tax_minor,
    total_minor,
    currency,
    period_start_at,
    period_end_at,
    occurred_at
FROM {{ source('billing', 'raw_invoice_lines') }} {{ final() }}
WHERE invoice_line_id NOT IN (SELECT invoice_line_id FROM {{ source('billing', 'raw_invoice_lines') }} WHERE is_deleted = 1)
{{ final_settings() }}
