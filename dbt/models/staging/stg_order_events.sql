SELECT
    any(e.event_id) AS event_id,
    e.order_id AS order_id,
    any(e.customer_id) AS customer_id,
    any(e.number) AS number,
    any(e.line_count) AS line_count,
    any(e.item_count) AS item_count,
    any(e.subtotal_minor) AS subtotal_minor,
    any(e.shipping_minor) AS shipping_minor,
    any(e.currency) AS currency,
    any(e.country) AS country,
    any(e.region) AS region,
    any(e.placed_at) AS placed_at,
    any(e.status) AS status,
    any(e.previous_status) AS previous_status,
    any(e.occurred_at) AS occurred_at,
    e.entity_version AS entity_version
FROM {{ source('billing', 'raw_orders') }} AS e
WHERE e.order_id NOT IN (SELECT order_id FROM {{ source('billing', 'raw_orders') }} WHERE is_deleted = 1)
GROUP BY e.order_id, e.entity_version
