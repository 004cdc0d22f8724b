{{ config(
    materialized='monthly',
    partition_by='toYYYYMM(issued_at)',
    order_by='(closed_at, opened_at, invoice_id)',
    month_of={'raw_invoices': 'issued_at', 'dim_customer_invoices': 'issued_at'},
) }}

-- What was owed on an invoice, and from when to when: the receivables of any instant are the rows open at it.
WITH balances AS
(
    SELECT
        invoice_id,
        issued_at,
        due_at,
        currency,
        total_minor,
        if(status IN ('open', 'partially_paid'), total_minor - paid_minor, 0) AS open_minor,
        occurred_at AS opened_at,
        leadInFrame(occurred_at, 1, toDateTime64('2299-12-31 00:00:00', 3, 'UTC')) OVER (
            PARTITION BY invoice_id ORDER BY entity_version ROWS BETWEEN CURRENT ROW AND 1 FOLLOWING
        ) AS closed_at
    FROM {{ ref('stg_invoice_events') }}
    WHERE {{ in_months('issued_at') }}
)
SELECT
    balances.invoice_id AS invoice_id,
    invoices.customer_id AS customer_id,
    invoices.region AS region,
    balances.currency AS currency,
    balances.issued_at AS issued_at,
    balances.due_at AS due_at,
    balances.opened_at AS opened_at,
    balances.closed_at AS closed_at,
    balances.open_minor AS open_minor,
    {{ to_reporting('balances.open_minor') }} AS open_reporting_minor,
    -- Of an invoice with parts paid, only the first row is the sale on credit.
    balances.open_minor = balances.total_minor AS is_whole
FROM balances
INNER JOIN
(
    SELECT invoice_id, customer_id, region FROM {{ ref('dim_customer_invoices') }} WHERE {{ in_months('issued_at') }}
) AS invoices ON invoices.invoice_id = balances.invoice_id
{{ join_fx('balances.currency', 'balances.issued_at') }}
WHERE balances.open_minor > 0
