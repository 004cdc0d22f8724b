-- 37. What is each customer billed per month, and what is paid and pending?
-- period: 30 days
--
-- Invoices by the UTC month of issue, without drafts and void ones; those of the months of the period. billed: all of
-- them with their totals. paid: those paid in full, and what was paid on any. pending: those open or partially paid,
-- and what is owed on them. average: amount / invoices, rounded half away from zero. Newest month first, then by
-- amount in the reporting currency.
SELECT
    part.1 AS by,
    customer_id AS customer,
    formatDateTime(mart.month, '%Y-%m') AS month,
    currency,
    part.2 AS invoices,
    part.3 AS amount_minor,
    if(invoices = 0, NULL, toInt64(round(toDecimal128(amount_minor, 6) / invoices, 0))) AS average_minor
FROM mart_customer_invoice_months AS mart
ARRAY JOIN [
    ('billed', toInt64(mart.invoices), total_minor),
    ('paid', toInt64(paid_invoices), paid_minor),
    ('pending', toInt64(pending_invoices), pending_minor)
] AS part
WHERE mart.month BETWEEN toStartOfMonth({from:DateTime64(3, 'UTC')}) AND toStartOfMonth({to:DateTime64(3, 'UTC')})
  AND part.3 > 0
  AND ({currency:String} = '' OR currency = {currency:String})
  AND ({region:String} = '' OR region = {region:String})
ORDER BY by, month DESC, total_reporting_minor DESC, customer
