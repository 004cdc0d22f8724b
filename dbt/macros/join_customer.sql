{#
  Joins the version of a customer that was valid at an instant, as `customer`; one row at most, so nothing fans out. Of
  the history only what was valid in the months being built is kept in memory.
#}
{% macro join_customer(customer_id, at) -%}
ASOF LEFT JOIN
(
    SELECT customer_id, customer_version_id, valid_from, region, tier, channel
    FROM {{ ref('dim_customer') }}
    WHERE {{ until_months('valid_from') }} AND {{ since_months('valid_to') }}
) AS customer
    ON customer.customer_id = {{ customer_id }} AND customer.valid_from <= {{ at }}
{%- endmacro %}

{# For `changed_by`: a new version of a customer changes what began after it, and nothing before it. #}
{% macro changed_by_customers(table, begun_at, event_type) -%}
SELECT begun.{{ begun_at }} AS instant FROM {{ table }} AS begun
INNER JOIN (SELECT customer_id, min(occurred_at) AS since FROM new GROUP BY customer_id) AS changed
    ON changed.customer_id = begun.customer_id
WHERE begun.event_type = '{{ event_type }}' AND begun.{{ begun_at }} >= changed.since
{%- endmacro %}

{# For `changed_by`: what lands about payments changes the months those payments began in. #}
{% macro changed_by_payments() -%}
SELECT initiated_at AS instant FROM raw_payments
WHERE event_type = 'payment.initiated' AND payment_id IN (SELECT payment_id FROM new)
{%- endmacro %}
