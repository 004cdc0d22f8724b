-- A customer is new in a currency exactly once, before anything else happens there.
SELECT
    customer_id,
    currency,
    countIf(movement_type = 'new') AS times_new,
    minIf(month, movement_type = 'new') AS new_month,
    min(month) AS first_month
FROM {{ ref('fact_mrr_movement') }}
GROUP BY customer_id, currency
HAVING times_new != 1 OR new_month != first_month
