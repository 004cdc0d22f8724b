{{ config(order_by='(counted_by, day, currency, region, method, processor, outcome, failure_code)') }}

-- Both days an attempt may be counted on: that of its payment, and that of its own end.
SELECT
    counted.1 AS counted_by,
    counted.2 AS day,
    currency,
    region,
    method,
    processor,
    outcome,
    failure_kind,
    failure_code,
    count() AS attempts,
    sum(details.amount_minor) AS amount_minor
FROM {{ ref('dim_payment_details') }} AS details
ARRAY JOIN if(
    ended_at IS NULL,
    [('initiated', toDate(payment_initiated_at))],
    [('initiated', toDate(payment_initiated_at)), ('ended', toDate(assumeNotNull(ended_at)))]
) AS counted
GROUP BY counted_by, day, currency, region, method, processor, outcome, failure_kind, failure_code
