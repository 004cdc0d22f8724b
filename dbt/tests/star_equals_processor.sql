-- The star neither loses nor multiplies money: its movements add up to those the processors reported, per currency, and
-- so do the fees. Today is not asked: payments, refunds and the processor's reports land by themselves.
SELECT currency, movement, sum(star) AS star_minor, sum(reported) AS reported_minor
FROM
(
    SELECT
        currency,
        multiIf(kind = 'charge', 'captured', kind = 'refund', 'refunded', kind = 'dispute', 'charged back', 'reversed') AS movement,
        settled_minor AS star,
        toInt64(0) AS reported
    FROM {{ ref('fact_transaction') }}
    WHERE toDate(moved_at) < today()
    UNION ALL
    SELECT
        currency,
        multiIf(kind = 'capture', 'captured', kind = 'refund', 'refunded', kind = 'chargeback', 'charged back', 'reversed'),
        0,
        if(kind IN ('refund', 'chargeback'), -amount_minor, amount_minor)
    FROM {{ ref('stg_transactions') }}
    WHERE status = 'succeeded'
      AND (kind IN ('capture', 'refund', 'chargeback') OR (kind = 'reversal' AND dispute_id IS NOT NULL))
      AND toDate(occurred_at) < today()
)
GROUP BY currency, movement
HAVING star_minor != reported_minor
