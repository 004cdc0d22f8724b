-- Grouped and not read with FINAL: months of issued_at are cut out before grouping, and what does not fit spills to disk.
SELECT
    any(e.event_id) AS event_id,
    e.invoice_id AS invoice_id,
    any(e.customer_id) AS customer_id,
    any(e.number) AS number,
    any(e.currency) AS currency,
    any(e.country) AS country,
    any(e.period_start_at) AS period_start_at,
    any(e.period_end_at) AS period_end_at,
    any(e.subtotal_minor) AS subtotal_minor,
    any(e.discount_minor) AS discount_minor,
    any(e.tax_minor) AS tax_minor,
    any(e.total_minor) AS total_minor,
    any(e.paid_minor) AS paid_minor,
    e.issued_at AS issued_at,
    any(e.due_at) AS due_at,
    any(e.paid_at) AS paid_at,
    any(e.status) AS status,
    any(e.subscription_id) AS subscription_id,
    any(e.order_id) AS order_id,
    e.occurred_at AS occurred_at,
    e.entity_version AS entity_version
FROM {{ source('billing', 'raw_invoices') }} AS e
WHERE e.invoice_id NOT IN (SELECT invoice_id FROM {{ source('billing', 'raw_invoices') }} WHERE is_deleted = 1)
GROUP BY e.invoice_id, e.issued_at, e.entity_version, e.occurred_at
