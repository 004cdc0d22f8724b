-- 11. What is a customer worth: so far, and in the end?
-- period: 365 days
--
-- customers: those who ever had a payment captured. realised: what all of them have brought in, captured less refunds
-- and lost disputes, over their whole lives up to now, each movement converted at the rate of its day; per customer.
-- arpa: MRR per customer with MRR at the end of the period. churn: customers who churned (question 31) / customers
-- at the start of the month, over the months of the period. predicted: arpa x gross margin / churn; none without
-- churn. The gross margin is an assumption (80 % unless the project variable gross_margin_bps says otherwise).
-- In the reporting currency; with --currency, of those billed in it, unconverted.
WITH
    realised AS
    (
        SELECT
            kind.1 AS by,
            kind.2 AS name,
            if({currency:String} = '', any(v.reporting_currency), any(toString(v.currency))) AS currency,
            countIf(v.captures > 0) AS customers,
            sum(if({currency:String} = '', v.net_reporting_minor, v.net_minor)) AS net
        FROM mart_customer_value AS v
        ARRAY JOIN [('all', 'all'), ('region', toString(v.region)), ('channel', toString(v.channel))] AS kind
        WHERE {currency:String} IN ('', v.currency) AND {region:String} IN ('', v.region)
        GROUP BY by, name
    ),
    (
        SELECT max(n.month) FROM mart_mrr_month AS n WHERE n.month <= toStartOfMonth({to:DateTime64(3, 'UTC')})
    ) AS newest,
    (SELECT any(a.gross_margin_bps) / 10000 FROM mart_acquisition_month AS a) AS margin,
    recurring AS
    (
        SELECT
            kind.1 AS by,
            kind.2 AS name,
            sumIf(if({currency:String} = '', m.mrr_reporting_minor, m.mrr_minor), m.month = newest) AS mrr,
            sumIf(m.customers, m.month = newest) AS subscribers,
            sum(m.customers_1_month_ago) AS at_start,
            sum(m.churned_customers) AS churned
        FROM mart_mrr_month AS m
        ARRAY JOIN [('all', 'all'), ('region', toString(m.region)), ('channel', toString(m.channel))] AS kind
        WHERE m.month BETWEEN toStartOfMonth({from:DateTime64(3, 'UTC')}) AND toStartOfMonth({to:DateTime64(3, 'UTC')})
          AND {currency:String} IN ('', m.currency)
          AND {region:String} IN ('', m.region)
        GROUP BY by, name
    )
SELECT
    realised.by AS by,
    realised.name AS name,
    realised.currency AS currency,
    realised.customers AS customers,
    if(realised.customers = 0, NULL, toInt64(round(realised.net / realised.customers))) AS realised_minor,
    if(recurring.subscribers = 0, NULL, toInt64(round(recurring.mrr / recurring.subscribers))) AS arpa_minor,
    if(recurring.at_start = 0, NULL, recurring.churned / recurring.at_start) AS churn_rate,
    if(recurring.churned = 0 OR recurring.subscribers = 0, NULL, toInt64(round(
        recurring.mrr / recurring.subscribers * margin * recurring.at_start / recurring.churned
    ))) AS predicted_minor
FROM realised
LEFT JOIN recurring ON recurring.by = realised.by AND recurring.name = realised.name
ORDER BY by = 'all' DESC, by DESC, customers DESC, name
