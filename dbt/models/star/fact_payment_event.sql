{{ config(
    materialized='monthly',
    partition_by='toYYYYMM(initiated_at)',
    order_by='(toDate(occurred_at), to_status, payment_id, seq)',
    month_of={'raw_payments': 'initiated_at'},
    rows_per_statement=200000,
) }}

WITH
    events AS
    (
        SELECT
            *,
            lagInFrame(occurred_at, 1, occurred_at) OVER previous AS previous_at,
            lagInFrame(toInt64(entity_version), 1, 0) OVER previous AS previous_seq
        FROM {{ ref('stg_payment_events') }}
        WHERE {{ in_months('initiated_at') }} AND {{ since_months('occurred_at') }}
        WINDOW previous AS (
            PARTITION BY payment_id ORDER BY entity_version ROWS BETWEEN 1 PRECEDING AND CURRENT ROW
        )
    )
SELECT
    events.payment_id AS payment_id,
    events.entity_version AS seq,
    events.event_id AS event_id,
    events.previous_status AS from_status,
    events.status AS to_status,
    events.attempt_no AS attempt_no,
    events.occurred_at AS occurred_at,
    events.initiated_at AS initiated_at,
    -- Unknown while the event in between has not landed.
    if(
        events.previous_seq = events.entity_version - 1 AND events.entity_version > 1,
        dateDiff('millisecond', events.previous_at, events.occurred_at),
        NULL
    ) AS dwell_ms,
    toBool(legal.to_status != '') AS is_legal,
    events.customer_id AS customer_id,
    events.invoice_id AS invoice_id,
    events.method AS method,
    events.processor AS processor,
    events.failure_code AS failure_code,
    events.country AS country,
    events.region AS region,
    events.currency AS currency,
    events.amount_minor AS amount_minor,
    events.refunded_minor AS refunded_minor
FROM events
LEFT JOIN (SELECT * FROM {{ ref('legal_transitions') }} WHERE machine = 'payment') AS legal
    ON legal.from_status = events.previous_status AND legal.to_status = events.status
