-- 3. Which payment methods are used: share of attempts, of captures and of value?
-- period: 30 days
--
-- attempts: charge attempts of the payments initiated in the period; a retry is another attempt.
-- captures: attempts that were captured by now. value: the amounts of the captures.
-- An attempt has the method its latest version names. Shares are within the currency; value can't be added up across
-- currencies, so the rows of "all" have none. Payments marked deleted are left out.
SELECT
    arrayJoin([mart.currency, 'all']) AS currency,
    method,
    sum(mart.attempts) AS attempts,
    attempts / sum(attempts) OVER (PARTITION BY currency) AS attempts_share,
    sumIf(mart.attempts, outcome = 'captured') AS captures,
    captures / nullIf(sum(captures) OVER (PARTITION BY currency), 0) AS captures_share,
    if(currency = 'all', NULL, sumIf(amount_minor, outcome = 'captured')) AS value_minor,
    value_minor / nullIf(sum(value_minor) OVER (PARTITION BY currency), 0) AS value_share
FROM mart_attempts_daily AS mart
WHERE counted_by = 'initiated'
  AND day BETWEEN toDate({from:DateTime64(3, 'UTC')}) AND toDate({to:DateTime64(3, 'UTC')})
  AND ({currency:String} = '' OR mart.currency = {currency:String})
  AND ({region:String} = '' OR region = {region:String})
GROUP BY currency, method
ORDER BY sum(captures) OVER (PARTITION BY currency) DESC, currency = 'all' DESC, currency, attempts DESC, method
