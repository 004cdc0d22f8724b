SELECT
    e.spend_id AS spend_id,
    {{ latest('channel') }},
    {{ latest('campaign') }},
    {{ latest('spend_date') }},
    {{ latest('spend_minor') }},
    {{ latest('currency') }},
    min(e.occurred_at) AS first_seen_at,
    {{ latest('occurred_at', 'updated_at') }},
    max(e.entity_version) AS entity_version
FROM {{ source('billing', 'raw_marketing_spend') }} AS e
GROUP BY e.spend_id
HAVING max(e.is_deleted) = 0
