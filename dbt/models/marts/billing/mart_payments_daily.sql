{{ config(
    materialized='monthly',
    partition_by='toYYYYMM(day)',
    order_by='(day, currency, region, method)',
    month_of={'dim_payment_details': 'payment_initiated_at'},
) }}

-- One row per payment first: an attempt is a row of its own in the star.
WITH payments AS
(
    SELECT
        payment_id,
        toDate(any(details.payment_initiated_at)) AS day,
        argMax(details.currency, details.attempt_no) AS currency,
        argMax(details.region, details.attempt_no) AS region,
        argMax(details.method, details.attempt_no) AS method,
        argMax(details.amount_minor, details.attempt_no) AS amount_minor,
        max(attempt_no) - 1 AS retries,
        max(outcome = 'captured') AS is_captured,
        max(captured_at IS NOT NULL AND attempt_no = 1 AND captured_at <= payment_initiated_at + INTERVAL 14 DAY) AS at_first,
        max(captured_at IS NOT NULL AND captured_at <= payment_initiated_at + INTERVAL 14 DAY) AS within_14_days,
        max(attempt_no = 1 AND outcome = 'failed') AS failed_first
    FROM {{ ref('dim_payment_details') }} AS details
    WHERE {{ in_months('payment_initiated_at') }}
    GROUP BY payment_id
)
SELECT
    day,
    currency,
    region,
    method,
    count() AS payments,
    countIf(p.is_captured) AS captured_payments,
    countIf(p.at_first) AS captured_first,
    countIf(p.within_14_days) AS captured_within_14_days,
    countIf(p.failed_first) AS failed_first,
    countIf(p.failed_first AND p.is_captured) AS recovered,
    sum(p.retries) AS retries,
    countIf(p.retries > 0) AS retried_payments,
    sum(p.amount_minor) AS amount_minor,
    sumIf(p.amount_minor, p.at_first) AS captured_first_minor,
    sumIf(p.amount_minor, p.within_14_days) AS captured_within_14_days_minor,
    sumIf(p.amount_minor, p.failed_first AND p.is_captured) AS recovered_minor
FROM payments AS p
GROUP BY day, currency, region, method
