-- 12. How often do customers pay?
-- period: 365 days
--
-- captures: payments captured in the months of the period. active: customers with MRR at the end of a month or a payment
-- captured in it, counted in each such month. per_month: captures / active.
-- median_gap: median of the whole days between a capture and the customer's capture before; p90: nine of ten gaps are
-- no longer. By the tier a customer is on now.
WITH
    activity AS
    (
        SELECT
            arrayJoin(['all', toString(p.tier)]) AS tier,
            sum(p.captures) AS captures,
            sum(p.active_customers) AS active
        FROM mart_payment_frequency AS p
        WHERE p.month BETWEEN toStartOfMonth({from:DateTime64(3, 'UTC')}) AND toStartOfMonth({to:DateTime64(3, 'UTC')})
          AND {currency:String} IN ('', p.currency)
          AND {region:String} IN ('', p.region)
        GROUP BY tier
    ),
    between_captures AS
    (
        SELECT
            arrayJoin(['all', toString(g.tier)]) AS tier,
            quantilesExactWeighted(0.5, 0.9)(g.gap_days, g.gaps) AS days
        FROM mart_payment_gaps AS g
        WHERE g.month BETWEEN toStartOfMonth({from:DateTime64(3, 'UTC')}) AND toStartOfMonth({to:DateTime64(3, 'UTC')})
          AND {currency:String} IN ('', g.currency)
          AND {region:String} IN ('', g.region)
        GROUP BY tier
    )
SELECT
    activity.tier AS tier,
    activity.captures AS captures,
    activity.active AS active,
    if(activity.active = 0, NULL, round(activity.captures / activity.active, 2)) AS per_month,
    if(empty(between_captures.days), NULL, between_captures.days[1]) AS median_gap,
    if(empty(between_captures.days), NULL, between_captures.days[2]) AS p90
FROM activity
LEFT JOIN between_captures ON between_captures.tier = activity.tier
ORDER BY tier = 'all' DESC, captures DESC, tier
