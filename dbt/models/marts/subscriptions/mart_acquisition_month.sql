{{ config(order_by='(month, channel)') }}

WITH
    spent AS
    (
        SELECT
            toStartOfMonth(spend.spend_date) AS month,
            spend.channel AS channel,
            sum({{ to_reporting('spend.spend_minor') }}) AS spend_minor
        FROM {{ ref('stg_marketing_spend') }} AS spend
        {{ join_fx('spend.currency', 'spend.spend_date') }}
        GROUP BY month, channel
    ),
    signed_up AS
    (
        SELECT toStartOfMonth(signup_at) AS month, channel, count() AS signups
        FROM {{ ref('int_customer_milestones') }}
        GROUP BY month, channel
    ),
    paid AS
    (
        SELECT toStartOfMonth(assumeNotNull(first_paid_at)) AS month, channel, count() AS new_paying_customers
        FROM {{ ref('int_customer_milestones') }}
        WHERE first_paid_at IS NOT NULL
        GROUP BY month, channel
    ),
    recurring AS
    (
        SELECT
            month,
            channel,
            sum(mrr_reporting_minor) AS mrr_minor,
            sum(customers) AS customers,
            sum(customers_1_month_ago) AS customers_1_month_ago,
            sum(churned_customers) AS churned_customers
        FROM {{ ref('mart_mrr_month') }}
        GROUP BY month, channel
    )
SELECT
    toDate(by_channel.month) AS month,
    by_channel.channel AS channel,
    '{{ var("reporting_currency") }}' AS currency,
    sum(by_channel.spend_minor) AS spend_minor,
    sum(by_channel.signups) AS signups,
    sum(by_channel.new_paying_customers) AS new_paying_customers,
    sum(by_channel.mrr_minor) AS mrr_minor,
    sum(by_channel.customers) AS customers,
    sum(by_channel.customers_1_month_ago) AS customers_1_month_ago,
    sum(by_channel.churned_customers) AS churned_customers,
    toUInt16({{ var('gross_margin_bps') }}) AS gross_margin_bps
FROM
(
    SELECT toDate(month) AS month, toString(channel) AS channel, spend_minor, 0 AS signups, 0 AS new_paying_customers, 0 AS mrr_minor, 0 AS customers, 0 AS customers_1_month_ago, 0 AS churned_customers FROM spent
    UNION ALL
    SELECT month, channel, 0, signups, 0, 0, 0, 0, 0 FROM signed_up
    UNION ALL
    SELECT month, channel, 0, 0, new_paying_customers, 0, 0, 0, 0 FROM paid
    UNION ALL
    SELECT month, channel, 0, 0, 0, mrr_minor, customers, customers_1_month_ago, churned_customers FROM recurring
) AS by_channel
GROUP BY month, channel
