{{ config(materialized='view') }}

-- Read from the ledger, so that it moves between two refreshes.
SELECT
    ledger.topic AS topic,
    ledger.partition AS partition,
    ledger.delivered_rows AS delivered_rows,
    ledger.landed_offsets AS landed_offsets,
    ledger.last_landed_at AS last_landed_at,
    now64(3, 'UTC') AS measured_at
FROM {{ ref('stg_ledger') }} AS ledger
