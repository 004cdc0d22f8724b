{{
    config(
        materialized='incremental',
        incremental_strategy='insert_overwrite',
        partition_by='month',
        order_by='(month, currency, customer_id)'
    )
}}

WITH
    {{ last_month() }} AS last_number,
    {% if is_incremental() %}
    -- Customers whose states were built after the months here.
    (SELECT max(states_built_at) FROM {{ this }}) AS built_until,
    changed_customers AS
    (
        SELECT DISTINCT customer_id FROM {{ ref('int_subscription_states') }} WHERE built_at > built_until
    ),
    -- Months to build again: those that any of these customers changes, those that are new, and those whose exchange
    -- rate has changed, as that of the newest month does from day to day.
    affected AS
    (
        SELECT month
        FROM
        (
            SELECT {{ month_of('number') }} AS month, customer_id, currency, mrr_minor, mrr_1_month_ago_minor, mrr_12_months_ago_minor
            FROM ({{ mrr_months('customer_id IN changed_customers', 0, 'last_number') }})
            UNION ALL
            SELECT month, customer_id, currency, mrr_minor, mrr_1_month_ago_minor, mrr_12_months_ago_minor
            FROM {{ this }}
            WHERE customer_id IN changed_customers
        )
        GROUP BY month, customer_id, currency
        HAVING count() = 1
            OR min(mrr_minor) != max(mrr_minor)
            OR min(mrr_1_month_ago_minor) != max(mrr_1_month_ago_minor)
            OR min(mrr_12_months_ago_minor) != max(mrr_12_months_ago_minor)
        UNION DISTINCT
        SELECT {{ month_of('number') }}
        FROM (SELECT arrayJoin(range({{ month_number('max(month)') }} + 1, last_number + 1)) AS number FROM {{ this }})
        UNION DISTINCT
        SELECT rated.month
        FROM (SELECT month, currency, any(minor_rate) AS minor_rate FROM {{ this }} GROUP BY month, currency) AS rated
        {{ join_fx('rated.currency', 'toLastDayOfMonth(rated.month)') }}
        WHERE rated.minor_rate != fx.minor_rate
    ),
    (SELECT groupArray({{ month_number('month') }}) FROM affected) AS affected_numbers,
    {% endif %}
    months AS
    (
        SELECT
            {{ month_of('number') }} AS month,
            customer_id,
            currency,
            mrr_minor,
            mrr_1_month_ago_minor,
            mrr_12_months_ago_minor,
            {{ month_of('first_number') }} AS first_month
        FROM
        (
            {% if is_incremental() %}
            {{ mrr_months('true', 'arrayMin(affected_numbers)', 'arrayMax(affected_numbers)') }}
            {% else %}
            {{ mrr_months('true', 0, 'last_number') }}
            {% endif %}
        )
        {% if is_incremental() %}
        WHERE has(affected_numbers, number)
        {% endif %}
    )
SELECT
    months.month AS month,
    months.customer_id AS customer_id,
    months.currency AS currency,
    months.mrr_minor AS mrr_minor,
    months.mrr_1_month_ago_minor AS mrr_1_month_ago_minor,
    months.mrr_12_months_ago_minor AS mrr_12_months_ago_minor,
    months.first_month AS first_month,
    fx.minor_rate AS minor_rate,
    -- All three at the rate of the month's last day, so that a change of rates is no movement.
    {{ to_reporting('months.mrr_minor') }} AS mrr_reporting_minor,
    {{ to_reporting('months.mrr_1_month_ago_minor') }} AS mrr_1_month_ago_reporting_minor,
    {{ to_reporting('months.mrr_12_months_ago_minor') }} AS mrr_12_months_ago_reporting_minor,
    (SELECT max(built_at) FROM {{ ref('int_subscription_states') }}) AS states_built_at
FROM months
{{ join_fx('months.currency', 'toLastDayOfMonth(months.month)') }}
