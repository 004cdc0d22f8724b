{{ config(order_by='product_id') }}

SELECT
    product_id,
    sku,
    name,
    category,
    unit_price_minor,
    currency,
    weight_grams,
    status
FROM {{ ref('stg_products') }}
UNION ALL
SELECT 'unknown', 'unknown', 'unknown', 'unknown', 0, '{{ var("reporting_currency") }}', 0, 'unknown'
