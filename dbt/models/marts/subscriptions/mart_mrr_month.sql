{{ config(order_by='(month, currency, region, channel)') }}

WITH
    customers AS
    (
        SELECT customer_id, region, channel FROM {{ ref('dim_customer') }} WHERE is_current
    ),
    balances AS
    (
        SELECT
            months.month AS month,
            months.currency AS currency,
            if(customers.region = '', 'unknown', customers.region) AS region,
            if(customers.channel = '', 'unknown', customers.channel) AS channel,
            countIf(mrr_minor > 0) AS customers,
            countIf(mrr_1_month_ago_minor > 0) AS customers_1_month_ago,
            countIf(mrr_12_months_ago_minor > 0) AS customers_12_months_ago,
            sum(mrr_minor) AS mrr,
            sum(mrr_1_month_ago_minor) AS mrr_1_month_ago,
            sum(mrr_12_months_ago_minor) AS mrr_12_months_ago,
            sumIf(mrr_minor, mrr_1_month_ago_minor > 0) AS stayed_1_month,
            sumIf(mrr_minor, mrr_12_months_ago_minor > 0) AS stayed_12_months,
            sum(least(mrr_minor, mrr_1_month_ago_minor)) AS kept_1_month,
            sum(least(mrr_minor, mrr_12_months_ago_minor)) AS kept_12_months,
            sum(mrr_reporting_minor) AS mrr_reporting,
            sum(mrr_1_month_ago_reporting_minor) AS mrr_1_month_ago_reporting,
            sum(mrr_12_months_ago_reporting_minor) AS mrr_12_months_ago_reporting,
            sumIf(mrr_reporting_minor, mrr_1_month_ago_minor > 0) AS stayed_1_month_reporting,
            sumIf(mrr_reporting_minor, mrr_12_months_ago_minor > 0) AS stayed_12_months_reporting,
            sum(least(mrr_reporting_minor, mrr_1_month_ago_reporting_minor)) AS kept_1_month_reporting,
            sum(least(mrr_reporting_minor, mrr_12_months_ago_reporting_minor)) AS kept_12_months_reporting
        FROM {{ ref('fact_mrr_month') }} AS months
        LEFT JOIN customers ON customers.customer_id = months.customer_id
        GROUP BY month, currency, region, channel
    ),
    movements AS
    (
        SELECT
            moved.month AS month,
            moved.currency AS currency,
            if(customers.region = '', 'unknown', customers.region) AS region,
            if(customers.channel = '', 'unknown', customers.channel) AS channel,
            {% for type in ['new', 'reactivation', 'expansion', 'contraction', 'churn'] %}
            {% set sign = '-' if type in ['contraction', 'churn'] else '' %}
            sumIf({{ sign }}movement_minor, movement_type = '{{ type }}') AS {{ type }},
            sumIf({{ sign }}movement_reporting_minor, movement_type = '{{ type }}') AS {{ type }}_reporting,
            {% endfor %}
            countIf(movement_type = 'new') AS new_customers,
            countIf(movement_type = 'reactivation') AS reactivated_customers,
            countIf(movement_type = 'churn') AS churned_customers,
            countIf(is_involuntary) AS involuntarily_churned_customers
        FROM {{ ref('fact_mrr_movement') }} AS moved
        LEFT JOIN customers ON customers.customer_id = moved.customer_id
        GROUP BY month, currency, region, channel
    )
SELECT
    balances.month AS month,
    balances.currency AS currency,
    '{{ var("reporting_currency") }}' AS reporting_currency,
    balances.region AS region,
    balances.channel AS channel,
    balances.customers AS customers,
    balances.customers_1_month_ago AS customers_1_month_ago,
    balances.customers_12_months_ago AS customers_12_months_ago,
    {% for count in ['new_customers', 'reactivated_customers', 'churned_customers', 'involuntarily_churned_customers'] %}
    movements.{{ count }} AS {{ count }},
    {% endfor %}
    {% for suffix in ['', '_reporting'] %}
    {% for sum in ['mrr', 'mrr_1_month_ago', 'mrr_12_months_ago', 'stayed_1_month', 'stayed_12_months', 'kept_1_month', 'kept_12_months'] %}
    balances.{{ sum }}{{ suffix }} AS {{ sum }}{{ suffix }}_minor,
    {% endfor %}
    {% for type in ['new', 'reactivation', 'expansion', 'contraction', 'churn'] %}
    movements.{{ type }}{{ suffix }} AS {{ type }}{{ suffix }}_minor{{ '' if loop.last and suffix else ',' }}
    {% endfor %}
    {% endfor %}
FROM balances
LEFT JOIN movements
    ON movements.month = balances.month AND movements.currency = balances.currency
    AND movements.region = balances.region AND movements.channel = balances.channel
