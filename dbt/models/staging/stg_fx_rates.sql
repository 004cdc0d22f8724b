SELECT
    e.fx_rate_id AS fx_rate_id,
    {{ latest('base') }},
    {{ latest('quote') }},
    {{ latest('rate_date') }},
    {{ latest('rate') }},
    min(e.occurred_at) AS first_seen_at,
    {{ latest('occurred_at', 'updated_at') }},
    max(e.entity_version) AS entity_version
FROM {{ source('billing', 'raw_fx_rates') }} AS e
GROUP BY e.fx_rate_id
HAVING max(e.is_deleted) = 0
