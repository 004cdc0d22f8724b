SELECT
    e.customer_id AS customer_id,
    {{ latest('name') }},
    {{ latest('email') }},
    {{ latest_nullable('company') }},
    {{ latest('country') }},
    {{ latest('region') }},
    {{ latest('city') }},
    {{ latest('timezone') }},
    {{ latest('currency') }},
    {{ latest('channel') }},
    {{ latest('tier') }},
    {{ latest('signup_at') }},
    {{ latest('status') }},
    min(e.occurred_at) AS first_seen_at,
    {{ latest('occurred_at', 'updated_at') }},
    max(e.entity_version) AS entity_version
FROM {{ source('billing', 'raw_customers') }} AS e
GROUP BY e.customer_id
HAVING max(e.is_deleted) = 0
