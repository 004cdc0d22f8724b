-- Enters every row that reaches raw_invoice_lines into the ledger, before the raw table collapses duplicates.
CREATE MATERIALIZED VIEW IF NOT EXISTS ledger_invoice_lines TO ledger AS
SELECT
    kafka_topic AS topic,
    kafka_partition AS partition,
    toStartOfHour(now('UTC')) AS hour,
    groupBitmapState(toUInt64(kafka_offset)) AS offsets,
    count() AS rows,
    min(now64(3, 'UTC')) AS first_landed_at,
    max(now64(3, 'UTC')) AS last_landed_at
FROM raw_invoice_lines
GROUP BY topic, partition, hour
