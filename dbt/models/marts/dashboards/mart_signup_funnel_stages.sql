{{ config(materialized='view') }}

-- Names begin with their number, so that every tool sorts the stages as they follow each other.
SELECT
    funnel.signup_month AS signup_month,
    funnel.currency AS currency,
    funnel.region AS region,
    funnel.channel AS channel,
    stages.1 AS stage,
    toUInt64(stages.2) AS customers
FROM {{ ref('mart_signup_funnel') }} AS funnel
ARRAY JOIN [
    ('1 Signed up', toUInt64(signups)),
    ('2 Began a trial', toUInt64(trials)),
    ('3 Paid within 60 days', toUInt64(paid_in_60_days)),
    ('4 Still there after a month', toUInt64(kept_after_1_month)),
    ('5 Still there after three months', toUInt64(kept_after_3_months))
] AS stages
