{{ config(order_by='(cohort_month, currency, region, age_months)') }}

WITH cohorts AS
(
    SELECT
        months.first_month AS cohort_month,
        months.currency AS currency,
        if(customers.region = '', 'unknown', customers.region) AS region,
        dateDiff('month', months.first_month, months.month) AS age_months,
        countIf(months.mrr_minor > 0) AS customers,
        sum(months.mrr_minor) AS mrr_minor
    FROM {{ ref('fact_mrr_month') }} AS months
    LEFT JOIN (SELECT customer_id, region FROM {{ ref('dim_customer') }} WHERE is_current) AS customers
        ON customers.customer_id = months.customer_id
    GROUP BY cohort_month, currency, region, age_months
)
SELECT
    cohorts.cohort_month AS cohort_month,
    cohorts.currency AS currency,
    '{{ var("reporting_currency") }}' AS reporting_currency,
    cohorts.region AS region,
    toUInt16(cohorts.age_months) AS age_months,
    cohorts.customers AS customers,
    -- Whoever is in a cohort has MRR at its beginning.
    first_value(cohorts.customers) OVER aged AS cohort_customers,
    cohorts.mrr_minor AS mrr_minor,
    first_value(cohorts.mrr_minor) OVER aged AS cohort_mrr_minor,
    -- At the rate of the cohort's first month, whatever its age: a change of rates is no retention.
    {{ to_reporting('cohorts.mrr_minor') }} AS mrr_reporting_minor,
    {{ to_reporting('cohort_mrr_minor') }} AS cohort_mrr_reporting_minor
FROM cohorts
{{ join_fx('cohorts.currency', 'toLastDayOfMonth(cohorts.cohort_month)') }}
WINDOW aged AS (PARTITION BY cohorts.cohort_month, cohorts.currency, cohorts.region ORDER BY cohorts.age_months)
