-- One row per event of billing.transactions, as schemas/avro/billing.transactions.avsc describes it, and where it was in Kafka.
-- T64 for times and offsets: in this order of rows they are not sorted, and Delta would make them larger.
CREATE TABLE IF NOT EXISTS raw_transactions
(
    event_id UUID COMMENT 'UUIDv7 of this event: the idempotency key. A redelivered event keeps it.' CODEC(ZSTD(1)),
    event_type LowCardinality(String) COMMENT 'What happened, as transaction.<verb>.' CODEC(ZSTD(1)),
    occurred_at DateTime64(3, 'UTC') COMMENT 'When it happened, UTC. Immutable: raw tables are partitioned by it.' CODEC(T64, ZSTD(1)),
    produced_at DateTime64(3, 'UTC') COMMENT 'When the producer built the record, UTC.' CODEC(T64, ZSTD(1)),
    entity_version Int64 COMMENT 'Grows by one with each change of the transaction; orders its events.' CODEC(ZSTD(1)),
    is_deleted Int32 COMMENT '1 when the transaction was deleted, otherwise 0.' CODEC(ZSTD(1)),
    transaction_id String COMMENT 'The transaction.' CODEC(ZSTD(1)),
    payment_id String COMMENT 'The payment it belongs to.' CODEC(ZSTD(1)),
    invoice_id String COMMENT 'The invoice that is paid.' CODEC(ZSTD(1)),
    customer_id String COMMENT 'The customer who pays. Key of the topic.' CODEC(ZSTD(1)),
    payment_method_id String COMMENT 'The payment method used.' CODEC(ZSTD(1)),
    refund_id Nullable(String) COMMENT 'The refund it carries out; null on other kinds.' CODEC(ZSTD(1)),
    dispute_id Nullable(String) COMMENT 'The dispute it follows from; null on other kinds.' CODEC(ZSTD(1)),
    processor LowCardinality(String) COMMENT 'Payment service provider that was asked.' CODEC(ZSTD(1)),
    processor_ref String COMMENT 'The processor\'s own reference.' CODEC(ZSTD(1)),
    kind LowCardinality(String) COMMENT 'What was asked of the processor.' CODEC(ZSTD(1)),
    attempt_no Int32 COMMENT 'Charge attempt of the payment it belongs to, from 1.' CODEC(ZSTD(1)),
    amount_minor Int64 COMMENT 'Amount asked for; never negative, the kind gives the direction.' CODEC(ZSTD(1)),
    fee_minor Int64 COMMENT 'What the processor charges us for it; not negative.' CODEC(ZSTD(1)),
    currency LowCardinality(String) COMMENT 'ISO 4217 code of every amount of the record.' CODEC(ZSTD(1)),
    status LowCardinality(String) COMMENT 'Outcome at the processor.' CODEC(ZSTD(1)),
    failure_code LowCardinality(String) COMMENT 'Reason of a failed transaction.' CODEC(ZSTD(1)),
    latency_ms Int32 COMMENT 'How long the processor took to answer, in milliseconds.' CODEC(ZSTD(1)),
    country LowCardinality(String) COMMENT 'ISO 3166-1 alpha-2 code of the payment method.' CODEC(ZSTD(1)),
    region LowCardinality(String) COMMENT 'Sales region of the country.' CODEC(ZSTD(1)),
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
COMMENT 'One movement of money at a payment processor, or an attempt at one. Amounts are in minor units of the currency.'
