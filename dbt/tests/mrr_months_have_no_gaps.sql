-- Who has left keeps a row at 0 for every month up to the newest one.
SELECT
    customer_id,
    currency,
    count() AS months,
    dateDiff('month', min(month), (SELECT max(month) FROM {{ ref('fact_mrr_month') }})) + 1 AS expected
FROM {{ ref('fact_mrr_month') }}
GROUP BY customer_id, currency
HAVING months != expected OR min(month) != any(first_month)
