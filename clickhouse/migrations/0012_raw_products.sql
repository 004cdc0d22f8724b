-- One row per event of billing.products, as schemas/avro/billing.products.avsc describes it, and where it was in Kafka.
-- T64 for times and offsets: in this order of rows they are not sorted, and Delta would make them larger.
CREATE TABLE IF NOT EXISTS raw_products
(
    event_id UUID COMMENT 'UUIDv7 of this event: the idempotency key. A redelivered event keeps it.' CODEC(ZSTD(1)),
    event_type LowCardinality(String) COMMENT 'What happened, as product.<verb>.' CODEC(ZSTD(1)),
    occurred_at DateTime64(3, 'UTC') COMMENT 'When it happened, UTC. Immutable: raw tables are partitioned by it.' CODEC(T64, ZSTD(1)),
    produced_at DateTime64(3, 'UTC') COMMENT 'When the producer built the record, UTC.' CODEC(T64, ZSTD(1)),
    entity_version Int64 COMMENT 'Grows by one with each change of the product; orders its events.' CODEC(ZSTD(1)),
    is_deleted Int32 COMMENT '1 when the product was deleted, otherwise 0.' CODEC(ZSTD(1)),
    product_id String COMMENT 'The product. Key of the topic.' CODEC(ZSTD(1)),
    sku String COMMENT 'Stock keeping unit printed on the shelf.' CODEC(ZSTD(1)),
    name String COMMENT 'Name shown to customers.' CODEC(ZSTD(1)),
    category LowCardinality(String) COMMENT 'Category of the shop the product is found in.' CODEC(ZSTD(1)),
    unit_price_minor Int64 COMMENT 'List price of one piece, without tax.' CODEC(ZSTD(1)),
    currency LowCardinality(String) COMMENT 'ISO 4217 code of every amount of the record.' CODEC(ZSTD(1)),
    weight_grams Int32 COMMENT 'Weight of one piece with its packaging, in grams.' CODEC(ZSTD(1)),
    status LowCardinality(String) COMMENT 'Status after this change.' CODEC(ZSTD(1)),
    kafka_topic LowCardinality(String) COMMENT 'Topic the record came from.' CODEC(ZSTD(1)),
    kafka_partition Int32 COMMENT 'Partition the record came from.' CODEC(ZSTD(1)),
    kafka_offset Int64 COMMENT 'Offset of the record in its partition.' CODEC(T64, ZSTD(1)),
    kafka_timestamp DateTime64(3, 'UTC') COMMENT 'The record\'s timestamp on the broker, UTC.' CODEC(T64, ZSTD(1))
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(occurred_at)
ORDER BY (event_type, toDate(occurred_at), product_id, event_id)
-- Remembers the sink's deduplication tokens: an insert repeated after a lost answer is dropped.
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'One change of a product of the shop. Prices are in minor units of the currency.'
