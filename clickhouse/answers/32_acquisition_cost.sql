-- 32. What does a new customer cost, and when is it earned back?
-- period: 365 days
--
-- spend: marketing spend of the months. new: customers whose first invoice of a subscription was paid in the same
-- months, through the same channel. cac: spend / new. Months are whole: the first one from its first day.
-- ltv: MRR per customer at the end of the period x gross margin / monthly churn, which is the customers who churned
-- (question 31) / customers at the start, over all months; none without churn. ltv_cac: ltv / cac.
-- payback: months until cac is earned: cac / (MRR per customer x gross margin).
-- The gross margin is an assumption (80 % unless the project variable gross_margin_bps says otherwise). Everything is
-- in the reporting currency; spend has no region and no currency of customers, so neither is asked for.
SELECT
    totals.channel AS channel,
    totals.currency AS currency,
    totals.spend AS spend_minor,
    totals.paying AS new,
    if(totals.paying = 0, NULL, toInt64(round(totals.spend / totals.paying))) AS cac_minor,
    if(totals.churned = 0 OR totals.customers = 0, NULL, toInt64(round(
        totals.mrr / totals.customers * totals.margin * totals.at_start / totals.churned
    ))) AS ltv_minor,
    if(totals.spend = 0, NULL, round(ltv_minor / cac_minor, 1)) AS ltv_cac,
    if(totals.mrr = 0, NULL, round(cac_minor / (totals.mrr / totals.customers * totals.margin), 1)) AS payback
FROM
(
    SELECT
        arrayJoin([a.channel, 'all']) AS channel,
        any(a.currency) AS currency,
        sum(a.spend_minor) AS spend,
        sum(a.new_paying_customers) AS paying,
        sum(a.customers_1_month_ago) AS at_start,
        sum(a.churned_customers) AS churned,
        sumIf(a.mrr_minor, a.month = newest) AS mrr,
        sumIf(a.customers, a.month = newest) AS customers,
        any(a.gross_margin_bps) / 10000 AS margin
    FROM mart_acquisition_month AS a
    CROSS JOIN
    (
        SELECT max(b.month) AS newest
        FROM mart_acquisition_month AS b
        WHERE b.month <= toStartOfMonth({to:DateTime64(3, 'UTC')}) AND b.customers > 0
    ) AS latest
    WHERE a.month BETWEEN toStartOfMonth({from:DateTime64(3, 'UTC')}) AND toStartOfMonth({to:DateTime64(3, 'UTC')})
    GROUP BY channel
) AS totals
ORDER BY channel = 'all' DESC, spend_minor DESC, channel
