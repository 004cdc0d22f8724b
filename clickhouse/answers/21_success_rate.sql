-- 21. Which share of payments succeeds at first, and eventually within 14 days?
-- period: 30 days, ending 14 days ago
--
-- payments: those initiated in the period; all of them have had their 14 days.
-- first attempt: captured by attempt 1; eventual: captured by any attempt; both within 14 days of the start.
-- The value rates weigh each payment with its amount, so they exist per currency and not for "all".
-- Duplicates and late versions change nothing: a payment is one group. Payments marked deleted are left out.
WITH payments AS
(
    SELECT
        any(currency) AS payment_currency,
        argMax(amount_minor, entity_version) AS payment_minor,
        max(status = 'captured' AND attempt_no = 1 AND occurred_at <= initiated_at + INTERVAL 14 DAY) AS at_first,
        max(status = 'captured' AND occurred_at <= initiated_at + INTERVAL 14 DAY) AS at_last
    FROM raw_payments
    WHERE initiated_at BETWEEN {from:DateTime64(3, 'UTC')} AND {to:DateTime64(3, 'UTC')}
      -- No event of a payment is older than its start: lets the server skip older months.
      AND occurred_at >= {from:DateTime64(3, 'UTC')}
      AND payment_id NOT IN (SELECT payment_id FROM raw_payments WHERE is_deleted = 1)
    GROUP BY payment_id
)
SELECT
    arrayJoin([payment_currency, 'all']) AS currency,
    count() AS payments,
    countIf(at_first) / payments AS first_attempt_rate,
    countIf(at_last) / payments AS eventual_rate,
    if(currency = 'all', NULL, sumIf(payment_minor, at_first) / sum(payment_minor)) AS first_value_rate,
    if(currency = 'all', NULL, sumIf(payment_minor, at_last) / sum(payment_minor)) AS eventual_value_rate
FROM payments
GROUP BY currency
ORDER BY currency = 'all' DESC, payments DESC, currency
