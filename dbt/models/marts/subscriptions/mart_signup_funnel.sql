{{ config(order_by='(signup_month, currency, region, channel)') }}

SELECT
    toStartOfMonth(signup_at) AS signup_month,
    currency,
    region,
    channel,
    count() AS signups,
    countIf(trial_at IS NOT NULL) AS trials,
    countIf(first_paid_at <= signup_at + INTERVAL 30 DAY) AS paid_in_30_days,
    countIf(first_paid_at <= signup_at + INTERVAL 60 DAY) AS paid_in_60_days,
    countIf(first_paid_at <= signup_at + INTERVAL 60 DAY AND trial_at IS NOT NULL) AS trials_paid_in_60_days,
    countIf(first_paid_at <= signup_at + INTERVAL 60 DAY AND is_kept_after_1_month) AS kept_after_1_month,
    countIf(first_paid_at <= signup_at + INTERVAL 60 DAY AND is_kept_after_3_months) AS kept_after_3_months,
    any(known_until) AS known_until,
    toDateTime64(addMonths(signup_month, 1), 3, 'UTC') AS last_signup_before,
    toBool(last_signup_before + INTERVAL 30 DAY <= known_until) AS is_30_days_over,
    toBool(last_signup_before + INTERVAL 60 DAY <= known_until) AS is_60_days_over,
    toBool(addMonths(last_signup_before + INTERVAL 60 DAY, 1) <= known_until) AS is_month_1_over,
    toBool(addMonths(last_signup_before + INTERVAL 60 DAY, 3) <= known_until) AS is_month_3_over
FROM {{ ref('int_customer_milestones') }}
GROUP BY signup_month, currency, region, channel
