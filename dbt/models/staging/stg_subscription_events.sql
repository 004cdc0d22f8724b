SELECT
    event_id,
    subscription_id,
    customer_id,
    plan_id,
    tier,
    interval,
    quantity,
    unit_amount_minor,
    discount_bps,
    mrr_minor,
    currency,
    status,
    previous_status,
    cancel_reason,
    country,
    region,
    started_at,
    trial_end_at,
    period_start_at,
    period_end_at,
    canceled_at,
    occurred_at,
    entity_version
FROM {{ source('billing', 'raw_subscriptions') }} {{ final() }}
WHERE subscription_id NOT IN (SELECT subscription_id FROM {{ source('billing', 'raw_subscriptions') }} WHERE is_deleted = 1)
{{ final_settings() }}
