-- Grouped straight from the raw rows: neither the latest version nor the first time of a status changes when an event
-- is there twice, and grouping by event before would cost as much again.
SELECT
    e.payment_id AS payment_id,
    e.attempt_no AS attempt_no,
    e.initiated_at AS payment_initiated_at,
    argMax(e.invoice_id, e.entity_version) AS invoice_id,
    argMax(e.customer_id, e.entity_version) AS customer_id,
    argMax(e.payment_method_id, e.entity_version) AS payment_method_id,
    argMax(e.method, e.entity_version) AS method,
    argMax(e.processor, e.entity_version) AS processor,
    argMax(e.country, e.entity_version) AS country,
    argMax(e.region, e.entity_version) AS region,
    argMax(e.currency, e.entity_version) AS currency,
    argMax(e.amount_minor, e.entity_version) AS amount_minor,
    min(e.occurred_at) AS initiated_at,
    minOrNullIf(e.occurred_at, e.status = 'authorized') AS authorized_at,
    minOrNullIf(e.occurred_at, e.status = 'captured') AS captured_at,
    minOrNullIf(e.occurred_at, e.status = 'settled') AS settled_at,
    minOrNullIf(e.occurred_at, e.status IN ('failed', 'abandoned')) AS failed_at,
    minOrNullIf(e.occurred_at, e.status = 'voided') AS voided_at,
    minOrNullIf(e.occurred_at, e.status = 'expired') AS expired_at,
    argMaxIf(e.failure_code, e.entity_version, e.status IN ('failed', 'abandoned')) AS failure_code
FROM {{ source('billing', 'raw_payments') }} AS e
WHERE e.payment_id NOT IN (SELECT payment_id FROM {{ source('billing', 'raw_payments') }} WHERE is_deleted = 1)
GROUP BY e.payment_id, e.attempt_no, e.initiated_at
