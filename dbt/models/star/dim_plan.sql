{{ config(order_by='plan_id') }}

SELECT
    plan_id,
    code,
    tier,
    interval,
    unit_amount_minor,
    currency,
    trial_days,
    status
FROM {{ ref('stg_plans') }}
UNION ALL
SELECT 'unknown', 'unknown', 'unknown', 'unknown', 0, '{{ var("reporting_currency") }}', 0, 'unknown'
