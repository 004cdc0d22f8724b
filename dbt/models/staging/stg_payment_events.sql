-- Grouped and not read with FINAL: months are cut by initiated_at, which is no part of the raw table's key, so that FINAL
-- would merge all later months each time. The keys of the group can be filtered by before grouping.
SELECT
    any(e.event_id) AS event_id,
    e.event_type AS event_type,
    e.payment_id AS payment_id,
    e.invoice_id AS invoice_id,
    any(e.customer_id) AS customer_id,
    any(e.payment_method_id) AS payment_method_id,
    any(e.method) AS method,
    any(e.processor) AS processor,
    any(e.amount_minor) AS amount_minor,
    any(e.refunded_minor) AS refunded_minor,
    any(e.currency) AS currency,
    any(e.status) AS status,
    any(e.previous_status) AS previous_status,
    any(e.attempt_no) AS attempt_no,
    any(e.failure_code) AS failure_code,
    any(e.country) AS country,
    any(e.region) AS region,
    e.initiated_at AS initiated_at,
    e.occurred_at AS occurred_at,
    e.entity_version AS entity_version
FROM {{ source('billing', 'raw_payments') }} AS e
WHERE e.payment_id NOT IN (SELECT payment_id FROM {{ source('billing', 'raw_payments') }} WHERE is_deleted = 1)
GROUP BY e.event_type, e.occurred_at, e.payment_id, e.invoice_id, e.initiated_at, e.entity_version
