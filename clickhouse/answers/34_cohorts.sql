-- 34. Of those who began in a month, how many stay, and what do they bring?
-- period: 540 days
--
-- A cohort: the customers whose first month that ended with MRR is this one; at_first is how many they are.
-- Behind it the months since: customers: the share of the cohort with MRR at the end of that month; revenue: its MRR
-- then / its MRR in the first month, which grows past 100 % where those who stay buy more. Who leaves and comes back
-- counts again. Revenue in the reporting currency is converted at the rate of the cohort's first month throughout;
-- with --currency, of those billed in it. The newest month is counted as far as it went.
SELECT
    totals.by AS by,
    formatDateTime(totals.cohort_month, '%Y-%m') AS cohort,
    totals.at_first AS at_first,
    if(totals.now[1] = -1, NULL, totals.now[1] / totals.base) AS m1_rate,
    if(totals.now[2] = -1, NULL, totals.now[2] / totals.base) AS m2_rate,
    if(totals.now[3] = -1, NULL, totals.now[3] / totals.base) AS m3_rate,
    if(totals.now[4] = -1, NULL, totals.now[4] / totals.base) AS m4_rate,
    if(totals.now[5] = -1, NULL, totals.now[5] / totals.base) AS m5_rate,
    if(totals.now[6] = -1, NULL, totals.now[6] / totals.base) AS m6_rate,
    if(totals.now[9] = -1, NULL, totals.now[9] / totals.base) AS m9_rate,
    if(totals.now[12] = -1, NULL, totals.now[12] / totals.base) AS m12_rate
FROM
(
    SELECT
        kind.1 AS by,
        ages.cohort_month AS cohort_month,
        maxIf(ages.customers, ages.age = 0) AS at_first,
        maxIf(kind.2, ages.age = 0) AS base,
        -- By age, which begins at 0; -1 where a cohort is not that old yet.
        arrayMap(age -> if(has(groupArray(ages.age) AS known, age), groupArray(kind.2)[indexOf(known, age)], -1), range(1, 13)) AS now
    FROM
    (
        SELECT
            c.cohort_month AS cohort_month,
            c.age_months AS age,
            toInt64(sum(c.customers)) AS customers,
            sum(if({currency:String} = '', c.mrr_reporting_minor, c.mrr_minor)) AS mrr
        FROM mart_mrr_cohorts AS c
        WHERE c.cohort_month BETWEEN toStartOfMonth({from:DateTime64(3, 'UTC')}) AND toStartOfMonth({to:DateTime64(3, 'UTC')})
          AND c.age_months <= 12
          AND {currency:String} IN ('', c.currency)
          AND {region:String} IN ('', c.region)
        GROUP BY cohort_month, age
    ) AS ages
    ARRAY JOIN [('customers', ages.customers), ('revenue', ages.mrr)] AS kind
    GROUP BY by, cohort_month
) AS totals
ORDER BY by, cohort
