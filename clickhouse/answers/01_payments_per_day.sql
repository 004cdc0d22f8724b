-- 1. How many payments are there per day, and how many of them were captured?
-- period: 14 days
-- bar: payments
--
-- payments: distinct payments by the UTC day they were initiated; retries are the same payment.
-- captured: those of them that have been captured by now, whenever that was.
-- Duplicates and late versions change nothing: a payment is one group, and only "was it ever" is asked of it.
-- Payments marked deleted are left out.
SELECT
    toDate(payment_initiated_at) AS day,
    count() AS payments,
    countIf(is_captured) AS captured,
    if(payments = 0, NULL, captured / payments) AS captured_rate
FROM
(
    SELECT
        any(initiated_at) AS payment_initiated_at,
        max(status = 'captured') AS is_captured
    FROM raw_payments
    WHERE initiated_at BETWEEN {from:DateTime64(3, 'UTC')} AND {to:DateTime64(3, 'UTC')}
      -- No event of a payment is older than its start: lets the server skip older months.
      AND occurred_at >= {from:DateTime64(3, 'UTC')}
      AND payment_id NOT IN (SELECT payment_id FROM raw_payments WHERE is_deleted = 1)
    GROUP BY payment_id
)
GROUP BY day
ORDER BY day WITH FILL
    FROM toDate({from:DateTime64(3, 'UTC')})
    TO toDate({to:DateTime64(3, 'UTC')}) + 1
