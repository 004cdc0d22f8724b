-- No entity makes a transition that its state machine does not have, and none begins where the last one did not end.
WITH
    told AS
    (
        SELECT 'subscription' AS machine, subscription_id AS entity_id, previous_status, status, entity_version
        FROM {{ ref('stg_subscription_events') }}
        UNION ALL
        SELECT 'dispute', dispute_id, previous_status, status, entity_version FROM {{ ref('stg_dispute_events') }}
        UNION ALL
        SELECT 'order', order_id, previous_status, status, entity_version FROM {{ ref('stg_order_events') }}
        UNION ALL
        -- Of these the last transition is asked.
        SELECT 'refund', refund_id, previous_status, status, entity_version FROM {{ ref('stg_refunds') }}
        UNION ALL
        SELECT 'shipment', shipment_id, previous_status, status, entity_version FROM {{ ref('stg_shipments') }}
    ),
    followed AS
    (
        SELECT
            machine, entity_id, previous_status, status, entity_version,
            lagInFrame(status, 1, '') OVER previous AS status_before,
            lagInFrame(entity_version, 1, toInt64(0)) OVER previous AS version_before
        FROM told
        WINDOW previous AS (
            PARTITION BY machine, entity_id ORDER BY entity_version ROWS BETWEEN 1 PRECEDING AND CURRENT ROW
        )
    )
SELECT machine, entity_id, previous_status, status, 'not in the state machine' AS defect
FROM followed
WHERE (machine, previous_status, status) NOT IN (SELECT machine, from_status, to_status FROM {{ ref('legal_transitions') }})
UNION ALL
SELECT machine, entity_id, previous_status, status, 'does not begin where the last one ended'
FROM followed
WHERE version_before = entity_version - 1 AND entity_version > 1 AND previous_status != status_before
