{{ config(partition_by='toYYYYMM(opened_at)', order_by='(toDate(opened_at), customer_id, dispute_id)') }}

WITH
    disputes AS
    (
        SELECT * FROM {{ ref('stg_disputes') }}
    ),
    captured AS
    (
        SELECT payment_id, method, processor, country, region, occurred_at AS captured_at
        FROM {{ ref('stg_payment_events') }}
        WHERE event_type = 'payment.captured' AND payment_id IN (SELECT payment_id FROM disputes)
        LIMIT 1 BY payment_id
    )
SELECT
    disputes.dispute_id AS dispute_id,
    disputes.payment_id AS payment_id,
    disputes.invoice_id AS invoice_id,
    disputes.customer_id AS customer_id,
    disputes.reason AS reason,
    disputes.status AS status,
    if(captured.payment_id = '', 'unknown', captured.method) AS method,
    if(captured.payment_id = '', 'unknown', captured.processor) AS processor,
    if(captured.payment_id = '', 'unknown', captured.country) AS country,
    if(captured.payment_id = '', 'unknown', captured.region) AS region,
    if(captured.payment_id = '', NULL, captured.captured_at) AS captured_at,
    disputes.opened_at AS opened_at,
    disputes.evidence_due_at AS evidence_due_at,
    if(disputes.status IN ('won', 'lost'), disputes.updated_at, NULL) AS closed_at,
    disputes.currency AS currency,
    disputes.amount_minor AS amount_minor,
    if(disputes.status = 'lost', disputes.amount_minor, 0) AS lost_minor,
    {{ to_reporting('disputes.amount_minor') }} AS amount_reporting_minor
FROM disputes
LEFT JOIN captured ON captured.payment_id = disputes.payment_id
{{ join_fx('disputes.currency', 'disputes.opened_at') }}
