{{ config(order_by='customer_id') }}

-- As of the newest payment that has landed, so that old data has segments, too.
WITH
    (SELECT max(payment_initiated_at) FROM {{ ref('dim_payment_details') }}) AS as_of,
    money AS
    (
        SELECT
            customer_id,
            countIf(kind = 'charge') AS captured_payments,
            countIf(kind = 'charge' AND revenue_at > as_of - INTERVAL 365 DAY) AS payments_365_days,
            sumIf(revenue_reporting_minor, revenue_at > as_of - INTERVAL 365 DAY) AS net_365_days_reporting_minor,
            sum(revenue_reporting_minor) AS net_reporting_minor,
            maxOrNullIf(revenue_at, kind = 'charge') AS last_paid_at
        FROM {{ ref('fact_transaction') }}
        WHERE revenue_at IS NOT NULL
        GROUP BY customer_id
    ),
    disputed AS
    (
        SELECT customer_id, count() AS disputes, countIf(status = 'lost') AS lost_disputes
        FROM {{ ref('fact_dispute') }}
        GROUP BY customer_id
    ),
    billed AS
    (
        SELECT
            customer_id,
            countIf(status = 'paid') AS paid_invoices,
            countIf(days_late IS NOT NULL AND status = 'paid') AS late_invoices,
            countIf(open_minor > 0 AND due_at < as_of) AS overdue_invoices
        FROM {{ ref('dim_customer_invoices') }}
        GROUP BY customer_id
    ),
    ordered AS
    (
        SELECT
            customer_id,
            countIf(status != 'canceled') AS orders,
            maxOrNullIf(placed_at, status != 'canceled') AS last_order_at,
            countIf(status != 'canceled' AND placed_at > as_of - INTERVAL 30 DAY) AS orders_30_days,
            sumIf(subtotal_minor + shipping_minor, status != 'canceled' AND placed_at > as_of - INTERVAL 30 DAY) AS spend_30_days_minor,
            countIf(delivered_at IS NOT NULL) AS deliveries,
            countIf(days_delayed IS NOT NULL) AS delayed_deliveries
        FROM {{ ref('dim_product_logistics') }}
        GROUP BY customer_id
    ),
    facts AS
    (
        SELECT
            customers.customer_id AS customer_id,
            customers.region AS region,
            customers.country AS country,
            customers.currency AS currency,
            customers.tier AS tier,
            customers.channel AS channel,
            customers.status AS status,
            customers.signup_at AS signup_at,
            money.last_paid_at AS last_paid_at,
            money.captured_payments AS captured_payments,
            money.payments_365_days AS payments_365_days,
            money.net_365_days_reporting_minor AS net_365_days_reporting_minor,
            money.net_reporting_minor AS net_reporting_minor,
            disputed.disputes AS disputes,
            disputed.lost_disputes AS lost_disputes,
            billed.paid_invoices AS paid_invoices,
            billed.late_invoices AS late_invoices,
            billed.overdue_invoices AS overdue_invoices,
            ordered.orders AS orders,
            ordered.last_order_at AS last_order_at,
            ordered.orders_30_days AS orders_30_days,
            ordered.spend_30_days_minor AS spend_30_days_minor,
            {{ to_reporting('ordered.spend_30_days_minor') }} AS spend_30_days_reporting_minor,
            ordered.deliveries AS deliveries,
            ordered.delayed_deliveries AS delayed_deliveries
        FROM (SELECT * FROM {{ ref('dim_customer') }} WHERE is_current AND customer_id != 'unknown') AS customers
        LEFT JOIN money ON money.customer_id = customers.customer_id
        LEFT JOIN disputed ON disputed.customer_id = customers.customer_id
        LEFT JOIN billed ON billed.customer_id = customers.customer_id
        LEFT JOIN ordered ON ordered.customer_id = customers.customer_id
        LEFT JOIN
        (
            SELECT currency, argMax(minor_rate, rate_date) AS minor_rate
            FROM {{ ref('int_fx_rates') }}
            WHERE rate_date <= toDate32(as_of)
            GROUP BY currency
        ) AS fx ON fx.currency = customers.currency
    ),
    -- Quintiles among those who have ever paid; equal ones are told apart by their id, so that a rebuild agrees.
    scored AS
    (
        SELECT
            customer_id,
            ntile(5) OVER (ORDER BY last_paid_at, customer_id ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS recency,
            ntile(5) OVER (ORDER BY payments_365_days, customer_id ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS frequency,
            ntile(5) OVER (ORDER BY net_365_days_reporting_minor, customer_id ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS monetary
        FROM facts
        WHERE captured_payments > 0
    )
SELECT
    facts.*,
    as_of,
    toUInt8(scored.recency) AS recency_quintile,
    toUInt8(scored.frequency) AS frequency_quintile,
    toUInt8(scored.monetary) AS monetary_quintile,
    multiIf(
        recency_quintile = 0, 'never paid',
        recency_quintile >= 4 AND frequency_quintile >= 4 AND monetary_quintile >= 4, 'champions',
        recency_quintile >= 4 AND frequency_quintile >= 4, 'loyal',
        recency_quintile >= 4, 'recent',
        recency_quintile = 3, 'needs attention',
        frequency_quintile >= 3 OR monetary_quintile >= 3, 'at risk',
        'lost'
    ) AS segment,
    multiIf(
        facts.status = 'canceled', 'churned',
        facts.status = 'past_due' OR facts.overdue_invoices >= 2 OR facts.lost_disputes > 0, 'high',
        facts.status = 'paused' OR facts.overdue_invoices = 1 OR recency_quintile IN (1, 2), 'medium',
        'low'
    ) AS churn_risk,
    dateDiff('day', facts.last_order_at, as_of) AS days_since_last_order
FROM facts
LEFT JOIN scored ON scored.customer_id = facts.customer_id
