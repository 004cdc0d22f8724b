-- One row per event of billing.refunds, as schemas/avro/billing.refunds.avsc describes it, and where it was in Kafka.
-- T64 for times and offsets: in this order of rows they are not sorted, and Delta would make them larger.
CREATE TABLE IF NOT EXISTS raw_refunds
(
    event_id UUID COMMENT 'UUIDv7 of this event: the idempotency key. A redelivered event keeps it.' CODEC(ZSTD(1)),
    event_type LowCardinality(String) COMMENT 'What happened, as refund.<verb>.' CODEC(ZSTD(1)),
    occurred_at DateTime64(3, 'UTC') COMMENT 'When it happened, UTC. Immutable: raw tables are partitioned by it.' CODEC(T64, ZSTD(1)),
    produced_at DateTime64(3, 'UTC') COMMENT 'When the producer built the record, UTC.' CODEC(T64, ZSTD(1)),
    entity_version Int64 COMMENT 'Grows by one with each change of the refund; orders its events.' CODEC(ZSTD(1)),
    is_deleted Int32 COMMENT '1 when the refund was deleted, otherwise 0.' CODEC(ZSTD(1)),
    refund_id String COMMENT 'The refund.' CODEC(ZSTD(1)),
    payment_id String COMMENT 'The captured payment that is given back.' CODEC(ZSTD(1)),
    invoice_id String COMMENT 'The invoice that was paid.' CODEC(ZSTD(1)),
    customer_id String COMMENT 'The customer who paid. Key of the topic.' CODEC(ZSTD(1)),
    amount_minor Int64 COMMENT 'Amount of this refund.' CODEC(ZSTD(1)),
    currency LowCardinality(String) COMMENT 'ISO 4217 code of every amount of the record.' CODEC(ZSTD(1)),
    reason LowCardinality(String) COMMENT 'Why it is given back.' CODEC(ZSTD(1)),
    status LowCardinality(String) COMMENT 'Status after this change.' CODEC(ZSTD(1)),
    previous_status LowCardinality(String) COMMENT 'Status before this change; none for the first.' CODEC(ZSTD(1)),
    requested_at DateTime64(3, 'UTC') COMMENT 'When the refund was asked for, UTC; the same on every event of it.' CODEC(T64, ZSTD(1)),
    kafka_topic LowCardinality(String) COMMENT 'Topic the record came from.' CODEC(ZSTD(1)),
    kafka_partition Int32 COMMENT 'Partition the record came from.' CODEC(ZSTD(1)),
    kafka_offset Int64 COMMENT 'Offset of the record in its partition.' CODEC(T64, ZSTD(1)),
    kafka_timestamp DateTime64(3, 'UTC') COMMENT 'The record\'s timestamp on the broker, UTC.' CODEC(T64, ZSTD(1))
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(occurred_at)
ORDER BY (event_type, toDate(occurred_at), customer_id, event_id)
-- Remembers the sink's deduplication tokens: an insert repeated after a lost answer is dropped.
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'One change of a refund. Amounts are in minor units of the currency.'
