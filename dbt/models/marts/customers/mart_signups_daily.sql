{{ config(order_by='(day, channel, country)') }}

SELECT toDate(signup_at) AS day, channel, country, region, currency, count() AS signups
FROM {{ ref('dim_customer') }}
WHERE is_current AND customer_id != 'unknown'
GROUP BY day, channel, country, region, currency
