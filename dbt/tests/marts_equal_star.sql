-- Marts hold all of the star, and nothing twice.
SELECT what, sum(mart) AS in_mart, sum(star) AS in_star
FROM
(
    SELECT concat('net revenue ', currency) AS what, net_minor AS mart, toInt64(0) AS star
    FROM {{ ref('mart_revenue_daily') }}
    UNION ALL
    SELECT concat('net revenue ', currency), 0, revenue_minor FROM {{ ref('fact_transaction') }}
    UNION ALL
    SELECT concat('captured by cohort ', currency), captured_minor, 0 FROM {{ ref('mart_capture_cohorts') }}
    UNION ALL
    SELECT concat('captured by cohort ', currency), 0, settled_minor FROM {{ ref('fact_transaction') }} WHERE kind = 'charge'
    UNION ALL
    SELECT 'attempts', toInt64(attempts), 0 FROM {{ ref('mart_attempts_daily') }} WHERE counted_by = 'initiated'
    UNION ALL
    SELECT 'attempts', 0, toInt64(count()) FROM {{ ref('dim_payment_details') }}
    UNION ALL
    SELECT 'payments', toInt64(payments), 0 FROM {{ ref('mart_payments_daily') }}
    UNION ALL
    SELECT 'payments', 0, toInt64(count()) FROM {{ ref('dim_payment_details') }} WHERE attempt_no = 1
    UNION ALL
    SELECT 'payments on the clock', toInt64(payments), 0 FROM {{ ref('mart_busy_hours') }} WHERE clock = 'local'
    UNION ALL
    SELECT 'payments on the clock', 0, toInt64(count()) FROM {{ ref('dim_payment_details') }} WHERE attempt_no = 1
)
GROUP BY what
HAVING in_mart != in_star
