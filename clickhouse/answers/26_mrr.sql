-- 26. What is the monthly recurring revenue?
-- period: 365 days
-- spark: mrr_minor
--
-- mrr: of all subscriptions that are active or past due at the end of the month: price times quantity, less the
-- recurring discount; a twelfth of a yearly price, 52/12 of a weekly one, rounded once per subscription. Without
-- tax, usage, one-offs and trials. arr = 12 x mrr. per_customer: mrr / customers, who are those with any.
-- In the reporting currency at the rate of the month's last day; with --currency, those billed in it, unconverted.
-- The last month is counted as far as it went.
SELECT
    formatDateTime(totals.month, '%Y-%m') AS month,
    totals.currency AS currency,
    totals.customers AS customers,
    totals.mrr AS mrr_minor,
    12 * totals.mrr AS arr_minor,
    if(totals.customers = 0, NULL, toInt64(round(totals.mrr / totals.customers))) AS per_customer_minor
FROM
(
    SELECT
        m.month AS month,
        if({currency:String} = '', m.reporting_currency, toString(m.currency)) AS currency,
        sum(m.customers) AS customers,
        sum(if({currency:String} = '', m.mrr_reporting_minor, m.mrr_minor)) AS mrr
    FROM mart_mrr_month AS m
    WHERE m.month BETWEEN toStartOfMonth({from:DateTime64(3, 'UTC')}) AND toStartOfMonth({to:DateTime64(3, 'UTC')})
      AND {currency:String} IN ('', m.currency)
      AND {region:String} IN ('', m.region)
    GROUP BY month, currency
) AS totals
ORDER BY month
