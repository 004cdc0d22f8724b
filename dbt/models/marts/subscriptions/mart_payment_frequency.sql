{{ config(order_by='(month, currency, region, tier)') }}

WITH
    captured AS
    (
        SELECT customer_id, toStartOfMonth(assumeNotNull(captured_at)) AS month
        FROM {{ ref('fact_transaction') }}
        WHERE kind = 'charge' AND status = 'captured'
    ),
    -- A list of months per customer is smaller than a row per customer and month.
    active AS
    (
        SELECT customer_id, groupUniqArray(month) AS months
        FROM
        (
            SELECT customer_id, month FROM captured
            UNION ALL
            SELECT customer_id, month FROM {{ ref('fact_mrr_month') }} WHERE mrr_minor > 0
        )
        GROUP BY customer_id
    )
SELECT
    active_months.month AS month,
    customers.currency AS currency,
    customers.region AS region,
    customers.tier AS tier,
    sum(active_months.is_active) AS active_customers,
    sum(active_months.captures) AS captures
FROM
(
    SELECT customer_id, arrayJoin(months) AS month, 1 AS is_active, 0 AS captures FROM active
    UNION ALL
    SELECT customer_id, month, 0, 1 FROM captured
) AS active_months
INNER JOIN (SELECT customer_id, currency, region, tier FROM {{ ref('dim_customer') }} WHERE is_current) AS customers
    ON customers.customer_id = active_months.customer_id
GROUP BY month, currency, region, tier
