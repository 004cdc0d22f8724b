-- 33. How many signups become customers who stay?
-- period: 365 days
--
-- By the month of signup. trials: those who began a trial; plans without one are paid for at once.
-- paid_30, paid_60: of the signups, those whose first invoice of a subscription was paid within 30 and 60 days.
-- trial_paid: of the trials, those paid within 60 days of signup.
-- kept_1, kept_3: of those who paid within 60 days, those with MRR one and three calendar months after they first paid.
-- A share appears once its time has passed for everybody who signed up in the month.
SELECT
    formatDateTime(totals.month, '%Y-%m') AS signup,
    totals.signups AS signups,
    totals.trials AS trials,
    if(totals.is_30_days_over, totals.paid_30 / totals.signups, NULL) AS paid_30_rate,
    if(totals.is_60_days_over, totals.paid_60 / totals.signups, NULL) AS paid_60_rate,
    if(totals.is_60_days_over AND totals.trials > 0, totals.trials_paid / totals.trials, NULL) AS trial_paid_rate,
    if(totals.is_month_1_over AND totals.paid_60 > 0, totals.kept_1 / totals.paid_60, NULL) AS kept_1_rate,
    if(totals.is_month_3_over AND totals.paid_60 > 0, totals.kept_3 / totals.paid_60, NULL) AS kept_3_rate
FROM
(
    SELECT
        f.signup_month AS month,
        sum(f.signups) AS signups,
        sum(f.trials) AS trials,
        sum(f.paid_in_30_days) AS paid_30,
        sum(f.paid_in_60_days) AS paid_60,
        sum(f.trials_paid_in_60_days) AS trials_paid,
        sum(f.kept_after_1_month) AS kept_1,
        sum(f.kept_after_3_months) AS kept_3,
        min(f.is_30_days_over) AS is_30_days_over,
        min(f.is_60_days_over) AS is_60_days_over,
        min(f.is_month_1_over) AS is_month_1_over,
        min(f.is_month_3_over) AS is_month_3_over
    FROM mart_signup_funnel AS f
    WHERE f.signup_month BETWEEN toStartOfMonth({from:DateTime64(3, 'UTC')}) AND toStartOfMonth({to:DateTime64(3, 'UTC')})
      AND {currency:String} IN ('', f.currency)
      AND {region:String} IN ('', f.region)
    GROUP BY month
) AS totals
ORDER BY month
