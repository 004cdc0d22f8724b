{{ config(order_by='(day, currency, country, method, tier)') }}

SELECT
    toDate(assumeNotNull(revenue_at)) AS day,
    currency,
    region,
    country,
    method,
    tier,
    countIf(kind = 'charge') AS captured_payments,
    countIf(kind = 'refund') AS refunds,
    countIf(kind = 'dispute') AS lost_disputes,
    sumIf(revenue_minor, kind = 'charge') AS gross_minor,
    -sumIf(revenue_minor, kind = 'refund') AS refunds_minor,
    -sumIf(revenue_minor, kind = 'dispute') AS lost_minor,
    sum(revenue_minor) AS net_minor,
    sumIf(revenue_reporting_minor, kind = 'charge') AS gross_reporting_minor,
    sum(revenue_reporting_minor) AS net_reporting_minor
FROM {{ ref('fact_transaction') }}
WHERE revenue_at IS NOT NULL
GROUP BY day, currency, region, country, method, tier
