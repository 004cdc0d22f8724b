-- 15. Which countries bring the most net revenue?
-- period: 365 days
-- bar: payments
--
-- payments: captured in the period. net: their amounts - refunds that succeeded - disputes lost, in the period.
-- country: of the payment method. All currencies together are in the reporting currency, at the rate of each day; a
-- chosen currency is in itself.
SELECT
    country,
    any(mart.region) AS region,
    sum(captured_payments) AS payments,
    if({currency:String} = '', (SELECT any(currency) FROM dim_currency WHERE is_reporting_currency), {currency:String}) AS currency,
    if({currency:String} = '', sum(net_reporting_minor), sum(mart.net_minor)) AS net_minor,
    net_minor / nullIf(sum(net_minor) OVER (), 0) AS net_share
FROM mart_revenue_daily AS mart
WHERE day BETWEEN toDate({from:DateTime64(3, 'UTC')}) AND toDate({to:DateTime64(3, 'UTC')})
  AND ({currency:String} = '' OR mart.currency = {currency:String})
  AND ({region:String} = '' OR mart.region = {region:String})
GROUP BY country
ORDER BY net_minor DESC, country
