SELECT
    event_id,
    order_id,
    customer_id,
    number,
    line_count,
    item_count,
    subtotal_minor,
    shipping_minor,
    currency,
    country,
    region,
    placed_at,
    status,
    previous_status,
    occurred_at,
    entity_version
FROM {{ source('billing', 'raw_orders') }} {{ final() }}
WHERE order_id NOT IN (SELECT order_id FROM {{ source('billing', 'raw_orders') }} WHERE is_deleted = 1)
{{ final_settings() }}
