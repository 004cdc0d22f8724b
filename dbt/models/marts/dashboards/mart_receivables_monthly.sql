{{ config(order_by='(month, currency, region)') }}

-- What is owed at the end of a month is the sum of all changes up to it, so that months without a change have a row, too.
WITH
    changes AS
    (
        SELECT
            currency,
            region,
            toStartOfMonth(day) AS month,
            sum(daily.change_minor) AS change_minor,
            sum(daily.invoiced_minor) AS invoiced_minor
        FROM {{ ref('mart_receivables_daily') }} AS daily
        WHERE day <= (SELECT max(paid_until.day) FROM {{ ref('mart_payments_daily') }} AS paid_until)
        GROUP BY currency, region, month
    ),
    (SELECT max(day) FROM {{ ref('mart_payments_daily') }}) AS newest_day,
    months AS
    (
        SELECT
            pairs.currency AS currency,
            pairs.region AS region,
            arrayJoin(arrayMap(
                number -> addMonths(pairs.first_month, number),
                range(toUInt32(dateDiff('month', pairs.first_month, newest_day)) + 1)
            )) AS month
        FROM (SELECT currency, region, min(changes.month) AS first_month FROM changes GROUP BY currency, region) AS pairs
    ),
    balances AS
    (
        SELECT
            months.month AS month,
            months.currency AS currency,
            months.region AS region,
            sum(changes.change_minor) OVER (
                PARTITION BY months.currency, months.region ORDER BY months.month
                ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
            ) AS receivables_minor,
            changes.invoiced_minor AS invoiced_minor
        FROM months
        LEFT JOIN changes
            ON changes.currency = months.currency AND changes.region = months.region AND changes.month = months.month
    )
SELECT
    balances.month AS month,
    balances.currency AS currency,
    balances.region AS region,
    toUInt8(least(toLastDayOfMonth(balances.month), newest_day) - balances.month + 1) AS days,
    balances.receivables_minor AS receivables_minor,
    balances.invoiced_minor AS invoiced_minor,
    {{ to_reporting('balances.receivables_minor') }} AS receivables_reporting_minor,
    {{ to_reporting('balances.invoiced_minor') }} AS invoiced_reporting_minor
FROM balances
{{ join_fx('balances.currency', 'least(toLastDayOfMonth(balances.month), newest_day)') }}
