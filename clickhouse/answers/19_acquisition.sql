-- 19. How many customers sign up, through which channel and from where?
-- period: 365 days
-- bar: signups
--
-- signups: customers by the UTC month of their signup, with the channel, the country, the region and the currency they
-- have now. The first and the last month hold the days of the period only. Customers marked deleted are left out.
SELECT
    dimension.1 AS by,
    dimension.2 AS name,
    sum(mart.signups) AS signups,
    signups / sum(signups) OVER (PARTITION BY by) AS signups_share
FROM mart_signups_daily AS mart
ARRAY JOIN [
    ('month', formatDateTime(day, '%Y-%m')),
    ('channel', toString(channel)),
    ('country', toString(country)),
    ('month, channel, country', concat(formatDateTime(day, '%Y-%m'), ' ', channel, ' ', country))
] AS dimension
WHERE day BETWEEN toDate({from:DateTime64(3, 'UTC')}) AND toDate({to:DateTime64(3, 'UTC')})
  AND ({currency:String} = '' OR currency = {currency:String})
  AND ({region:String} = '' OR region = {region:String})
GROUP BY by, name
ORDER BY
    indexOf(['month', 'channel', 'country', 'month, channel, country'], by),
    if(by LIKE 'month%', substring(name, 1, 7), '') DESC,
    signups DESC,
    name
