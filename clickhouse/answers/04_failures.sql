-- 4. How many attempts fail, and for which reasons?
-- period: 30 days
-- bar: failed_attempts
--
-- failed attempts: attempts that ended in the period as failed or, for a retry that was the last, abandoned; with
-- the reason of the failure. % is of all failed attempts.
-- failure %: of all attempts that ended in the period: failed, abandoned, captured, voided or expired.
-- soft: another attempt may succeed (insufficient_funds, processing_error, authentication_failed,
-- limit_exceeded). hard: it may not (card_declined, expired_card, fraud_suspected). other: any other code.
-- An attempt ends once. Payments marked deleted are left out.
WITH
    ended AS
    (
        SELECT
            outcome = 'failed' AS is_failed,
            toString(failure_kind) AS severity,
            toString(failure_code) AS reason,
            sum(mart.attempts) AS attempts,
            sum(attempts) OVER () AS all_ended,
            sum(if(is_failed, attempts, 0)) OVER () AS all_failed
        FROM mart_attempts_daily AS mart
        WHERE counted_by = 'ended'
          AND day BETWEEN toDate({from:DateTime64(3, 'UTC')}) AND toDate({to:DateTime64(3, 'UTC')})
          AND ({currency:String} = '' OR currency = {currency:String})
          AND ({region:String} = '' OR region = {region:String})
        GROUP BY is_failed, severity, reason
    )
SELECT
    level.1 AS kind,
    level.2 AS failure_code,
    sum(attempts) AS failed_attempts,
    failed_attempts / any(all_failed) AS failures_share,
    failed_attempts / any(all_ended) AS failure_rate
FROM ended
ARRAY JOIN [(severity, reason), (severity, 'all'), ('all', 'all')] AS level
WHERE is_failed
GROUP BY kind, failure_code
ORDER BY kind = 'all' DESC, kind DESC, failure_code = 'all' DESC, failed_attempts DESC, failure_code
