{{ config(order_by='(month, currency, region, billed_for)') }}

SELECT
    toStartOfMonth(issued_at) AS month,
    currency,
    region,
    billed_for,
    count() AS invoices,
    countIf(invoices.paid_minor != invoices.captured_minor) AS differing_invoices,
    sum(invoices.total_minor) AS total_minor,
    sum(invoices.paid_minor) AS paid_minor,
    sum(invoices.captured_minor) AS captured_minor,
    sum(invoices.open_minor) AS open_minor
FROM {{ ref('dim_customer_invoices') }} AS invoices
WHERE status != 'draft'
GROUP BY month, currency, region, billed_for
