-- One row per event of billing.customers, as schemas/avro/billing.customers.avsc describes it, and where it was in Kafka.
-- T64 for times and offsets: in this order of rows they are not sorted, and Delta would make them larger.
CREATE TABLE IF NOT EXISTS raw_customers
(
    event_id UUID COMMENT 'UUIDv7 of this event: the idempotency key. A redelivered event keeps it.' CODEC(ZSTD(1)),
    event_type LowCardinality(String) COMMENT 'What happened, as customer.<verb>.' CODEC(ZSTD(1)),
    occurred_at DateTime64(3, 'UTC') COMMENT 'When it happened, UTC. Immutable: raw tables are partitioned by it.' CODEC(T64, ZSTD(1)),
    produced_at DateTime64(3, 'UTC') COMMENT 'When the producer built the record, UTC.' CODEC(T64, ZSTD(1)),
    entity_version Int64 COMMENT 'Grows by one with each change of the customer; orders its events.' CODEC(ZSTD(1)),
    is_deleted Int32 COMMENT '1 when the customer was deleted, otherwise 0.' CODEC(ZSTD(1)),
    customer_id String COMMENT 'The customer. Key of the topic.' CODEC(ZSTD(1)),
    name String COMMENT 'Full name of the contact person.' CODEC(ZSTD(1)),
    email String COMMENT 'Address invoices are sent to.' CODEC(ZSTD(1)),
    company Nullable(String) COMMENT 'Legal name of the company; null for a private person.' CODEC(ZSTD(1)),
    country LowCardinality(String) COMMENT 'ISO 3166-1 alpha-2 code.' CODEC(ZSTD(1)),
    region LowCardinality(String) COMMENT 'Sales region the country belongs to.' CODEC(ZSTD(1)),
    city LowCardinality(String) COMMENT 'City of the billing address.' CODEC(ZSTD(1)),
    timezone LowCardinality(String) COMMENT 'IANA time zone; local-time metrics use it.' CODEC(ZSTD(1)),
    currency LowCardinality(String) COMMENT 'ISO 4217 code the customer is billed in.' CODEC(ZSTD(1)),
    channel LowCardinality(String) COMMENT 'Acquisition channel.' CODEC(ZSTD(1)),
    tier LowCardinality(String) COMMENT 'Tier the customer is on.' CODEC(ZSTD(1)),
    signup_at DateTime64(3, 'UTC') COMMENT 'When the account was created, UTC.' CODEC(T64, ZSTD(1)),
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
COMMENT 'The state of a customer after a change.'
