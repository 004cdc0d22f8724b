{{ config(materialized='view') }}

-- Read where events land, so that it moves between two refreshes. Two days of it, so that it stays quick.
SELECT
    events.payment_id AS payment_id,
    any(events.initiated_at) AS initiated_at,
    argMax(events.status, events.entity_version) AS status,
    argMax(events.currency, events.entity_version) AS currency,
    argMax(events.region, events.entity_version) AS region,
    argMax(events.method, events.entity_version) AS method,
    max(events.status = 'captured') AS is_captured
FROM {{ ref('stg_payment_events') }} AS events
-- No event of a payment is older than its start: lets the server skip older months.
WHERE events.occurred_at >= now64(3, 'UTC') - INTERVAL 2 DAY AND events.initiated_at >= now64(3, 'UTC') - INTERVAL 2 DAY
GROUP BY events.payment_id
