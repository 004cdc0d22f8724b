-- MRR is worked out from price, quantity, discount and interval; the subscription's own figure has to agree.
SELECT states.event_id, states.mrr_minor, events.mrr_minor AS stated_minor
FROM {{ ref('int_subscription_states') }} AS states
INNER JOIN {{ ref('stg_subscription_events') }} AS events ON events.event_id = states.event_id
WHERE states.mrr_minor != events.mrr_minor
