-- One row per event of billing.marketing-spend, as schemas/avro/billing.marketing-spend.avsc describes it, and where it was in Kafka.
-- T64 for times and offsets: in this order of rows they are not sorted, and Delta would make them larger.
CREATE TABLE IF NOT EXISTS raw_marketing_spend
(
    event_id UUID COMMENT 'UUIDv7 of this event: the idempotency key. A redelivered event keeps it.' CODEC(ZSTD(1)),
    event_type LowCardinality(String) COMMENT 'What happened, as marketing_spend.<verb>.' CODEC(ZSTD(1)),
    occurred_at DateTime64(3, 'UTC') COMMENT 'When it happened, UTC. Immutable: raw tables are partitioned by it.' CODEC(T64, ZSTD(1)),
    produced_at DateTime64(3, 'UTC') COMMENT 'When the producer built the record, UTC.' CODEC(T64, ZSTD(1)),
    entity_version Int64 COMMENT 'Grows by one with each change of the marketing spend; orders its events.' CODEC(ZSTD(1)),
    is_deleted Int32 COMMENT '1 when the marketing spend was deleted, otherwise 0.' CODEC(ZSTD(1)),
    spend_id String COMMENT 'The day\'s entry of a channel.' CODEC(ZSTD(1)),
    channel LowCardinality(String) COMMENT 'Acquisition channel. Key of the topic.' CODEC(ZSTD(1)),
    campaign LowCardinality(String) COMMENT 'Campaign the money was spent on.' CODEC(ZSTD(1)),
    spend_date Date32 COMMENT 'Day of the spend, UTC.' CODEC(T64, ZSTD(1)),
    spend_minor Int64 COMMENT 'Amount spent.' CODEC(ZSTD(1)),
    currency LowCardinality(String) COMMENT 'ISO 4217 code of every amount of the record.' CODEC(ZSTD(1)),
    kafka_topic LowCardinality(String) COMMENT 'Topic the record came from.' CODEC(ZSTD(1)),
    kafka_partition Int32 COMMENT 'Partition the record came from.' CODEC(ZSTD(1)),
    kafka_offset Int64 COMMENT 'Offset of the record in its partition.' CODEC(T64, ZSTD(1)),
    kafka_timestamp DateTime64(3, 'UTC') COMMENT 'The record\'s timestamp on the broker, UTC.' CODEC(T64, ZSTD(1))
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(occurred_at)
ORDER BY (event_type, toDate(occurred_at), channel, event_id)
-- Remembers the sink's deduplication tokens: an insert repeated after a lost answer is dropped.
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'What was spent on acquiring customers through one channel on one day. Amounts are in minor units of the currency.'
