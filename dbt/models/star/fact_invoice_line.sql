{{ config(
    materialized='monthly',
    partition_by='toYYYYMM(invoiced_at)',
    order_by='(toDate(invoiced_at), customer_id, invoice_line_id)',
    month_of={'raw_invoice_lines': 'occurred_at'},
    changed_by={'raw_fx_rates': 'SELECT rate_date AS instant FROM new'},
) }}

WITH lines AS
(
    SELECT * FROM {{ ref('stg_invoice_lines') }} WHERE {{ in_months('occurred_at') }}
)
SELECT
    lines.invoice_line_id AS invoice_line_id,
    lines.invoice_id AS invoice_id,
    lines.customer_id AS customer_id,
    lines.line_no AS line_no,
    lines.occurred_at AS invoiced_at,
    lines.kind AS kind,
    lines.description AS description,
    ifNull(lines.subscription_id, 'unknown') AS subscription_id,
    ifNull(lines.plan_id, 'unknown') AS plan_id,
    ifNull(lines.product_id, 'unknown') AS product_id,
    lines.period_start_at AS period_start_at,
    lines.period_end_at AS period_end_at,
    lines.quantity AS quantity,
    lines.currency AS currency,
    lines.unit_amount_minor AS unit_amount_minor,
    lines.amount_minor AS amount_minor,
    lines.discount_minor AS discount_minor,
    lines.tax_bps AS tax_bps,
    lines.tax_minor AS tax_minor,
    lines.total_minor AS total_minor,
    {{ to_reporting('lines.total_minor') }} AS total_reporting_minor
FROM lines
{{ join_fx('lines.currency', 'lines.occurred_at') }}
