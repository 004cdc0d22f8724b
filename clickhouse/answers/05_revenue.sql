-- 5. What is the revenue by region and by method, after refunds and disputes?
-- period: 30 days
--
-- gross: amounts captured in the period. refunds: amounts refunded in the period, whenever the payment was
-- captured. lost: what disputes lost in the period took back, which is the amount not refunded before.
-- net = gross - refunds - lost. Each movement counts on the day it happened, so that a closed period stays
-- closed; region and method are those of the payment's latest version. Amounts are per currency, never converted.
-- Duplicates and late versions change nothing: a payment is one group, refunds are cumulative on its events and
-- counted as a difference. Payments marked deleted are left out.
WITH payments AS
(
    SELECT
        argMax(region, entity_version) AS payment_region,
        argMax(method, entity_version) AS payment_method,
        any(currency) AS payment_currency,
        maxIf(amount_minor, status = 'captured' AND occurred_at >= {from:DateTime64(3, 'UTC')}) AS captured_minor,
        max(refunded_minor) - maxIf(refunded_minor, occurred_at < {from:DateTime64(3, 'UTC')}) AS refunded,
        maxIf(amount_minor - refunded_minor, status = 'lost' AND occurred_at >= {from:DateTime64(3, 'UTC')}) AS taken_back
    FROM raw_payments
    WHERE status IN ('captured', 'partially_refunded', 'refunded', 'lost')
      AND occurred_at <= {to:DateTime64(3, 'UTC')}
      AND payment_id IN
      (
          SELECT payment_id
          FROM raw_payments
          WHERE status IN ('captured', 'partially_refunded', 'refunded', 'lost')
            AND occurred_at BETWEEN {from:DateTime64(3, 'UTC')} AND {to:DateTime64(3, 'UTC')}
      )
      AND payment_id NOT IN (SELECT payment_id FROM raw_payments WHERE is_deleted = 1)
    GROUP BY payment_id
)
SELECT
    dimension.1 AS by,
    dimension.2 AS name,
    payment_currency AS currency,
    sum(captured_minor) AS gross_minor,
    sum(refunded) AS refunds_minor,
    sum(taken_back) AS lost_minor,
    gross_minor - refunds_minor - lost_minor AS net_minor
FROM payments
ARRAY JOIN [('region', toString(payment_region)), ('method', toString(payment_method))] AS dimension
GROUP BY by, name, currency
ORDER BY by DESC, sum(count()) OVER (PARTITION BY by, currency) DESC, currency, count() DESC, name
