-- 5. What is the revenue by region and by method, after refunds and disputes?
-- period: 30 days
--
-- gross: amounts captured in the period. refunds: refunds that succeeded in the period, whenever the payment was
-- captured. lost: disputes lost in the period, whenever they were opened. net = gross - refunds - lost.
-- Each movement counts on the day it happened, so that a closed period stays closed, with the region and the method
-- of the capture. Amounts are per currency, never converted. Payments marked deleted are left out.
SELECT
    dimension.1 AS by,
    dimension.2 AS name,
    currency,
    sum(mart.gross_minor) AS gross_minor,
    sum(mart.refunds_minor) AS refunds_minor,
    sum(mart.lost_minor) AS lost_minor,
    sum(mart.net_minor) AS net_minor
FROM mart_revenue_daily AS mart
ARRAY JOIN [('region', toString(region)), ('method', toString(method))] AS dimension
WHERE day BETWEEN toDate({from:DateTime64(3, 'UTC')}) AND toDate({to:DateTime64(3, 'UTC')})
  AND ({currency:String} = '' OR currency = {currency:String})
  AND ({region:String} = '' OR region = {region:String})
GROUP BY by, name, currency
ORDER BY
    by DESC,
    sum(sum(gross_reporting_minor)) OVER (PARTITION BY by, currency) DESC,
    currency,
    sum(gross_reporting_minor) DESC,
    name
