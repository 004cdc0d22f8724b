-- 18. When are customers busiest: which weekday and which hour?
-- period: 365 days
-- bar: local
--
-- Payments by the moment they were initiated. utc: on the clock of UTC; local: on the clock of the customer's time
-- zone, daylight saving included. Days of the period are days of the clock in question. Hours run from :00 to :59,
-- the busiest local hour first. Payments marked deleted are left out.
SELECT
    dimension.1 AS by,
    dimension.2 AS name,
    sumIf(payments, clock = 'UTC') AS utc,
    utc / sum(utc) OVER (PARTITION BY by) AS utc_share,
    sumIf(payments, clock = 'local') AS local,
    local / sum(local) OVER (PARTITION BY by) AS local_share
FROM mart_busy_hours
ARRAY JOIN [('weekday', dateName('weekday', day)), ('hour', leftPad(toString(hour), 2, '0'))] AS dimension
WHERE day BETWEEN toDate({from:DateTime64(3, 'UTC')}) AND toDate({to:DateTime64(3, 'UTC')})
  AND ({currency:String} = '' OR currency = {currency:String})
  AND ({region:String} = '' OR region = {region:String})
GROUP BY by, name
ORDER BY by DESC, if(by = 'weekday', any(toDayOfWeek(day)), 0), local DESC, name
