{{ config(order_by='topic') }}

WITH
    landed AS
    (
        SELECT
            ledger.topic AS topic,
            count() AS partitions,
            sum(ledger.delivered_rows) AS delivered_rows,
            sum(ledger.landed_offsets) AS landed_offsets,
            sum(ledger.last_offset - ledger.first_offset + 1) AS offsets_passed,
            min(ledger.first_landed_at) AS first_landed_at,
            max(ledger.last_landed_at) AS last_landed_at
        FROM {{ ref('stg_ledger') }} AS ledger
        GROUP BY ledger.topic
    ),
    newest AS
    (
        SELECT
            topic,
            any(raw_table) AS raw_table,
            count() AS stored_rows,
            max(occurred_at) AS newest_event_at,
            max(appended_at) AS newest_record_at
        FROM {{ ref('stg_landings') }}
        GROUP BY topic
    )
SELECT
    landed.topic AS topic,
    newest.raw_table AS raw_table,
    toUInt32(landed.partitions) AS partitions,
    landed.delivered_rows AS delivered_rows,
    landed.landed_offsets AS landed_offsets,
    toInt64(landed.delivered_rows) - toInt64(landed.landed_offsets) AS redelivered_rows,
    landed.offsets_passed - toInt64(landed.landed_offsets) AS passed_over_offsets,
    newest.stored_rows AS stored_rows,
    newest.newest_event_at AS newest_event_at,
    newest.newest_record_at AS newest_record_at,
    landed.first_landed_at AS first_landed_at,
    landed.last_landed_at AS last_landed_at,
    now64(3, 'UTC') AS measured_at
FROM landed
LEFT JOIN newest ON newest.topic = landed.topic
