-- 8. How much is outstanding?
-- period: all
--
-- At the end of the period: total - paid, of invoices that are open or partially paid then. Drafts, void and
-- uncollectible invoices owe nothing. There are no credit notes beside refunds, and a refund leaves what is owed as it
-- is: it gives back money that was paid. overdue: due before the end of the period.
-- Amounts are per currency, never converted.
SELECT
    currency,
    count() AS invoices,
    sum(open_minor) AS outstanding_minor,
    countIf(due_at < {to:DateTime64(3, 'UTC')}) AS overdue_invoices,
    sumIf(open_minor, due_at < {to:DateTime64(3, 'UTC')}) AS overdue_minor,
    overdue_minor / outstanding_minor AS overdue_rate
FROM fact_invoice_balance
WHERE closed_at > {to:DateTime64(3, 'UTC')}
  AND opened_at <= {to:DateTime64(3, 'UTC')}
  AND ({currency:String} = '' OR currency = {currency:String})
  AND ({region:String} = '' OR region = {region:String})
GROUP BY currency
ORDER BY sum(open_reporting_minor) DESC, currency
