-- 17. Which months are strong, once growth is taken out?
-- period: all
-- bar: index_percent
--
-- index: captured volume of a month / its centred 12-month average, which is the mean of the twelve months around it,
-- the first and the last of the thirteen counting half; averaged over the years. 100 is an ordinary month. Needs 24
-- whole months; months without both neighbours of half a year have no index. In the reporting currency, at the rate
-- of each day, unless a currency is chosen.
WITH
    months AS
    (
        SELECT
            toStartOfMonth(day) AS month,
            if({currency:String} = '', sum(gross_reporting_minor), sum(gross_minor)) AS volume,
            min(day) AS first_day
        FROM mart_revenue_daily AS mart
        WHERE day BETWEEN toDate({from:DateTime64(3, 'UTC')}) AND toDate({to:DateTime64(3, 'UTC')})
          AND ({currency:String} = '' OR mart.currency = {currency:String})
          AND ({region:String} = '' OR region = {region:String})
        GROUP BY month
        ORDER BY month
    ),
    -- The first month is taken as cut off, and so is the last, unless they are known to be whole.
    whole AS
    (
        SELECT month, volume
        FROM months
        WHERE month > (SELECT min(month) FROM months)
          AND addMonths(month, 1) <= toDate({to:DateTime64(3, 'UTC')} + INTERVAL 1 MILLISECOND)
    ),
    centred AS
    (
        SELECT
            month,
            volume,
            (sum(volume) OVER outer_months + sum(volume) OVER inner_months) / 24 AS average,
            count() OVER outer_months AS neighbours
        FROM whole
        WINDOW
            outer_months AS (ORDER BY month ROWS BETWEEN 6 PRECEDING AND 6 FOLLOWING),
            inner_months AS (ORDER BY month ROWS BETWEEN 5 PRECEDING AND 5 FOLLOWING)
    )
SELECT
    dateName('month', month) AS month_of_year,
    count() AS years,
    round(avg(volume / average) * 100, 1) AS index_percent,
    round(min(volume / average) * 100, 1) AS lowest,
    round(max(volume / average) * 100, 1) AS highest
FROM centred
WHERE neighbours = 13 AND average > 0 AND (SELECT count() FROM whole) >= 24
GROUP BY month_of_year, toMonth(month)
ORDER BY toMonth(month)
