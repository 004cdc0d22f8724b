-- 1. How many payments are there per day, week and month, and how many captured?
-- period: 30 days
-- bar: payments
--
-- payments: distinct payments by the UTC day they were initiated; retries are the same payment.
-- captured: those of them that have been captured by now, whenever that was.
-- Weeks begin on Monday. The first and the last week and month hold the days of the period only. A payment has the
-- currency and the region its last attempt names. Newest first. Payments marked deleted are left out.
SELECT
    span.1 AS by,
    span.2 AS starts,
    sum(mart.payments) AS payments,
    sum(mart.captured_payments) AS captured,
    captured / payments AS captured_rate
FROM mart_payments_daily AS mart
ARRAY JOIN [('day', day), ('week', toMonday(day)), ('month', toStartOfMonth(day))] AS span
WHERE day BETWEEN toDate({from:DateTime64(3, 'UTC')}) AND toDate({to:DateTime64(3, 'UTC')})
  AND ({currency:String} = '' OR currency = {currency:String})
  AND ({region:String} = '' OR region = {region:String})
GROUP BY by, starts
ORDER BY indexOf(['day', 'week', 'month'], by), starts DESC
