{{ config(
    materialized='monthly',
    partition_by='toYYYYMM(issued_at)',
    order_by='adjustment_group_id',
    month_of={'dim_customer_invoices': 'issued_at'},
    changed_by={
        'raw_refunds': "
            SELECT issued_at AS instant FROM raw_invoices
            WHERE event_type = 'invoice.drafted' AND invoice_id IN (SELECT invoice_id FROM new)",
    },
) }}

WITH
    invoices AS
    (
        SELECT * FROM {{ ref('dim_customer_invoices') }} WHERE {{ in_months('issued_at') }}
    ),
    credits AS
    (
        SELECT invoice_id, count() AS credits, sum(amount_minor) AS credit_minor
        FROM {{ ref('stg_refunds') }}
        WHERE status = 'succeeded' AND {{ since_months('requested_at') }}
        GROUP BY invoice_id
    )
SELECT
    invoices.invoice_id AS adjustment_group_id,
    invoices.issued_at AS issued_at,
    invoices.currency AS currency,
    invoices.discount_minor AS discount_minor,
    credits.credit_minor AS credit_minor,
    credits.credits AS credits,
    invoices.tax_minor AS tax_minor,
    if(invoices.status = 'uncollectible', invoices.total_minor - invoices.paid_minor, 0) AS write_off_minor,
    if(invoices.status = 'void', invoices.total_minor - invoices.paid_minor, 0) AS void_minor
FROM invoices
LEFT JOIN credits ON credits.invoice_id = invoices.invoice_id
