-- 9. How many invoices are paid late, and how old is what is still owed?
-- period: 90 days
--
-- paid: invoices paid in full in the period. late: after they were due; days: how late, median and 90th percentile.
-- owed: what is open at the end of the period, by the days since it was due.
-- All currencies together are in the reporting currency, at the rate of the day of issue; a chosen currency is in
-- itself. Shares are of the invoices of the section.
WITH
    parts AS
    (
        SELECT
            'paid' AS section,
            if(part.1, 'late', 'in time') AS name,
            toInt64(sum(part.2)) AS invoices,
            if({currency:String} = '', sum(part.4), sum(part.3)) AS amount_minor,
            if(part.1, arrayMap(days -> round(days, 1), quantilesExactArray(0.5, 0.9)(days_late)), []) AS days
        FROM mart_paid_invoices_daily AS mart
        ARRAY JOIN [
            (false, paid_invoices - late_invoices, paid_minor - late_minor, paid_reporting_minor - late_reporting_minor),
            (true, toInt64(late_invoices), late_minor, late_reporting_minor)
        ] AS part
        WHERE day BETWEEN toDate({from:DateTime64(3, 'UTC')}) AND toDate({to:DateTime64(3, 'UTC')})
          AND ({currency:String} = '' OR currency = {currency:String})
          AND ({region:String} = '' OR region = {region:String})
        GROUP BY part.1
        UNION ALL
        SELECT
            'owed',
            multiIf(
                due_at >= {to:DateTime64(3, 'UTC')}, 'not due yet',
                due_at >= {to:DateTime64(3, 'UTC')} - INTERVAL 30 DAY, 'due 0-30 days',
                due_at >= {to:DateTime64(3, 'UTC')} - INTERVAL 60 DAY, 'due 31-60 days',
                due_at >= {to:DateTime64(3, 'UTC')} - INTERVAL 90 DAY, 'due 61-90 days',
                'due over 90 days'
            ) AS age,
            toInt64(count()),
            if({currency:String} = '', sum(open_reporting_minor), sum(open_minor)),
            arrayMap(
                days -> round(days, 1),
                quantilesExact(0.5, 0.9)(dateDiff('millisecond', due_at, {to:DateTime64(3, 'UTC')}) / 86400000)
            )
        FROM fact_invoice_balance
        WHERE closed_at > {to:DateTime64(3, 'UTC')}
          AND opened_at <= {to:DateTime64(3, 'UTC')}
          AND ({currency:String} = '' OR currency = {currency:String})
          AND ({region:String} = '' OR region = {region:String})
        GROUP BY age
    )
SELECT
    section AS by,
    name,
    parts.invoices AS invoices,
    invoices / sum(invoices) OVER (PARTITION BY section) AS invoices_share,
    if({currency:String} = '', (SELECT any(currency) FROM dim_currency WHERE is_reporting_currency), {currency:String}) AS currency,
    parts.amount_minor AS amount_minor,
    if(name = 'not due yet' OR empty(days), NULL, days[1]) AS days_p50,
    if(name = 'not due yet' OR empty(days), NULL, days[2]) AS days_p90
FROM parts
WHERE invoices > 0
ORDER BY
    by DESC,
    indexOf(['in time', 'late', 'not due yet', 'due 0-30 days', 'due 31-60 days', 'due 61-90 days'], name) = 0,
    indexOf(['in time', 'late', 'not due yet', 'due 0-30 days', 'due 31-60 days', 'due 61-90 days'], name)
