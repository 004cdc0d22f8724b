SELECT
    e.subscription_id AS subscription_id,
    {{ latest('customer_id') }},
    {{ latest('plan_id') }},
    {{ latest('tier') }},
    {{ latest('interval') }},
    {{ latest('quantity') }},
    {{ latest('unit_amount_minor') }},
    {{ latest('discount_bps') }},
    {{ latest('mrr_minor') }},
    {{ latest('currency') }},
    {{ latest('status') }},
    {{ latest('previous_status') }},
    {{ latest('cancel_reason') }},
    {{ latest('country') }},
    {{ latest('region') }},
    {{ latest('started_at') }},
    {{ latest_nullable('trial_end_at') }},
    {{ latest('period_start_at') }},
    {{ latest('period_end_at') }},
    {{ latest_nullable('canceled_at') }},
    min(e.occurred_at) AS first_seen_at,
    {{ latest('occurred_at', 'updated_at') }},
    max(e.entity_version) AS entity_version
FROM {{ source('billing', 'raw_subscriptions') }} AS e
GROUP BY e.subscription_id
HAVING max(e.is_deleted) = 0
