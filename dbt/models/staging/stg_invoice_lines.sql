SELECT
    e.invoice_line_id AS invoice_line_id,
    e.invoice_id AS invoice_id,
    any(e.customer_id) AS customer_id,
    any(e.line_no) AS line_no,
    any(e.kind) AS kind,
    any(e.description) AS description,
    any(e.subscription_id) AS subscription_id,
    any(e.plan_id) AS plan_id,
    any(e.product_id) AS product_id,
    any(e.quantity) AS quantity,
    any(e.unit_amount_minor) AS unit_amount_minor,
    any(e.amount_minor) AS amount_minor,
    any(e.discount_minor) AS discount_minor,
    any(e.tax_bps) AS tax_bps,
    any(e.tax_minor) AS tax_minor,
    any(e.total_minor) AS total_minor,
    any(e.currency) AS currency,
    any(e.period_start_at) AS period_start_at,
    any(e.period_end_at) AS period_end_at,
    e.occurred_at AS occurred_at
FROM {{ source('billing', 'raw_invoice_lines') }} AS e
WHERE e.invoice_line_id NOT IN (SELECT invoice_line_id FROM {{ source('billing', 'raw_invoice_lines') }} WHERE is_deleted = 1)
GROUP BY e.occurred_at, e.invoice_id, e.invoice_line_id
