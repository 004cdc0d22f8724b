SELECT
    e.plan_id AS plan_id,
    {{ latest('code') }},
    {{ latest('tier') }},
    {{ latest('interval') }},
    {{ latest('unit_amount_minor') }},
    {{ latest('currency') }},
    {{ latest('trial_days') }},
    {{ latest('status') }},
    min(e.occurred_at) AS first_seen_at,
    {{ latest('occurred_at', 'updated_at') }},
    max(e.entity_version) AS entity_version
FROM {{ source('billing', 'raw_plans') }} AS e
GROUP BY e.plan_id
HAVING max(e.is_deleted) = 0
