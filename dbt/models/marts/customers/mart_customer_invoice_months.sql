{{ config(
    materialized='monthly',
    partition_by='toYYYYMM(month)',
    order_by='(month, currency, customer_id)',
    month_of={'dim_customer_invoices': 'issued_at'},
) }}

SELECT
    toStartOfMonth(issued_at) AS month,
    currency,
    customer_id,
    any(region) AS region,
    count() AS invoices,
    countIf(status = 'paid') AS paid_invoices,
    countIf(status IN ('open', 'partially_paid')) AS pending_invoices,
    sum(total_minor) AS total_minor,
    sum(paid_minor) AS paid_minor,
    sum(open_minor) AS pending_minor,
    sum(total_reporting_minor) AS total_reporting_minor
FROM {{ ref('dim_customer_invoices') }}
WHERE {{ in_months('issued_at') }} AND status NOT IN ('draft', 'void')
GROUP BY month, currency, customer_id
