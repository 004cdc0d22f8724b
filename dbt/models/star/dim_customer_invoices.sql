{{ config(
    materialized='monthly',
    partition_by='toYYYYMM(issued_at)',
    order_by='(customer_id, invoice_id)',
    rows_per_statement=400000,
    month_of={'raw_invoices': 'issued_at'},
    changed_by={
        'raw_customers': changed_by_customers('raw_invoices', 'issued_at', 'invoice.drafted'),
        'raw_payments': "
            SELECT issued_at AS instant FROM raw_invoices
            WHERE event_type = 'invoice.drafted'
              AND invoice_id IN (SELECT invoice_id FROM new WHERE event_type = 'payment.captured')",
        'raw_fx_rates': 'SELECT rate_date AS instant FROM new',
    },
) }}

WITH
    invoices AS
    (
        SELECT
            *,
            if(status IN ('open', 'partially_paid'), total_minor - paid_minor, 0) AS open_minor
        FROM {{ ref('stg_invoices') }}
        WHERE {{ in_months('issued_at') }}
    ),
    -- What the payments say, to be compared with what the invoice says.
    captured AS
    (
        SELECT invoice_id, sum(amount_minor) AS captured_minor, max(captured_at) AS last_captured_at
        FROM
        (
            SELECT
                e.payment_id,
                any(e.invoice_id) AS invoice_id,
                any(e.amount_minor) AS amount_minor,
                max(e.occurred_at) AS captured_at
            FROM {{ ref('stg_payment_events') }} AS e
            WHERE e.event_type = 'payment.captured'
              AND {{ since_months('e.occurred_at') }}
              AND e.invoice_id IN (SELECT invoice_id FROM {{ ref('stg_invoices') }} WHERE {{ in_months('issued_at') }})
            GROUP BY e.payment_id
        )
        GROUP BY invoice_id
    )
SELECT
    invoices.invoice_id AS invoice_id,
    if(customer.customer_id = '', 'unknown', customer.customer_id) AS customer_id,
    if(customer.customer_id = '', 'unknown', customer.customer_version_id) AS customer_version_id,
    if(customer.customer_id = '', 'unknown', customer.region) AS region,
    if(customer.customer_id = '', 'unknown', customer.tier) AS tier,
    if(customer.customer_id = '', 'unknown', customer.channel) AS channel,
    invoices.country AS country,
    invoices.number AS number,
    if(invoices.order_id IS NULL, 'subscription', 'order') AS billed_for,
    ifNull(invoices.subscription_id, 'unknown') AS subscription_id,
    ifNull(invoices.order_id, 'unknown') AS order_id,
    invoices.status AS status,
    invoices.period_start_at AS period_start_at,
    invoices.period_end_at AS period_end_at,
    invoices.issued_at AS issued_at,
    invoices.due_at AS due_at,
    invoices.paid_at AS paid_at,
    if(invoices.paid_at > invoices.due_at, dateDiff('millisecond', invoices.due_at, invoices.paid_at) / 86400000, NULL) AS days_late,
    invoices.currency AS currency,
    invoices.subtotal_minor AS subtotal_minor,
    invoices.discount_minor AS discount_minor,
    invoices.tax_minor AS tax_minor,
    invoices.total_minor AS total_minor,
    invoices.paid_minor AS paid_minor,
    captured.captured_minor AS captured_minor,
    invoices.open_minor AS open_minor,
    greatest(invoices.updated_at, captured.last_captured_at) AS changed_at,
    {{ to_reporting('invoices.total_minor') }} AS total_reporting_minor,
    {{ to_reporting('invoices.paid_minor') }} AS paid_reporting_minor,
    {{ to_reporting('invoices.open_minor') }} AS open_reporting_minor
FROM invoices
LEFT JOIN captured ON captured.invoice_id = invoices.invoice_id
{{ join_customer('invoices.customer_id', 'invoices.issued_at') }}
{{ join_fx('invoices.currency', 'invoices.issued_at') }}
