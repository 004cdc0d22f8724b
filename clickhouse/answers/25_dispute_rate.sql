-- 25. How many payments are disputed, and how many disputes are won?
-- period: 365 days
--
-- captured in: disputes, up to now, of the payments captured in the month. disputed in: disputes opened in the month,
-- whenever the payment was captured. dispute %: of the payments captured in the month. win %: won / (won + lost);
-- open ones count for neither. Whole months, the last as far as it went.
SELECT
    section AS by,
    month,
    sum(parts.captures) AS captures,
    sum(parts.disputes) AS disputes,
    disputes / nullIf(captures, 0) AS dispute_rate,
    sum(parts.won) AS won,
    sum(parts.lost) AS lost,
    won / nullIf(won + lost, 0) AS win_rate
FROM
(
    SELECT 'captured in' AS section, month, currency, region, captures, disputes, won_disputes AS won, lost_disputes AS lost
    FROM mart_capture_cohorts
    UNION ALL
    SELECT 'disputed in', month, currency, region, captures, 0, 0, 0
    FROM mart_capture_cohorts
    UNION ALL
    SELECT 'disputed in', toStartOfMonth(day), currency, region, 0, disputes, won_disputes, lost_disputes
    FROM mart_disputes_daily
) AS parts
WHERE month BETWEEN toStartOfMonth({from:DateTime64(3, 'UTC')}) AND toStartOfMonth({to:DateTime64(3, 'UTC')})
  AND ({currency:String} = '' OR currency = {currency:String})
  AND ({region:String} = '' OR region = {region:String})
GROUP BY section, month
ORDER BY by, month
