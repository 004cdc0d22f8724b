SELECT
    any(e.event_id) AS event_id,
    e.subscription_id AS subscription_id,
    e.customer_id AS customer_id,
    any(e.plan_id) AS plan_id,
    any(e.tier) AS tier,
    any(e.interval) AS interval,
    any(e.quantity) AS quantity,
    any(e.unit_amount_minor) AS unit_amount_minor,
    any(e.discount_bps) AS discount_bps,
    any(e.mrr_minor) AS mrr_minor,
    any(e.currency) AS currency,
    any(e.status) AS status,
    any(e.previous_status) AS previous_status,
    any(e.cancel_reason) AS cancel_reason,
    any(e.country) AS country,
    any(e.region) AS region,
    any(e.started_at) AS started_at,
    any(e.trial_end_at) AS trial_end_at,
    any(e.period_start_at) AS period_start_at,
    any(e.period_end_at) AS period_end_at,
    any(e.canceled_at) AS canceled_at,
    any(e.occurred_at) AS occurred_at,
    e.entity_version AS entity_version
FROM {{ source('billing', 'raw_subscriptions') }} AS e
WHERE e.subscription_id NOT IN (SELECT subscription_id FROM {{ source('billing', 'raw_subscriptions') }} WHERE is_deleted = 1)
GROUP BY e.subscription_id, e.customer_id, e.entity_version
