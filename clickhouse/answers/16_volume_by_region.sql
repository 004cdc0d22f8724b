-- 16. How does the volume of each region develop?
-- period: 365 days
-- bar: payments
--
-- payments: captured in the month. volume: their amounts, before refunds and disputes. The first and the last month
-- hold the days of the period only. All currencies together are in the reporting currency, at the rate of each day; a
-- chosen currency is in itself.
SELECT
    region AS by,
    toStartOfMonth(day) AS month,
    sum(captured_payments) AS payments,
    payments / sum(payments) OVER (PARTITION BY month) AS payments_share,
    if({currency:String} = '', (SELECT any(currency) FROM dim_currency WHERE is_reporting_currency), {currency:String}) AS currency,
    if({currency:String} = '', sum(gross_reporting_minor), sum(gross_minor)) AS volume_minor
FROM mart_revenue_daily AS mart
WHERE day BETWEEN toDate({from:DateTime64(3, 'UTC')}) AND toDate({to:DateTime64(3, 'UTC')})
  AND ({currency:String} = '' OR mart.currency = {currency:String})
  AND ({region:String} = '' OR region = {region:String})
GROUP BY region, month
ORDER BY sum(sum(gross_reporting_minor)) OVER (PARTITION BY region) DESC, by, month
