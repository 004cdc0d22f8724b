SELECT
    e.order_line_id AS order_line_id,
    {{ latest('order_id') }},
    {{ latest('customer_id') }},
    {{ latest('product_id') }},
    {{ latest('line_no') }},
    {{ latest('quantity') }},
    {{ latest('unit_amount_minor') }},
    {{ latest('amount_minor') }},
    {{ latest('currency') }},
    {{ latest('status') }},
    min(e.occurred_at) AS first_seen_at,
    {{ latest('occurred_at', 'updated_at') }},
    max(e.entity_version) AS entity_version
FROM {{ source('billing', 'raw_order_lines') }} AS e
GROUP BY e.order_line_id
HAVING max(e.is_deleted) = 0
