SELECT
    e.product_id AS product_id,
    {{ latest('sku') }},
    {{ latest('name') }},
    {{ latest('category') }},
    {{ latest('unit_price_minor') }},
    {{ latest('currency') }},
    {{ latest('weight_grams') }},
    {{ latest('status') }},
    min(e.occurred_at) AS first_seen_at,
    {{ latest('occurred_at', 'updated_at') }},
    max(e.entity_version) AS entity_version
FROM {{ source('billing', 'raw_products') }} AS e
GROUP BY e.product_id
HAVING max(e.is_deleted) = 0
