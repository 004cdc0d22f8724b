{{ config(order_by='(day, currency, region)') }}

SELECT
    toDate(assumeNotNull(paid_at)) AS day,
    currency,
    region,
    count() AS paid_invoices,
    countIf(invoices.days_late IS NOT NULL) AS late_invoices,
    sum(total_minor) AS paid_minor,
    sumIf(total_minor, invoices.days_late IS NOT NULL) AS late_minor,
    sum(total_reporting_minor) AS paid_reporting_minor,
    sumIf(total_reporting_minor, invoices.days_late IS NOT NULL) AS late_reporting_minor,
    -- All of them, so that percentiles are exact for any period.
    groupArrayIf(assumeNotNull(invoices.days_late), invoices.days_late IS NOT NULL) AS days_late
FROM {{ ref('dim_customer_invoices') }} AS invoices
WHERE paid_at IS NOT NULL AND status = 'paid'
GROUP BY day, currency, region
