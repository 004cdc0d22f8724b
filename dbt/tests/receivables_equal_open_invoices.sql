-- The changes of all days add up to what is owed now.
SELECT currency, region, sum(changed) AS change_minor, sum(owed) AS open_minor
FROM
(
    SELECT currency, region, change_minor AS changed, toInt64(0) AS owed FROM {{ ref('mart_receivables_daily') }}
    UNION ALL
    SELECT currency, region, 0, open_minor FROM {{ ref('dim_customer_invoices') }}
)
GROUP BY currency, region
HAVING change_minor != open_minor
