{{ config(order_by='customer_id') }}

WITH
    -- What has not happened before the newest event may still happen.
    assumeNotNull(
        (SELECT max(newest_at) FROM {{ ref('int_subscription_states') }} WHERE newest_at <= now64(3, 'UTC'))
    ) AS known_until,
    paid AS
    (
        SELECT customer_id, min(assumeNotNull(paid_at)) AS first_paid_at
        FROM {{ ref('dim_customer_invoices') }}
        WHERE paid_at IS NOT NULL AND paid_minor > 0 AND billed_for = 'subscription'
        GROUP BY customer_id
    ),
    states AS
    (
        SELECT customer_id, phase, mrr_minor, valid_from, valid_to
        FROM {{ ref('int_subscription_states') }}
        WHERE NOT is_deleted AND valid_from <= known_until
    ),
    trials AS
    (
        SELECT customer_id, min(valid_from) AS trial_at FROM states WHERE phase = 'trialing' GROUP BY customer_id
    ),
    kept AS
    (
        SELECT
            paid.customer_id AS customer_id,
            max(
                addMonths(first_paid_at, 1) <= known_until
                AND valid_from <= addMonths(first_paid_at, 1) AND valid_to > addMonths(first_paid_at, 1)
            ) AS after_1_month,
            max(
                addMonths(first_paid_at, 3) <= known_until
                AND valid_from <= addMonths(first_paid_at, 3) AND valid_to > addMonths(first_paid_at, 3)
            ) AS after_3_months
        FROM states
        INNER JOIN paid ON paid.customer_id = states.customer_id
        WHERE mrr_minor > 0
        GROUP BY customer_id
    )
SELECT
    customers.customer_id AS customer_id,
    customers.currency AS currency,
    customers.region AS region,
    customers.channel AS channel,
    customers.signup_at AS signup_at,
    -- A join that finds nothing gives 1970.
    nullIf(trials.trial_at, toDateTime64(0, 3, 'UTC')) AS trial_at,
    nullIf(paid.first_paid_at, toDateTime64(0, 3, 'UTC')) AS first_paid_at,
    toBool(kept.after_1_month) AS is_kept_after_1_month,
    toBool(kept.after_3_months) AS is_kept_after_3_months,
    known_until
FROM {{ ref('dim_customer') }} AS customers
LEFT JOIN trials ON trials.customer_id = customers.customer_id
LEFT JOIN paid ON paid.customer_id = customers.customer_id
LEFT JOIN kept ON kept.customer_id = customers.customer_id
WHERE customers.is_current AND customers.customer_id != 'unknown'
