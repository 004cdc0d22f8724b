SELECT
    event_id,
    customer_id,
    name,
    email,
    company,
    country,
    region,
    city,
    timezone,
    currency,
    channel,
    tier,
    signup_at,
    status,
    occurred_at,
    entity_version
FROM {{ source('billing', 'raw_customers') }} {{ final() }}
WHERE customer_id NOT IN (SELECT customer_id FROM {{ source('billing', 'raw_customers') }} WHERE is_deleted = 1)
{{ final_settings() }}
