{{ config(order_by='(currency, rate_date)') }}

-- How many minor units of each currency one minor unit of the reporting currency costs, day by day.
WITH
    quoted AS
    (
        SELECT quote AS currency, rate_date, rate FROM {{ ref('stg_fx_rates') }}
        UNION ALL
        -- A base currency costs itself. Rates are all quoted for one base currency.
        SELECT DISTINCT base, rate_date, toDecimal128(1, 12) FROM {{ ref('stg_fx_rates') }}
    ),
    reporting AS
    (
        SELECT rate_date, rate FROM quoted WHERE currency = '{{ var("reporting_currency") }}'
    ),
    crossed AS
    (
        SELECT
            quoted.currency AS currency,
            quoted.rate_date AS rate_date,
            toDecimal128(quoted.rate / reporting.rate, 12) AS rate
        FROM quoted
        INNER JOIN reporting ON reporting.rate_date = quoted.rate_date
    ),
    -- Whatever happened before the first rate is converted at the first rate.
    extended AS
    (
        SELECT currency, rate_date, rate FROM crossed
        UNION ALL
        SELECT crossed.currency, toDate32('1970-01-01'), argMin(crossed.rate, crossed.rate_date)
        FROM crossed
        GROUP BY crossed.currency
    )
SELECT
    extended.currency AS currency,
    extended.rate_date AS rate_date,
    extended.rate AS rate,
    -- Multiplying before dividing keeps it exact: one of the two powers is 1 unless exponents differ both ways.
    toDecimal128(
        extended.rate * toDecimal128(exp10(own.exponent), 0) / toDecimal128(exp10(into.exponent), 0), 12
    ) AS minor_rate
FROM extended
INNER JOIN {{ ref('currencies') }} AS own ON own.currency = extended.currency
CROSS JOIN (SELECT exponent FROM {{ ref('currencies') }} WHERE currency = '{{ var("reporting_currency") }}') AS into
