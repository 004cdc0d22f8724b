-- 3. Which payment methods are used: share of attempts, of captures and of value?
-- period: 30 days
--
-- attempts: charge attempts of the payments initiated in the period; a retry is another attempt.
-- captures: attempts that were captured. value: the amounts of the captures.
-- An attempt belongs to the method its latest version names. Shares are within the currency; value can't be
-- added up across currencies, so the rows of "all" have none.
-- Duplicates and late versions change nothing: an attempt is one group. Payments marked deleted are left out.
WITH attempts AS
(
    SELECT
        argMax(method, entity_version) AS attempt_method,
        any(currency) AS attempt_currency,
        max(status = 'captured') AS is_captured,
        maxIf(amount_minor, status = 'captured') AS captured_minor
    FROM raw_payments
    WHERE initiated_at BETWEEN {from:DateTime64(3, 'UTC')} AND {to:DateTime64(3, 'UTC')}
      -- No event of a payment is older than its start: lets the server skip older months.
      AND occurred_at >= {from:DateTime64(3, 'UTC')}
      AND payment_id NOT IN (SELECT payment_id FROM raw_payments WHERE is_deleted = 1)
    GROUP BY payment_id, attempt_no
)
SELECT
    arrayJoin([attempt_currency, 'all']) AS currency,
    attempt_method AS method,
    count() AS attempts,
    attempts / sum(attempts) OVER (PARTITION BY currency) AS attempts_share,
    countIf(is_captured) AS captures,
    captures / sum(captures) OVER (PARTITION BY currency) AS captures_share,
    if(currency = 'all', NULL, sum(captured_minor)) AS value_minor,
    value_minor / sum(value_minor) OVER (PARTITION BY currency) AS value_share
FROM attempts
GROUP BY currency, method
ORDER BY sum(captures) OVER (PARTITION BY currency) DESC, currency = 'all' DESC, currency, attempts DESC, method
