-- One row per event of billing.discounts, as schemas/avro/billing.discounts.avsc describes it, and where it was in Kafka.
-- T64 for times and offsets: in this order of rows they are not sorted, and Delta would make them larger.
CREATE TABLE IF NOT EXISTS raw_discounts
(
    event_id UUID COMMENT 'UUIDv7 of this event: the idempotency key. A redelivered event keeps it.' CODEC(ZSTD(1)),
    event_type LowCardinality(String) COMMENT 'What happened, as discount.<verb>.' CODEC(ZSTD(1)),
    occurred_at DateTime64(3, 'UTC') COMMENT 'When it happened, UTC. Immutable: raw tables are partitioned by it.' CODEC(T64, ZSTD(1)),
    produced_at DateTime64(3, 'UTC') COMMENT 'When the producer built the record, UTC.' CODEC(T64, ZSTD(1)),
    entity_version Int64 COMMENT 'Grows by one with each change of the discount; orders its events.' CODEC(ZSTD(1)),
    is_deleted Int32 COMMENT '1 when the discount was deleted, otherwise 0.' CODEC(ZSTD(1)),
    discount_id String COMMENT 'The discount.' CODEC(ZSTD(1)),
    customer_id String COMMENT 'The customer who gets it. Key of the topic.' CODEC(ZSTD(1)),
    coupon LowCardinality(String) COMMENT 'Code of the coupon that was redeemed.' CODEC(ZSTD(1)),
    percent_bps Nullable(Int32) COMMENT 'Share taken off, in basis points; null where an amount is taken off.' CODEC(ZSTD(1)),
    amount_minor Nullable(Int64) COMMENT 'Amount taken off; null where a share is taken off.' CODEC(ZSTD(1)),
    currency LowCardinality(String) COMMENT 'ISO 4217 code of every amount of the record.' CODEC(ZSTD(1)),
    invoice_id Nullable(String) COMMENT 'The one invoice it applies to; null for a recurring discount.' CODEC(ZSTD(1)),
    subscription_id Nullable(String) COMMENT 'The subscription it recurs on; null for a single invoice.' CODEC(ZSTD(1)),
    start_at DateTime64(3, 'UTC') COMMENT 'From when on it applies, UTC.' CODEC(T64, ZSTD(1)),
    end_at Nullable(DateTime64(3, 'UTC')) COMMENT 'First instant it no longer applies, UTC; null while no end is set.' CODEC(T64, ZSTD(1)),
    status LowCardinality(String) COMMENT 'Status after this change.' CODEC(ZSTD(1)),
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
COMMENT 'One change of a discount. Amounts are in minor units of the currency.'
