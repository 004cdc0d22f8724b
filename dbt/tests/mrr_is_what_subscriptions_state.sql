-- MRR is worked out from price, quantity, discount and interval; the subscription's own figure has to agree.
SELECT subscription_id, entity_version, mrr_minor AS stated_minor
FROM {{ ref('stg_subscription_deliveries') }}
WHERE mrr_minor != {{ monthly_recurring('status', 'interval', 'quantity', 'unit_amount_minor', 'discount_bps', 'mrr_minor') }}
