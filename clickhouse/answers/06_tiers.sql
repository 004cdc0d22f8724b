-- 6. How much do the customers of each tier pay, and how often?
-- period: 30 days
-- bar: payments
--
-- payments: captured in the period; what failed is not counted. gross: their amounts. net: gross - refunds that
-- succeeded - disputes lost, in the period. tier: the customer's when the invoice was issued.
-- All currencies together are in the reporting currency, at the rate of each day; a chosen currency is in itself.
SELECT
    tier,
    sum(captured_payments) AS payments,
    payments / sum(payments) OVER () AS payments_share,
    if({currency:String} = '', (SELECT any(currency) FROM dim_currency WHERE is_reporting_currency), {currency:String}) AS currency,
    if({currency:String} = '', sum(gross_reporting_minor), sum(mart.gross_minor)) AS gross_minor,
    if({currency:String} = '', sum(net_reporting_minor), sum(mart.net_minor)) AS net_minor,
    net_minor / nullIf(sum(net_minor) OVER (), 0) AS net_share
FROM mart_revenue_daily AS mart
WHERE day BETWEEN toDate({from:DateTime64(3, 'UTC')}) AND toDate({to:DateTime64(3, 'UTC')})
  AND ({currency:String} = '' OR mart.currency = {currency:String})
  AND ({region:String} = '' OR region = {region:String})
GROUP BY tier
ORDER BY net_minor DESC, tier
