-- 21. Which share of payments succeeds at first, and eventually within 14 days?
-- period: 30 days, ending 14 days ago
--
-- payments: those initiated in the period; all of them have had their 14 days.
-- first attempt: captured by attempt 1; eventual: captured by any attempt; both within 14 days of the start.
-- The value rates weigh each payment with its amount, so they exist per currency and not for "all".
-- Payments marked deleted are left out.
SELECT
    arrayJoin([mart.currency, 'all']) AS currency,
    sum(mart.payments) AS payments,
    sum(captured_first) / payments AS first_attempt_rate,
    sum(captured_within_14_days) / payments AS eventual_rate,
    if(currency = 'all', NULL, sum(captured_first_minor) / nullIf(sum(amount_minor), 0)) AS first_value_rate,
    if(currency = 'all', NULL, sum(captured_within_14_days_minor) / nullIf(sum(amount_minor), 0)) AS eventual_value_rate
FROM mart_payments_daily AS mart
WHERE day BETWEEN toDate({from:DateTime64(3, 'UTC')}) AND toDate({to:DateTime64(3, 'UTC')})
  AND ({currency:String} = '' OR mart.currency = {currency:String})
  AND ({region:String} = '' OR region = {region:String})
GROUP BY currency
ORDER BY currency = 'all' DESC, payments DESC, currency
