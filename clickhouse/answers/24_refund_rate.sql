-- 24. Which share of what was captured is refunded, by the month of the capture?
-- period: 365 days
-- bar: refund_rate
--
-- captures: payments captured in the month. refunds: refunds of these payments that have succeeded by now, however
-- much later. refund %: refunds / captures; two refunds of one payment are two. value %: of the amounts, in the
-- reporting currency, each at the rate of its own day, unless a currency is chosen. Whole months, the last as far as
-- it went; young months are not finished.
SELECT
    month,
    sum(mart.captures) AS captures,
    sum(mart.refunded_payments) AS refunded,
    sum(mart.refunds) AS refunds,
    refunds / nullIf(captures, 0) AS refund_rate,
    if(
        {currency:String} = '',
        sum(refunds_reporting_minor) / nullIf(sum(captured_reporting_minor), 0),
        sum(refunds_minor) / nullIf(sum(captured_minor), 0)
    ) AS value_rate
FROM mart_capture_cohorts AS mart
WHERE month BETWEEN toStartOfMonth({from:DateTime64(3, 'UTC')}) AND toStartOfMonth({to:DateTime64(3, 'UTC')})
  AND ({currency:String} = '' OR currency = {currency:String})
  AND ({region:String} = '' OR region = {region:String})
GROUP BY month
ORDER BY month
