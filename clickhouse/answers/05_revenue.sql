-- 5. What is the revenue by region and by method, after refunds and disputes?
-- period: 30 days
--
-- gross: amounts captured in the period. refunds: amounts refunded in the period, whenever the payment was
-- captured. lost: what disputes lost in the period took back, which is the amount not refunded before.
-- net = gross - refunds - lost. Each movement counts on the day it happened, so that a closed period stays
-- closed, with the region and the method its event names. Amounts are per currency, never converted.
-- FINAL drops duplicates: the events of a period are few partitions, and merging them needs no memory. Refunds are
-- cumulative on the events, so each payment counts its difference. Payments marked deleted are left out.
WITH
    movements AS
    (
        SELECT
            region,
            method,
            currency,
            if(status = 'captured', amount_minor, 0) AS captured,
            0 AS refunded,
            if(status = 'lost', amount_minor - refunded_minor, 0) AS taken_back
        FROM raw_payments FINAL
        WHERE status IN ('captured', 'lost')
          AND occurred_at BETWEEN {from:DateTime64(3, 'UTC')} AND {to:DateTime64(3, 'UTC')}
          AND payment_id NOT IN (SELECT payment_id FROM raw_payments WHERE is_deleted = 1)
        UNION ALL
        SELECT
            argMax(region, entity_version),
            argMax(method, entity_version),
            any(currency),
            0,
            max(refunded_minor) - maxIf(refunded_minor, occurred_at < {from:DateTime64(3, 'UTC')}),
            0
        FROM raw_payments
        WHERE status IN ('partially_refunded', 'refunded')
          AND occurred_at <= {to:DateTime64(3, 'UTC')}
          AND payment_id IN
          (
              SELECT payment_id
              FROM raw_payments
              WHERE status IN ('partially_refunded', 'refunded')
                AND occurred_at BETWEEN {from:DateTime64(3, 'UTC')} AND {to:DateTime64(3, 'UTC')}
          )
          AND payment_id NOT IN (SELECT payment_id FROM raw_payments WHERE is_deleted = 1)
        GROUP BY payment_id
    )
SELECT
    dimension.1 AS by,
    dimension.2 AS name,
    currency,
    sum(captured) AS gross_minor,
    sum(refunded) AS refunds_minor,
    sum(taken_back) AS lost_minor,
    gross_minor - refunds_minor - lost_minor AS net_minor
FROM movements
ARRAY JOIN [('region', toString(region)), ('method', toString(method))] AS dimension
GROUP BY by, name, currency
ORDER BY by DESC, sum(count()) OVER (PARTITION BY by, currency) DESC, currency, count() DESC, name
SETTINGS do_not_merge_across_partitions_select_final = 1
