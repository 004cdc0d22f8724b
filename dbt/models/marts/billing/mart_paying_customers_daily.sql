{{ config(order_by='(day, currency, region)') }}

-- A set per day and not a count: days can't be added up, sets can.
SELECT
    toDate(assumeNotNull(captured_at)) AS day,
    currency,
    region,
    uniqExactState(cityHash64(customer_id)) AS paying_customers
FROM {{ ref('dim_payment_details') }}
WHERE outcome = 'captured'
GROUP BY day, currency, region
