-- 23. Which transitions do payments make, and how long do they stay in a status?
-- period: 30 days
--
-- changes: of the status, that happened in the period. %: of all that leave the same status. median: hours
-- spent in the status that is left, exact. illegal: transitions that the state machine of
-- docs/data-model.md does not have; it has to be 0. Payments marked deleted are left out.
SELECT
    from_status AS `from`,
    to_status AS `to`,
    count() AS changes,
    changes / sum(changes) OVER (PARTITION BY from_status) AS changes_share,
    round(quantileExact(0.5)(dwell_ms) / 3600000, 3) AS median_h,
    countIf(NOT is_legal) AS illegal
FROM fact_payment_event
WHERE toDate(occurred_at) BETWEEN toDate({from:DateTime64(3, 'UTC')}) AND toDate({to:DateTime64(3, 'UTC')})
  AND occurred_at BETWEEN {from:DateTime64(3, 'UTC')} AND {to:DateTime64(3, 'UTC')}
  AND ({currency:String} = '' OR currency = {currency:String})
  AND ({region:String} = '' OR region = {region:String})
GROUP BY from_status, to_status
ORDER BY illegal DESC, changes DESC, from_status, to_status
