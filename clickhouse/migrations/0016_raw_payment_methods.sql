-- One row per event of billing.payment-methods, as schemas/avro/billing.payment-methods.avsc describes it, and where it was in Kafka.
-- T64 for times and offsets: in this order of rows they are not sorted, and Delta would make them larger.
CREATE TABLE IF NOT EXISTS raw_payment_methods
(
    event_id UUID COMMENT 'UUIDv7 of this event: the idempotency key. A redelivered event keeps it.' CODEC(ZSTD(1)),
    event_type LowCardinality(String) COMMENT 'What happened, as payment_method.<verb>.' CODEC(ZSTD(1)),
    occurred_at DateTime64(3, 'UTC') COMMENT 'When it happened, UTC. Immutable: raw tables are partitioned by it.' CODEC(T64, ZSTD(1)),
    produced_at DateTime64(3, 'UTC') COMMENT 'When the producer built the record, UTC.' CODEC(T64, ZSTD(1)),
    entity_version Int64 COMMENT 'Grows by one with each change of the payment method; orders its events.' CODEC(ZSTD(1)),
    is_deleted Int32 COMMENT '1 when the payment method was deleted, otherwise 0.' CODEC(ZSTD(1)),
    payment_method_id String COMMENT 'The payment method.' CODEC(ZSTD(1)),
    customer_id String COMMENT 'The customer it belongs to. Key of the topic.' CODEC(ZSTD(1)),
    type LowCardinality(String) COMMENT 'Kind of the method.' CODEC(ZSTD(1)),
    brand LowCardinality(String) COMMENT 'Card network, wallet or scheme, such as visa or sepa.' CODEC(ZSTD(1)),
    country LowCardinality(String) COMMENT 'ISO 3166-1 alpha-2 code of the issuer.' CODEC(ZSTD(1)),
    exp_month Nullable(Int32) COMMENT 'Month the card expires in, 1 to 12; null where nothing expires.' CODEC(ZSTD(1)),
    exp_year Nullable(Int32) COMMENT 'Year the card expires in; null where nothing expires.' CODEC(ZSTD(1)),
    last4 LowCardinality(String) COMMENT 'Last four digits of the card or account number.' CODEC(ZSTD(1)),
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
COMMENT 'One change of a payment method that a customer keeps on file.'
