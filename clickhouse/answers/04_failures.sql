-- 4. How many attempts fail, and for which reasons?
-- period: 30 days
-- bar: failed_attempts
--
-- failed attempts: attempts that ended in the period as failed or, for a retry that was the last, abandoned; with
-- the reason of the failure. % is of all failed attempts.
-- failure %: of all attempts that ended in the period: failed, abandoned, captured, voided or expired.
-- soft: another attempt may succeed (insufficient_funds, processing_error, authentication_failed,
-- limit_exceeded). hard: it may not (card_declined, expired_card, fraud_suspected). other: any other code.
-- Duplicates and late versions change nothing: an attempt is one group. Payments marked deleted are left out.
WITH
    ended AS
    (
        SELECT
            max(status IN ('failed', 'abandoned')) AS is_failed,
            argMaxIf(failure_code, entity_version, status IN ('failed', 'abandoned')) AS code
        FROM raw_payments
        WHERE occurred_at BETWEEN {from:DateTime64(3, 'UTC')} AND {to:DateTime64(3, 'UTC')}
          AND status IN ('failed', 'abandoned', 'captured', 'voided', 'expired')
          AND payment_id NOT IN (SELECT payment_id FROM raw_payments WHERE is_deleted = 1)
        GROUP BY payment_id, attempt_no
    ),
    counted AS
    (
        SELECT
            is_failed,
            toString(code) AS reason,
            multiIf(
                reason IN ('insufficient_funds', 'processing_error', 'authentication_failed', 'limit_exceeded'), 'soft',
                reason IN ('card_declined', 'expired_card', 'fraud_suspected'), 'hard',
                'other'
            ) AS severity,
            count() AS attempts,
            sum(attempts) OVER () AS all_ended,
            sum(if(is_failed, attempts, 0)) OVER () AS all_failed
        FROM ended
        GROUP BY is_failed, reason
    )
SELECT
    level.1 AS kind,
    level.2 AS failure_code,
    sum(attempts) AS failed_attempts,
    failed_attempts / any(all_failed) AS failures_share,
    failed_attempts / any(all_ended) AS failure_rate
FROM counted
ARRAY JOIN [(severity, reason), (severity, 'all'), ('all', 'all')] AS level
WHERE is_failed
GROUP BY kind, failure_code
ORDER BY kind = 'all' DESC, kind DESC, failure_code = 'all' DESC, failed_attempts DESC, failure_code
