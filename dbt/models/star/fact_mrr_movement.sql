{{ config(order_by='(month, currency, customer_id)') }}

-- Why a customer had no MRR at the end of the month it ended in.
WITH ended AS
(
    SELECT
        customer_id,
        currency,
        {{ month_of('begins') }} AS end_month,
        argMax(end_reason, valid_from) AS reason
    FROM
    (
        SELECT
            customer_id,
            currency,
            end_reason,
            valid_from,
            {{ month_number('valid_from') }} AS begins,
            {{ month_number('valid_to') }} AS ends
        FROM {{ ref('int_subscription_states') }}
        WHERE end_reason != 'none' AND NOT is_deleted AND begins < ends
    )
    GROUP BY customer_id, currency, end_month
)
SELECT
    months.month AS month,
    months.customer_id AS customer_id,
    months.currency AS currency,
    -- In this order: what begins from nothing is no expansion, and what ends in nothing is no contraction.
    multiIf(
        months.mrr_1_month_ago_minor = 0 AND months.month = months.first_month, 'new',
        months.mrr_1_month_ago_minor = 0, 'reactivation',
        months.mrr_minor = 0, 'churn',
        months.mrr_minor > months.mrr_1_month_ago_minor, 'expansion',
        'contraction'
    ) AS movement_type,
    months.mrr_1_month_ago_minor AS start_minor,
    months.mrr_minor AS end_minor,
    end_minor - start_minor AS movement_minor,
    months.mrr_reporting_minor - months.mrr_1_month_ago_reporting_minor AS movement_reporting_minor,
    multiIf(movement_type != 'churn', 'none', ended.reason = '', 'unknown', ended.reason) AS churn_reason,
    toBool(churn_reason = 'payment_failed') AS is_involuntary
FROM
(
    SELECT * FROM {{ ref('fact_mrr_month') }} WHERE mrr_minor != mrr_1_month_ago_minor
) AS months
LEFT JOIN ended
    ON ended.customer_id = months.customer_id AND ended.currency = months.currency AND ended.end_month = months.month
