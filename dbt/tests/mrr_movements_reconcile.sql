-- What a month began with and what moved is what it ended with, to the cent, for every month and currency; and what it
-- began with is what the month before ended with. Balances and movements come from two models.
WITH
    balances AS
    (
        SELECT
            month,
            currency,
            sum(mrr_minor) AS end_minor,
            sum(mrr_1_month_ago_minor) AS start_minor,
            sum(mrr_reporting_minor) AS end_reporting_minor,
            sum(mrr_1_month_ago_reporting_minor) AS start_reporting_minor
        FROM {{ ref('fact_mrr_month') }}
        GROUP BY month, currency
    ),
    movements AS
    (
        SELECT
            month,
            currency,
            sum(movement_minor) AS moved_minor,
            sum(movement_reporting_minor) AS moved_reporting_minor
        FROM {{ ref('fact_mrr_movement') }}
        GROUP BY month, currency
    )
SELECT
    balances.month AS month,
    balances.currency AS currency,
    balances.start_minor AS start_minor,
    movements.moved_minor AS moved_minor,
    balances.end_minor AS end_minor,
    before.end_minor AS end_before_minor
FROM balances
LEFT JOIN movements ON movements.month = balances.month AND movements.currency = balances.currency
LEFT JOIN balances AS before ON before.month = addMonths(balances.month, -1) AND before.currency = balances.currency
WHERE balances.start_minor + movements.moved_minor != balances.end_minor
   OR balances.start_reporting_minor + movements.moved_reporting_minor != balances.end_reporting_minor
   OR balances.start_minor != before.end_minor
