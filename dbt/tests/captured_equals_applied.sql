-- What payments captured is what their invoices say was paid. An invoice hears of a payment a moment later, on a topic
-- of its own: those that changed in the last hour are not asked.
SELECT invoice_id, currency, paid_minor, captured_minor
FROM {{ ref('dim_customer_invoices') }}
WHERE paid_minor != captured_minor AND changed_at < now() - INTERVAL 1 HOUR
