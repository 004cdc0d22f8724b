-- One row per event of billing.invoices, as schemas/avro/billing.invoices.avsc describes it, and where it was in Kafka.
-- T64 for times and offsets: in this order of rows they are not sorted, and Delta would make them larger.
CREATE TABLE IF NOT EXISTS raw_invoices
(
    event_id UUID COMMENT 'UUIDv7 of this event: the idempotency key. A redelivered event keeps it.' CODEC(ZSTD(1)),
    event_type LowCardinality(String) COMMENT 'What happened, as invoice.<verb>.' CODEC(ZSTD(1)),
    occurred_at DateTime64(3, 'UTC') COMMENT 'When it happened, UTC. Immutable: raw tables are partitioned by it.' CODEC(T64, ZSTD(1)),
    produced_at DateTime64(3, 'UTC') COMMENT 'When the producer built the record, UTC.' CODEC(T64, ZSTD(1)),
    entity_version Int64 COMMENT 'Grows by one with each change of the invoice; orders its events.' CODEC(ZSTD(1)),
    is_deleted Int32 COMMENT '1 when the invoice was deleted, otherwise 0.' CODEC(ZSTD(1)),
    invoice_id String COMMENT 'The invoice.' CODEC(ZSTD(1)),
    customer_id String COMMENT 'The customer billed. Key of the topic.' CODEC(ZSTD(1)),
    number String COMMENT 'Number printed on the invoice.' CODEC(ZSTD(1)),
    currency LowCardinality(String) COMMENT 'ISO 4217 code of every amount of the record.' CODEC(ZSTD(1)),
    country LowCardinality(String) COMMENT 'ISO 3166-1 alpha-2 code of the billing address.' CODEC(ZSTD(1)),
    period_start_at DateTime64(3, 'UTC') COMMENT 'First instant billed, UTC.' CODEC(T64, ZSTD(1)),
    period_end_at DateTime64(3, 'UTC') COMMENT 'First instant no longer billed, UTC.' CODEC(T64, ZSTD(1)),
    subtotal_minor Int64 COMMENT 'Sum of the lines before discount and tax.' CODEC(ZSTD(1)),
    discount_minor Int64 COMMENT 'Discount taken off the subtotal; not negative.' CODEC(ZSTD(1)),
    tax_minor Int64 COMMENT 'Tax on subtotal less discount.' CODEC(ZSTD(1)),
    total_minor Int64 COMMENT 'subtotal - discount + tax.' CODEC(ZSTD(1)),
    paid_minor Int64 COMMENT 'Captured payments applied so far.' CODEC(ZSTD(1)),
    issued_at DateTime64(3, 'UTC') COMMENT 'When the invoice was issued, UTC.' CODEC(T64, ZSTD(1)),
    due_at DateTime64(3, 'UTC') COMMENT 'When payment is due, UTC.' CODEC(T64, ZSTD(1)),
    paid_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When it was paid in full, UTC; null until then.' CODEC(T64, ZSTD(1)),
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
COMMENT 'The state of an invoice after a change. Amounts are in minor units of the currency.'
