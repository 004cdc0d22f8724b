-- One row per event of billing.fx-rates, as schemas/avro/billing.fx-rates.avsc describes it, and where it was in Kafka.
-- T64 for times and offsets: in this order of rows they are not sorted, and Delta would make them larger.
CREATE TABLE IF NOT EXISTS raw_fx_rates
(
    event_id UUID COMMENT 'UUIDv7 of this event: the idempotency key. A redelivered event keeps it.' CODEC(ZSTD(1)),
    event_type LowCardinality(String) COMMENT 'What happened, as fx_rate.<verb>.' CODEC(ZSTD(1)),
    occurred_at DateTime64(3, 'UTC') COMMENT 'When it happened, UTC. Immutable: raw tables are partitioned by it.' CODEC(T64, ZSTD(1)),
    produced_at DateTime64(3, 'UTC') COMMENT 'When the producer built the record, UTC.' CODEC(T64, ZSTD(1)),
    entity_version Int64 COMMENT 'Grows by one with each change of the FX rate; orders its events.' CODEC(ZSTD(1)),
    is_deleted Int32 COMMENT '1 when the FX rate was deleted, otherwise 0.' CODEC(ZSTD(1)),
    fx_rate_id String COMMENT 'The day\'s rate of a pair of currencies.' CODEC(ZSTD(1)),
    base LowCardinality(String) COMMENT 'ISO 4217 code of the currency that is priced.' CODEC(ZSTD(1)),
    quote LowCardinality(String) COMMENT 'ISO 4217 code of the currency it is priced in. Key of the topic.' CODEC(ZSTD(1)),
    rate_date Date32 COMMENT 'Day the rate is for, UTC.' CODEC(T64, ZSTD(1)),
    rate Decimal(38, 12) COMMENT 'Units of the quote currency for one unit of the base currency.' CODEC(ZSTD(1)),
    kafka_topic LowCardinality(String) COMMENT 'Topic the record came from.' CODEC(ZSTD(1)),
    kafka_partition Int32 COMMENT 'Partition the record came from.' CODEC(ZSTD(1)),
    kafka_offset Int64 COMMENT 'Offset of the record in its partition.' CODEC(T64, ZSTD(1)),
    kafka_timestamp DateTime64(3, 'UTC') COMMENT 'The record\'s timestamp on the broker, UTC.' CODEC(T64, ZSTD(1))
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(occurred_at)
ORDER BY (event_type, toDate(occurred_at), quote, event_id)
-- Remembers the sink's deduplication tokens: an insert repeated after a lost answer is dropped.
SETTINGS non_replicated_deduplication_window = 10000
COMMENT 'Price of one currency in another on one day.'
