-- 2. How large is the average payment, and how much does an average customer pay?
-- period: 30 days
--
-- captured: payments captured in the period, and their sum. average: sum / payments.
-- customers: distinct customers who paid with one of them. per customer: sum / customers.
-- Averages are rounded to the nearest minor unit, half away from zero. Amounts are per currency, never converted.
WITH
    money AS
    (
        SELECT currency, sum(captured_payments) AS captured, sum(gross_minor) AS sum_minor
        FROM mart_revenue_daily
        WHERE day BETWEEN toDate({from:DateTime64(3, 'UTC')}) AND toDate({to:DateTime64(3, 'UTC')})
          AND ({currency:String} = '' OR currency = {currency:String})
          AND ({region:String} = '' OR region = {region:String})
        GROUP BY currency
    ),
    people AS
    (
        SELECT currency, uniqExactMerge(paying_customers) AS customers
        FROM mart_paying_customers_daily
        WHERE day BETWEEN toDate({from:DateTime64(3, 'UTC')}) AND toDate({to:DateTime64(3, 'UTC')})
          AND ({currency:String} = '' OR currency = {currency:String})
          AND ({region:String} = '' OR region = {region:String})
        GROUP BY currency
    )
SELECT
    money.currency AS currency,
    money.captured AS captured,
    money.sum_minor AS sum_minor,
    toInt64(round(toDecimal128(sum_minor, 6) / captured, 0)) AS average_minor,
    people.customers AS customers,
    toInt64(round(toDecimal128(sum_minor, 6) / customers, 0)) AS per_customer_minor
FROM money
INNER JOIN people ON people.currency = money.currency
WHERE money.captured > 0
ORDER BY captured DESC, currency
