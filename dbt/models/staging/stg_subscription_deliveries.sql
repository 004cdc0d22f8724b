-- As it landed: an event that was delivered twice may be here twice. For models that group by subscription themselves,
-- which makes grouping by event first several times as slow.
SELECT
    event_id,
    subscription_id,
    customer_id,
    entity_version,
    status,
    cancel_reason,
    interval,
    quantity,
    unit_amount_minor,
    discount_bps,
    mrr_minor,
    currency,
    occurred_at
FROM {{ source('billing', 'raw_subscriptions') }}
WHERE subscription_id NOT IN (SELECT subscription_id FROM {{ source('billing', 'raw_subscriptions') }} WHERE is_deleted = 1)
