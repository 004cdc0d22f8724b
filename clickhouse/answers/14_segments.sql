-- 14. Which customers are worth the most, and who may leave?
-- period: all
--
-- As of the newest payment that has landed. Quintiles (5 is best) among customers who have ever paid: recency of the
-- last capture, frequency: captures in 365 days, monetary: net revenue in 365 days in the reporting currency.
-- champions: all three 4 or 5. loyal: recency and frequency are. recent: recency is. needs attention: recency 3.
-- at risk: recency 1 or 2, frequency or monetary 3 or more. lost: the others.
-- risk: churned: canceled. high: past due, two or more overdue invoices, or a lost dispute. medium: paused, one
-- overdue invoice, or recency 1 or 2. low: the others.
-- idle: days since the last order that was not canceled, on average over those who have ordered. orders and spend: of
-- the last 30 days, not canceled. net: of 365 days. Both in the reporting currency.
SELECT
    dimension.1 AS by,
    dimension.2 AS name,
    count() AS customers,
    customers / sum(customers) OVER (PARTITION BY by) AS customers_share,
    round(avg(days_since_last_order)) AS idle,
    sum(orders_30_days) AS orders,
    (SELECT any(currency) FROM dim_currency WHERE is_reporting_currency) AS currency,
    sum(spend_30_days_reporting_minor) AS spend_minor,
    sum(net_365_days_reporting_minor) AS net_minor
FROM mart_customers AS mart
ARRAY JOIN [('segment', segment), ('risk', churn_risk)] AS dimension
WHERE ({currency:String} = '' OR mart.currency = {currency:String})
  AND ({region:String} = '' OR region = {region:String})
GROUP BY by, name
ORDER BY by DESC, net_minor DESC, name
