-- 20. How long does a payment take to be processed?
-- period: 30 days
--
-- captured: of payments initiated in the period and captured by now, the seconds from initiated to captured; a payment
-- that is tried again counts with its days of waiting. failed: of failed attempts of such payments, the seconds from
-- the attempt's start to its failure. Percentiles are exact. Payments marked deleted are left out.
SELECT
    outcome AS by,
    arrayJoin([toString(method), 'all']) AS name,
    count() AS times,
    round(quantileExact(0.5)(seconds), 1) AS p50_seconds,
    round(quantileExact(0.95)(seconds), 1) AS p95_seconds,
    round(quantileExact(0.99)(seconds), 1) AS p99_seconds
FROM
(
    SELECT
        outcome,
        method,
        if(
            outcome = 'captured',
            dateDiff('millisecond', payment_initiated_at, captured_at),
            dateDiff('millisecond', initiated_at, failed_at)
        ) / 1000 AS seconds
    FROM dim_payment_details
    WHERE outcome IN ('captured', 'failed')
      AND payment_initiated_at BETWEEN {from:DateTime64(3, 'UTC')} AND {to:DateTime64(3, 'UTC')}
      AND ({currency:String} = '' OR currency = {currency:String})
      AND ({region:String} = '' OR region = {region:String})
)
GROUP BY by, name
ORDER BY by, name = 'all' DESC, times DESC, name
