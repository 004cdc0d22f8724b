{{ config(order_by='(month, currency, region, method)') }}

SELECT
    toStartOfMonth(assumeNotNull(captured_at)) AS month,
    currency,
    region,
    method,
    countIf(kind = 'charge') AS captures,
    sumIf(settled_minor, kind = 'charge') AS captured_minor,
    uniqExactIf(payment_id, kind = 'refund' AND status = 'succeeded') AS refunded_payments,
    countIf(kind = 'refund' AND status = 'succeeded') AS refunds,
    -sumIf(settled_minor, kind = 'refund') AS refunds_minor,
    sumIf(settled_reporting_minor, kind = 'charge') AS captured_reporting_minor,
    -sumIf(settled_reporting_minor, kind = 'refund') AS refunds_reporting_minor,
    countIf(kind = 'dispute') AS disputes,
    sumIf(attempted_minor, kind = 'dispute') AS disputed_minor,
    countIf(kind = 'dispute' AND status = 'won') AS won_disputes,
    countIf(kind = 'dispute' AND status = 'lost') AS lost_disputes
FROM {{ ref('fact_transaction') }}
WHERE captured_at IS NOT NULL
GROUP BY month, currency, region, method
