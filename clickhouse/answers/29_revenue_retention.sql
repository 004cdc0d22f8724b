-- 29. How much recurring revenue of a month and of a year ago is still there?
-- period: 365 days
--
-- Of the customers with MRR at the end of the month before (1) or of the same month a year before (12):
-- grr (gross): the sum of the lesser of then and now / the sum of then; growth does not make up for losses.
-- nrr (net): the sum of now / the sum of then. Who had none then is in neither, so that a reactivation counts for
-- nothing; who left and came back in between counts with what there is now.
-- cohort_12: customers who had MRR a year before. Then and now at the rate of the same day; with --currency, of those
-- billed in it.
SELECT
    formatDateTime(totals.month, '%Y-%m') AS month,
    totals.cohort_1 AS cohort_1,
    if(totals.then_1 = 0, NULL, totals.kept_1 / totals.then_1) AS grr_1_rate,
    if(totals.then_1 = 0, NULL, totals.now_1 / totals.then_1) AS nrr_1_rate,
    totals.cohort_12 AS cohort_12,
    if(totals.then_12 = 0, NULL, totals.kept_12 / totals.then_12) AS grr_12_rate,
    if(totals.then_12 = 0, NULL, totals.now_12 / totals.then_12) AS nrr_12_rate
FROM
(
    SELECT
        m.month AS month,
        sum(m.customers_1_month_ago) AS cohort_1,
        sum(m.customers_12_months_ago) AS cohort_12,
        sum(if({currency:String} = '', m.mrr_1_month_ago_reporting_minor, m.mrr_1_month_ago_minor)) AS then_1,
        sum(if({currency:String} = '', m.kept_1_month_reporting_minor, m.kept_1_month_minor)) AS kept_1,
        sum(if({currency:String} = '', m.stayed_1_month_reporting_minor, m.stayed_1_month_minor)) AS now_1,
        sum(if({currency:String} = '', m.mrr_12_months_ago_reporting_minor, m.mrr_12_months_ago_minor)) AS then_12,
        sum(if({currency:String} = '', m.kept_12_months_reporting_minor, m.kept_12_months_minor)) AS kept_12,
        sum(if({currency:String} = '', m.stayed_12_months_reporting_minor, m.stayed_12_months_minor)) AS now_12
    FROM mart_mrr_month AS m
    WHERE m.month BETWEEN toStartOfMonth({from:DateTime64(3, 'UTC')}) AND toStartOfMonth({to:DateTime64(3, 'UTC')})
      AND {currency:String} IN ('', m.currency)
      AND {region:String} IN ('', m.region)
    GROUP BY month
) AS totals
ORDER BY month
