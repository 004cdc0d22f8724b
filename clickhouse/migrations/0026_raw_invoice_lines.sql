-- One row per event of billing.invoice-lines, as schemas/avro/billing.invoice-lines.avsc describes it, and where it was in Kafka.
-- T64 for times and offsets: in this order of rows they are not sorted, and Delta would make them larger.
CREATE TABLE IF NOT EXISTS raw_invoice_lines
(
    event_id UUID COMMENT 'UUIDv7 of this event: the idempotency key. A redelivered event keeps it.' CODEC(ZSTD(1)),
    event_type LowCardinality(String) COMMENT 'What happened, as invoice_line.<verb>.' CODEC(ZSTD(1)),
    occurred_at DateTime64(3, 'UTC') COMMENT 'When it happened, UTC. Immutable: raw tables are partitioned by it.' CODEC(T64, ZSTD(1)),
    produced_at DateTime64(3, 'UTC') COMMENT 'When the producer built the record, UTC.' CODEC(T64, ZSTD(1)),
    entity_version Int64 COMMENT 'Grows by one with each change of the invoice line; orders its events.' CODEC(ZSTD(1)),
    is_deleted Int32 COMMENT '1 when the invoice line was deleted, otherwise 0.' CODEC(ZSTD(1)),
    invoice_line_id String COMMENT 'The line.' CODEC(ZSTD(1)),
    invoice_id String COMMENT 'The invoice it belongs to.' CODEC(ZSTD(1)),
    customer_id String COMMENT 'The customer billed. Key of the topic.' CODEC(ZSTD(1)),
    line_no Int32 COMMENT 'Position in the invoice, from 1.' CODEC(ZSTD(1)),
    kind LowCardinality(String) COMMENT 'What the line charges for.' CODEC(ZSTD(1)),
    description String COMMENT 'Text printed on the invoice.' CODEC(ZSTD(1)),
    subscription_id Nullable(String) COMMENT 'The subscription charged for; null on other lines.' CODEC(ZSTD(1)),
    plan_id Nullable(String) COMMENT 'The plan charged for; null on other lines.' CODEC(ZSTD(1)),
    product_id Nullable(String) COMMENT 'The product charged for; null on other lines.' CODEC(ZSTD(1)),
    quantity Int32 COMMENT 'Seats or pieces.' CODEC(ZSTD(1)),
    unit_amount_minor Int64 COMMENT 'Price of one, without tax and discounts.' CODEC(ZSTD(1)),
    amount_minor Int64 COMMENT 'quantity x unit_amount.' CODEC(ZSTD(1)),
    discount_minor Int64 COMMENT 'Part of the invoice\'s discount that falls on the line; not negative.' CODEC(ZSTD(1)),
    tax_bps Int32 COMMENT 'Tax rate in basis points.' CODEC(ZSTD(1)),
    tax_minor Int64 COMMENT 'Tax on amount less discount.' CODEC(ZSTD(1)),
    total_minor Int64 COMMENT 'amount - discount + tax.' CODEC(ZSTD(1)),
    currency LowCardinality(String) COMMENT 'ISO 4217 code of every amount of the record.' CODEC(ZSTD(1)),
    period_start_at DateTime64(3, 'UTC') COMMENT 'First instant charged for, UTC.' CODEC(T64, ZSTD(1)),
    period_end_at DateTime64(3, 'UTC') COMMENT 'First instant no longer charged for, UTC.' CODEC(T64, ZSTD(1)),
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
COMMENT 'One line of an invoice, written once when the invoice is drafted. Amounts are in minor units of the currency; over the lines they add up to the invoice.'
