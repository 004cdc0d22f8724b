{{ config(order_by='currency') }}

SELECT
    currency,
    name,
    exponent,
    toBool(currency = '{{ var("reporting_currency") }}') AS is_reporting_currency
FROM {{ ref('currencies') }}
