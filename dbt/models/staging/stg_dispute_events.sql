SELECT
    any(e.event_id) AS event_id,
    e.dispute_id AS dispute_id,
    any(e.payment_id) AS payment_id,
    any(e.invoice_id) AS invoice_id,
    any(e.customer_id) AS customer_id,
    any(e.amount_minor) AS amount_minor,
    any(e.currency) AS currency,
    any(e.reason) AS reason,
    any(e.status) AS status,
    any(e.previous_status) AS previous_status,
    any(e.evidence_due_at) AS evidence_due_at,
    any(e.opened_at) AS opened_at,
    any(e.occurred_at) AS occurred_at,
    e.entity_version AS entity_version
FROM {{ source('billing', 'raw_disputes') }} AS e
WHERE e.dispute_id NOT IN (SELECT dispute_id FROM {{ source('billing', 'raw_disputes') }} WHERE is_deleted = 1)
GROUP BY e.dispute_id, e.entity_version
