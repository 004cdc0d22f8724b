-- 28. Which share of the monthly recurring revenue is lost each month?
-- period: 365 days
--
-- start: MRR at the end of the month before. gross: (churn + contraction) / start.
-- net: (churn + contraction - expansion - reactivation) / start; below 0 when what stayed and came back grew by more
-- than was lost. Movements as in question 27. In the reporting currency at the rate of the month's last day; with
-- --currency, of those billed in it. The last month is counted as far as it went.
SELECT
    formatDateTime(totals.month, '%Y-%m') AS month,
    totals.currency AS currency,
    totals.start AS start_minor,
    totals.lost AS lost_minor,
    totals.gained AS regained_minor,
    if(totals.start = 0, NULL, totals.lost / totals.start) AS gross_rate,
    if(totals.start = 0, NULL, (totals.lost - totals.gained) / totals.start) AS net_rate
FROM
(
    SELECT
        m.month AS month,
        if({currency:String} = '', m.reporting_currency, toString(m.currency)) AS currency,
        sum(if({currency:String} = '', m.mrr_1_month_ago_reporting_minor, m.mrr_1_month_ago_minor)) AS start,
        sum(
            if(
                {currency:String} = '',
                m.churn_reporting_minor + m.contraction_reporting_minor,
                m.churn_minor + m.contraction_minor
            )
        ) AS lost,
        sum(
            if(
                {currency:String} = '',
                m.expansion_reporting_minor + m.reactivation_reporting_minor,
                m.expansion_minor + m.reactivation_minor
            )
        ) AS gained
    FROM mart_mrr_month AS m
    WHERE m.month BETWEEN toStartOfMonth({from:DateTime64(3, 'UTC')}) AND toStartOfMonth({to:DateTime64(3, 'UTC')})
      AND {currency:String} IN ('', m.currency)
      AND {region:String} IN ('', m.region)
    GROUP BY month, currency
) AS totals
ORDER BY month
