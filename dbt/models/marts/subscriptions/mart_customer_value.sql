{{ config(order_by='(customer_id, currency)') }}

WITH moved AS
(
    SELECT
        customer_id,
        currency,
        countIf(kind = 'charge') AS captures,
        minIf(assumeNotNull(revenue_at), kind = 'charge') AS first_captured_at,
        maxIf(assumeNotNull(revenue_at), kind = 'charge') AS last_captured_at,
        sumIf(revenue_minor, kind = 'charge') AS captured_minor,
        -sumIf(revenue_minor, kind = 'refund') AS refunded_minor,
        -sumIf(revenue_minor, kind = 'dispute') AS lost_minor,
        sum(revenue_minor) AS net_minor,
        sum(revenue_reporting_minor) AS net_reporting_minor
    FROM {{ ref('fact_transaction') }}
    WHERE revenue_at IS NOT NULL
    GROUP BY customer_id, currency
)
SELECT
    customers.customer_id AS customer_id,
    if(moved.customer_id = '', customers.currency, moved.currency) AS currency,
    '{{ var("reporting_currency") }}' AS reporting_currency,
    customers.region AS region,
    customers.channel AS channel,
    customers.tier AS tier,
    customers.signup_at AS signup_at,
    moved.captures AS captures,
    -- A join or a minimum that finds nothing gives 1970.
    nullIf(moved.first_captured_at, toDateTime64(0, 3, 'UTC')) AS first_captured_at,
    nullIf(moved.last_captured_at, toDateTime64(0, 3, 'UTC')) AS last_captured_at,
    moved.captured_minor AS captured_minor,
    moved.refunded_minor AS refunded_minor,
    moved.lost_minor AS lost_minor,
    moved.net_minor AS net_minor,
    moved.net_reporting_minor AS net_reporting_minor
FROM {{ ref('dim_customer') }} AS customers
LEFT JOIN moved ON moved.customer_id = customers.customer_id
WHERE customers.is_current AND customers.customer_id != 'unknown'
