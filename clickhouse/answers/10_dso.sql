-- 10. How many days of sales are outstanding (DSO)?
-- period: 90 days
--
-- DSO = closing receivables / credit sales of the period x days of the period.
-- closing receivables: what was owed on invoices at the end of the period's last day. credit sales: totals of the
-- invoices that were opened in the period, tax included. Null where nothing was sold. Per currency, never converted.
SELECT
    currency,
    sumIf(mart.invoices, day >= toDate({from:DateTime64(3, 'UTC')})) AS invoices,
    sumIf(invoiced_minor, day >= toDate({from:DateTime64(3, 'UTC')})) AS sales_minor,
    sum(change_minor) AS receivables_minor,
    dateDiff('day', {from:DateTime64(3, 'UTC')}, {to:DateTime64(3, 'UTC')}) + 1 AS days,
    round(receivables_minor / nullIf(sales_minor, 0) * days, 1) AS dso_days
FROM mart_receivables_daily AS mart
WHERE day <= toDate({to:DateTime64(3, 'UTC')})
  AND ({currency:String} = '' OR currency = {currency:String})
  AND ({region:String} = '' OR region = {region:String})
GROUP BY currency
HAVING sales_minor != 0 OR receivables_minor != 0
ORDER BY invoices DESC, currency
