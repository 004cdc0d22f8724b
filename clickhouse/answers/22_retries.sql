-- 22. How often are payments tried again, and what does that recover?
-- period: 30 days, ending 14 days ago
--
-- Of payments initiated in the period. retries: attempts - 1, added up. failed first: the first attempt failed.
-- recovered: of these, captured by now by a later attempt. recovery % = recovered / failed first; value: their
-- amounts, per currency and not for "all". Payments marked deleted are left out.
SELECT
    arrayJoin([mart.currency, 'all']) AS currency,
    sum(mart.payments) AS payments,
    sum(mart.retries) AS retries,
    sum(mart.failed_first) AS failed_first,
    sum(mart.recovered) AS recovered,
    recovered / nullIf(failed_first, 0) AS recovery_rate,
    if(currency = 'all', NULL, sum(mart.recovered_minor)) AS recovered_minor
FROM mart_payments_daily AS mart
WHERE day BETWEEN toDate({from:DateTime64(3, 'UTC')}) AND toDate({to:DateTime64(3, 'UTC')})
  AND ({currency:String} = '' OR mart.currency = {currency:String})
  AND ({region:String} = '' OR region = {region:String})
GROUP BY currency
ORDER BY currency = 'all' DESC, payments DESC, currency
