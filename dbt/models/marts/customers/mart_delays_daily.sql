{{ config(order_by='(day, region, carrier, service)') }}

SELECT
    toDate(assumeNotNull(delivered_at)) AS day,
    region,
    currency,
    carrier,
    service,
    count() AS deliveries,
    countIf(orders.days_delayed IS NOT NULL) AS delayed_deliveries,
    sum(ifNull(orders.days_delayed, 0)) AS days_delayed
FROM {{ ref('dim_product_logistics') }} AS orders
WHERE delivered_at IS NOT NULL
GROUP BY day, region, currency, carrier, service
