-- Which Kafka offsets landed: the proof that nothing is missing. A raw table can't tell, because it collapses
-- the duplicates of a key. No deduplication window on purpose: an insert that failed after the raw table took
-- it comes again, and must reach the ledger even though the raw table drops it.
CREATE TABLE IF NOT EXISTS ledger
(
    topic LowCardinality(String) COMMENT 'Kafka topic.' CODEC(ZSTD(1)),
    partition Int32 COMMENT 'Kafka partition.' CODEC(ZSTD(1)),
    hour DateTime('UTC') COMMENT 'Hour in which the rows landed, UTC. Not the hour of the record: history would make a ledger row for each hour of the past.' CODEC(ZSTD(1)),
    offsets AggregateFunction(groupBitmap, UInt64) COMMENT 'Distinct offsets that landed.' CODEC(ZSTD(1)),
    rows SimpleAggregateFunction(sum, UInt64) COMMENT 'Rows delivered, redeliveries included.' CODEC(ZSTD(1)),
    first_landed_at SimpleAggregateFunction(min, DateTime64(3, 'UTC')) COMMENT 'When the first of them landed, UTC.' CODEC(ZSTD(1)),
    last_landed_at SimpleAggregateFunction(max, DateTime64(3, 'UTC')) COMMENT 'When the last of them landed, UTC.' CODEC(ZSTD(1))
)
ENGINE = AggregatingMergeTree
ORDER BY (topic, partition, hour)
COMMENT 'Distinct Kafka offsets that landed, per topic, partition and hour.'
