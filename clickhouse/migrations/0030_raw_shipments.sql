-- One row per event of billing.shipments, as schemas/avro/billing.shipments.avsc describes it, and where it was in Kafka.
-- T64 for times and offsets: in this order of rows they are not sorted, and Delta would make them larger.
CREATE TABLE IF NOT EXISTS raw_shipments
(
    event_id UUID COMMENT 'UUIDv7 of this event: the idempotency key. A redelivered event keeps it.' CODEC(ZSTD(1)),
    event_type LowCardinality(String) COMMENT 'What happened, as shipment.<verb>.' CODEC(ZSTD(1)),
    occurred_at DateTime64(3, 'UTC') COMMENT 'When it happened, UTC. Immutable: raw tables are partitioned by it.' CODEC(T64, ZSTD(1)),
    produced_at DateTime64(3, 'UTC') COMMENT 'When the producer built the record, UTC.' CODEC(T64, ZSTD(1)),
    entity_version Int64 COMMENT 'Grows by one with each change of the shipment; orders its events.' CODEC(ZSTD(1)),
    is_deleted Int32 COMMENT '1 when the shipment was deleted, otherwise 0.' CODEC(ZSTD(1)),
    shipment_id String COMMENT 'The shipment.' CODEC(ZSTD(1)),
    order_id String COMMENT 'The order it delivers.' CODEC(ZSTD(1)),
    customer_id String COMMENT 'The customer who ordered. Key of the topic.' CODEC(ZSTD(1)),
    carrier LowCardinality(String) COMMENT 'Carrier that was hired.' CODEC(ZSTD(1)),
    service LowCardinality(String) COMMENT 'Service of the carrier.' CODEC(ZSTD(1)),
    address_country LowCardinality(String) COMMENT 'ISO 3166-1 alpha-2 code of the destination.' CODEC(ZSTD(1)),
    address_city LowCardinality(String) COMMENT 'City of the destination.' CODEC(ZSTD(1)),
    weight_grams Int32 COMMENT 'Weight of everything in it, in grams.' CODEC(ZSTD(1)),
    cost_minor Int64 COMMENT 'What the carrier charges us.' CODEC(ZSTD(1)),
    currency LowCardinality(String) COMMENT 'ISO 4217 code of every amount of the record.' CODEC(ZSTD(1)),
    promised_at DateTime64(3, 'UTC') COMMENT 'When delivery was promised for, UTC; delivered later means delayed.' CODEC(T64, ZSTD(1)),
    shipped_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When the carrier took it, UTC; null until then.' CODEC(T64, ZSTD(1)),
    delivered_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When it was delivered, UTC; null until then.' CODEC(T64, ZSTD(1)),
    status LowCardinality(String) COMMENT 'Status after this change.' CODEC(ZSTD(1)),
    previous_status LowCardinality(String) COMMENT 'Status before this change; none for the first.' CODEC(ZSTD(1)),
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
COMMENT 'One change of a shipment. Amounts are in minor units of the currency.'
