{{ config(order_by='(day, currency, region, reason)') }}

SELECT
    toDate(opened_at) AS day,
    currency,
    region,
    reason,
    count() AS disputes,
    countIf(status = 'won') AS won_disputes,
    countIf(status = 'lost') AS lost_disputes,
    sum(amount_minor) AS disputed_minor,
    sum(lost_minor) AS lost_minor
FROM {{ ref('fact_dispute') }}
GROUP BY day, currency, region, reason
