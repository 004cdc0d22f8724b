SELECT
    any(e.event_id) AS event_id,
    e.customer_id AS customer_id,
    any(e.name) AS name,
    any(e.email) AS email,
    any(e.company) AS company,
    any(e.country) AS country,
    any(e.region) AS region,
    any(e.city) AS city,
    any(e.timezone) AS timezone,
    any(e.currency) AS currency,
    any(e.channel) AS channel,
    any(e.tier) AS tier,
    e.signup_at AS signup_at,
    any(e.status) AS status,
    any(e.occurred_at) AS occurred_at,
    e.entity_version AS entity_version
FROM {{ source('billing', 'raw_customers') }} AS e
WHERE e.customer_id NOT IN (SELECT customer_id FROM {{ source('billing', 'raw_customers') }} WHERE is_deleted = 1)
GROUP BY e.customer_id, e.signup_at, e.entity_version
