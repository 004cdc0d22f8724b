SELECT
    e.discount_id AS discount_id,
    {{ latest('customer_id') }},
    {{ latest('coupon') }},
    {{ latest_nullable('percent_bps') }},
    {{ latest_nullable('amount_minor') }},
    {{ latest('currency') }},
    {{ latest_nullable('invoice_id') }},
    {{ latest_nullable('subscription_id') }},
    {{ latest('start_at') }},
    {{ latest_nullable('end_at') }},
    {{ latest('status') }},
    min(e.occurred_at) AS first_seen_at,
    {{ latest('occurred_at', 'updated_at') }},
    max(e.entity_version) AS entity_version
FROM {{ source('billing', 'raw_discounts') }} AS e
GROUP BY e.discount_id
HAVING max(e.is_deleted) = 0
