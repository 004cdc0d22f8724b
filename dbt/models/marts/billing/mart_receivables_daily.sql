{{ config(order_by='(currency, region, day)') }}

-- The change of a day; what is owed at its end is the sum of all changes up to it.
SELECT
    toDate(change.1) AS day,
    currency,
    region,
    sum(change.2) AS change_minor,
    sum(change.3) AS invoiced_minor,
    countIf(change.3 > 0) AS invoices
FROM {{ ref('fact_invoice_balance') }}
ARRAY JOIN [
    (opened_at, open_minor, if(is_whole, open_minor, 0)),
    (closed_at, -open_minor, 0)
] AS change
WHERE change.1 < toDateTime64('2299-01-01 00:00:00', 3, 'UTC')
GROUP BY day, currency, region
