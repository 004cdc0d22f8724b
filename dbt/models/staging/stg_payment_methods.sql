SELECT
    e.payment_method_id AS payment_method_id,
    {{ latest('customer_id') }},
    {{ latest('type') }},
    {{ latest('brand') }},
    {{ latest('country') }},
    {{ latest_nullable('exp_month') }},
    {{ latest_nullable('exp_year') }},
    {{ latest('last4') }},
    {{ latest('status') }},
    min(e.occurred_at) AS first_seen_at,
    {{ latest('occurred_at', 'updated_at') }},
    max(e.entity_version) AS entity_version
FROM {{ source('billing', 'raw_payment_methods') }} AS e
GROUP BY e.payment_method_id
HAVING max(e.is_deleted) = 0
