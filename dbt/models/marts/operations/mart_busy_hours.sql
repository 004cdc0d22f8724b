{{ config(
    materialized='monthly',
    partition_by='toYYYYMM(month)',
    order_by='(clock, day, currency, region, hour)',
    month_of={'dim_payment_details': 'payment_initiated_at'},
) }}

-- Local time is told per quarter of an hour, the finest step of any time zone's offset, and not per payment.
WITH quarters AS
(
    SELECT
        toStartOfInterval(payments.payment_initiated_at, INTERVAL 15 MINUTE) AS quarter_at,
        if(customers.timezone = '', 'UTC', customers.timezone) AS timezone,
        payments.currency AS currency,
        payments.region AS region,
        count() AS payments
    FROM (SELECT * FROM {{ ref('dim_payment_details') }} WHERE attempt_no = 1 AND {{ in_months('payment_initiated_at') }}) AS payments
    LEFT JOIN (SELECT customer_id, timezone FROM {{ ref('dim_customer') }} WHERE is_current) AS customers
        ON customers.customer_id = payments.customer_id
    GROUP BY quarter_at, timezone, currency, region
)
SELECT
    toStartOfMonth(quarter_at) AS month,
    told.1 AS clock,
    toDate(substring(told.2, 1, 10)) AS day,
    toUInt8(substring(told.2, 12, 2)) AS hour,
    currency,
    region,
    sum(payments) AS payments
FROM quarters
ARRAY JOIN [
    ('UTC', formatDateTime(quarter_at, '%F %H', 'UTC')),
    ('local', formatDateTime(quarter_at, '%F %H', timezone))
] AS told
GROUP BY month, clock, day, hour, currency, region
