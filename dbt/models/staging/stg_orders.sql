SELECT
    e.order_id AS order_id,
    {{ latest('customer_id') }},
    {{ latest('number') }},
    {{ latest('line_count') }},
    {{ latest('item_count') }},
    {{ latest('subtotal_minor') }},
    {{ latest('shipping_minor') }},
    {{ latest('currency') }},
    {{ latest('country') }},
    {{ latest('region') }},
    e.placed_at AS placed_at,
    {{ latest('status') }},
    {{ latest('previous_status') }},
    min(e.occurred_at) AS first_seen_at,
    {{ latest('occurred_at', 'updated_at') }},
    max(e.entity_version) AS entity_version
FROM {{ source('billing', 'raw_orders') }} AS e
GROUP BY e.order_id, e.placed_at
HAVING max(e.is_deleted) = 0
