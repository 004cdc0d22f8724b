-- 27. What moves the monthly recurring revenue?
-- period: 365 days
--
-- Per customer and currency, from the end of one month to the end of the next, in this order: from nothing for the
-- first time: new; from nothing again: back (reactivation); to nothing: lost (churn); more: up (expansion);
-- less: down (contraction). One movement per customer and month, whatever happened in between.
-- The month before + new + back + up - down - lost = mrr, to the cent.
-- In the reporting currency both ends are converted at the rate of the month's last day, so that a change of rates
-- is no movement, and the month before is worth what it is at that rate; with --currency nothing is converted.
SELECT
    formatDateTime(totals.month, '%Y-%m') AS month,
    totals.currency AS currency,
    totals.new AS new_minor,
    totals.back AS back_minor,
    totals.up AS up_minor,
    totals.down AS down_minor,
    totals.lost AS lost_minor,
    totals.mrr AS mrr_minor
FROM
(
    SELECT
        m.month AS month,
        if({currency:String} = '', m.reporting_currency, toString(m.currency)) AS currency,
        sum(if({currency:String} = '', m.new_reporting_minor, m.new_minor)) AS new,
        sum(if({currency:String} = '', m.reactivation_reporting_minor, m.reactivation_minor)) AS back,
        sum(if({currency:String} = '', m.expansion_reporting_minor, m.expansion_minor)) AS up,
        sum(if({currency:String} = '', m.contraction_reporting_minor, m.contraction_minor)) AS down,
        sum(if({currency:String} = '', m.churn_reporting_minor, m.churn_minor)) AS lost,
        sum(if({currency:String} = '', m.mrr_reporting_minor, m.mrr_minor)) AS mrr
    FROM mart_mrr_month AS m
    WHERE m.month BETWEEN toStartOfMonth({from:DateTime64(3, 'UTC')}) AND toStartOfMonth({to:DateTime64(3, 'UTC')})
      AND {currency:String} IN ('', m.currency)
      AND {region:String} IN ('', m.region)
    GROUP BY month, currency
) AS totals
ORDER BY month
