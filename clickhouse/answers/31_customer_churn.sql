-- 31. Which share of the customers leaves each month, and do they mean to?
-- period: 365 days
-- bar: churned
--
-- customers: those with MRR at the end of the month before. churned: those of them with none at the end of the
-- month; churn is their share. involuntary: for want of payment, that is, the subscription is unpaid or was canceled
-- for it; voluntary: all others, those who pause included. A customer with two currencies counts in each.
-- The last month is counted as far as it went.
SELECT
    formatDateTime(totals.month, '%Y-%m') AS month,
    totals.customers AS customers,
    totals.churned AS churned,
    totals.churned - totals.involuntary AS voluntary,
    totals.involuntary AS involuntary,
    if(totals.customers = 0, NULL, totals.churned / totals.customers) AS churn_rate,
    if(totals.customers = 0, NULL, totals.involuntary / totals.customers) AS involuntary_rate
FROM
(
    SELECT
        m.month AS month,
        toInt64(sum(m.customers_1_month_ago)) AS customers,
        toInt64(sum(m.churned_customers)) AS churned,
        toInt64(sum(m.involuntarily_churned_customers)) AS involuntary
    FROM mart_mrr_month AS m
    WHERE m.month BETWEEN toStartOfMonth({from:DateTime64(3, 'UTC')}) AND toStartOfMonth({to:DateTime64(3, 'UTC')})
      AND {currency:String} IN ('', m.currency)
      AND {region:String} IN ('', m.region)
    GROUP BY month
) AS totals
ORDER BY month
