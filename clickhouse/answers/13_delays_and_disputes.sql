-- 13. What is delayed and what is disputed, by reason and by customer?
-- period: 365 days
--
-- dispute reason: disputes opened in the period; of: payments captured in it.
-- late carrier: deliveries of the period that came after the promised day; of: its deliveries.
-- late payer: invoices paid in the period after they were due; of: invoices paid in it.
-- disputing customer, late customer: the ten with the most disputes and with the most late invoices, ever; of: their
-- captured payments and their paid invoices.
SELECT section AS by, name, cases, out_of, if(out_of = 0, NULL, cases / out_of) AS case_rate
FROM
(
    SELECT
        'dispute reason' AS section,
        toString(reason) AS name,
        toInt64(sum(disputes)) AS cases,
        (
            SELECT toInt64(sum(captured_payments))
            FROM mart_revenue_daily
            WHERE day BETWEEN toDate({from:DateTime64(3, 'UTC')}) AND toDate({to:DateTime64(3, 'UTC')})
              AND ({currency:String} = '' OR currency = {currency:String})
              AND ({region:String} = '' OR region = {region:String})
        ) AS out_of
    FROM mart_disputes_daily
    WHERE day BETWEEN toDate({from:DateTime64(3, 'UTC')}) AND toDate({to:DateTime64(3, 'UTC')})
      AND ({currency:String} = '' OR currency = {currency:String})
      AND ({region:String} = '' OR region = {region:String})
    GROUP BY reason
    UNION ALL
    SELECT 'late carrier', toString(carrier), toInt64(sum(delayed_deliveries)), toInt64(sum(deliveries))
    FROM mart_delays_daily
    WHERE day BETWEEN toDate({from:DateTime64(3, 'UTC')}) AND toDate({to:DateTime64(3, 'UTC')})
      AND ({currency:String} = '' OR currency = {currency:String})
      AND ({region:String} = '' OR region = {region:String})
    GROUP BY carrier
    UNION ALL
    SELECT 'late payer', region, toInt64(sum(late_invoices)), toInt64(sum(paid_invoices))
    FROM mart_paid_invoices_daily
    WHERE day BETWEEN toDate({from:DateTime64(3, 'UTC')}) AND toDate({to:DateTime64(3, 'UTC')})
      AND ({currency:String} = '' OR currency = {currency:String})
      AND ({region:String} = '' OR region = {region:String})
    GROUP BY region
    UNION ALL
    SELECT 'disputing customer', customer_id, toInt64(disputes), toInt64(captured_payments)
    FROM mart_customers
    WHERE disputes > 0
      AND ({currency:String} = '' OR currency = {currency:String})
      AND ({region:String} = '' OR region = {region:String})
    ORDER BY disputes DESC, captured_payments, customer_id
    LIMIT 10
    UNION ALL
    SELECT 'late customer', customer_id, toInt64(late_invoices), toInt64(paid_invoices)
    FROM mart_customers
    WHERE late_invoices > 0
      AND ({currency:String} = '' OR currency = {currency:String})
      AND ({region:String} = '' OR region = {region:String})
    ORDER BY late_invoices DESC, paid_invoices, customer_id
    LIMIT 10
)
ORDER BY
    indexOf(['dispute reason', 'late carrier', 'late payer', 'disputing customer', 'late customer'], by),
    cases DESC,
    case_rate DESC,
    name
