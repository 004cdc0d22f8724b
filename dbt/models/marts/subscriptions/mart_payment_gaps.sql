{{ config(order_by='(month, currency, region, tier, gap_days)') }}

WITH captured AS
(
    SELECT customer_id, arraySort(groupArray(assumeNotNull(captured_at))) AS moments
    FROM {{ ref('fact_transaction') }}
    WHERE kind = 'charge' AND status = 'captured'
    GROUP BY customer_id
)
SELECT
    toStartOfMonth(gaps.later_at) AS month,
    customers.currency AS currency,
    customers.region AS region,
    customers.tier AS tier,
    toUInt32(intDiv(dateDiff('millisecond', gaps.earlier_at, gaps.later_at), 86400000)) AS gap_days,
    count() AS gaps
FROM
(
    SELECT customer_id, earlier_at, later_at
    FROM captured
    ARRAY JOIN arrayPopBack(moments) AS earlier_at, arrayPopFront(moments) AS later_at
) AS gaps
INNER JOIN (SELECT customer_id, currency, region, tier FROM {{ ref('dim_customer') }} WHERE is_current) AS customers
    ON customers.customer_id = gaps.customer_id
GROUP BY month, currency, region, tier, gap_days
