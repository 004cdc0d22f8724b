-- 30. How many times over is lost recurring revenue made up for?
-- period: 365 days
-- bar: quick_ratio
--
-- gained: new + reactivation + expansion. lost: churn + contraction. quick_ratio: gained / lost; none in a month in
-- which nothing was lost. Movements as in question 27, in the reporting currency at the rate of the month's last
-- day; with --currency, of those billed in it. The last month is counted as far as it went.
SELECT
    formatDateTime(totals.month, '%Y-%m') AS month,
    totals.currency AS currency,
    totals.gained AS gained_minor,
    totals.lost AS lost_minor,
    if(totals.lost = 0, NULL, round(totals.gained / totals.lost, 2)) AS quick_ratio
FROM
(
    SELECT
        m.month AS month,
        if({currency:String} = '', m.reporting_currency, toString(m.currency)) AS currency,
        sum(
            if(
                {currency:String} = '',
                m.new_reporting_minor + m.reactivation_reporting_minor + m.expansion_reporting_minor,
                m.new_minor + m.reactivation_minor + m.expansion_minor
            )
        ) AS gained,
        sum(
            if(
                {currency:String} = '',
                m.churn_reporting_minor + m.contraction_reporting_minor,
                m.churn_minor + m.contraction_minor
            )
        ) AS lost
    FROM mart_mrr_month AS m
    WHERE m.month BETWEEN toStartOfMonth({from:DateTime64(3, 'UTC')}) AND toStartOfMonth({to:DateTime64(3, 'UTC')})
      AND {currency:String} IN ('', m.currency)
      AND {region:String} IN ('', m.region)
    GROUP BY month, currency
) AS totals
ORDER BY month
