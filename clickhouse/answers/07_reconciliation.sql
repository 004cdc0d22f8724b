-- 7. Do the invoices say what the payments say?
-- period: 365 days
--
-- Of invoices issued in the months of the period: paid is what the invoices say was applied to them, captured what the
-- captured payments of the same invoices add up to. The difference has to be 0, and so has the number of invoices
-- that differ (only while a payment has landed and its invoice has not, it is not). Drafts are left out.
SELECT
    currency,
    sum(mart.invoices) AS invoices,
    sum(mart.paid_minor) AS paid_minor,
    sum(mart.captured_minor) AS captured_minor,
    paid_minor - captured_minor AS difference_minor,
    sum(differing_invoices) AS differing
FROM mart_invoices_monthly AS mart
WHERE month BETWEEN toStartOfMonth({from:DateTime64(3, 'UTC')}) AND toStartOfMonth({to:DateTime64(3, 'UTC')})
  AND ({currency:String} = '' OR currency = {currency:String})
  AND ({region:String} = '' OR region = {region:String})
GROUP BY currency
ORDER BY differing DESC, invoices DESC, currency
