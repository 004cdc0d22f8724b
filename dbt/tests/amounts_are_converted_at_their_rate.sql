-- A converted amount is within half a minor unit of the exact one, in every currency, with 0, 2 or 3 decimals; and every
-- currency that money is in has a rate.
SELECT
    facts.transaction_id,
    facts.currency,
    facts.settled_minor,
    facts.settled_reporting_minor
FROM {{ ref('fact_transaction') }} AS facts
{{ join_fx('facts.currency', 'coalesce(facts.revenue_at, facts.moved_at, facts.initiated_at)') }}
WHERE facts.settled_minor != 0
  AND abs(facts.settled_reporting_minor * toFloat64(fx.minor_rate) - facts.settled_minor) > toFloat64(fx.minor_rate) * 0.5001
