-- One row per event of billing.subscriptions, as schemas/avro/billing.subscriptions.avsc describes it, and where it was in Kafka.
-- T64 for times and offsets: in this order of rows they are not sorted, and Delta would make them larger.
CREATE TABLE IF NOT EXISTS raw_subscriptions
(
    event_id UUID COMMENT 'UUIDv7 of this event: the idempotency key. A redelivered event keeps it.' CODEC(ZSTD(1)),
    event_type LowCardinality(String) COMMENT 'What happened, as subscription.<verb>.' CODEC(ZSTD(1)),
    occurred_at DateTime64(3, 'UTC') COMMENT 'When it happened, UTC. Immutable: raw tables are partitioned by it.' CODEC(T64, ZSTD(1)),
    produced_at DateTime64(3, 'UTC') COMMENT 'When the producer built the record, UTC.' CODEC(T64, ZSTD(1)),
    entity_version Int64 COMMENT 'Grows by one with each change of the subscription; orders its events.' CODEC(ZSTD(1)),
    is_deleted Int32 COMMENT '1 when the subscription was deleted, otherwise 0.' CODEC(ZSTD(1)),
    subscription_id String COMMENT 'The subscription. A customer who comes back keeps it.' CODEC(ZSTD(1)),
    customer_id String COMMENT 'The customer who subscribed. Key of the topic.' CODEC(ZSTD(1)),
    plan_id String COMMENT 'The plan subscribed to from this change on.' CODEC(ZSTD(1)),
    tier LowCardinality(String) COMMENT 'Tier of that plan.' CODEC(ZSTD(1)),
    interval LowCardinality(String) COMMENT 'How often it is billed.' CODEC(ZSTD(1)),
    quantity Int32 COMMENT 'Seats.' CODEC(ZSTD(1)),
    unit_amount_minor Int64 COMMENT 'Price of one seat for one interval, without tax and discounts.' CODEC(ZSTD(1)),
    discount_bps Int32 COMMENT 'Recurring discount in force, in basis points of the price; 0 without one.' CODEC(ZSTD(1)),
    mrr_minor Int64 COMMENT 'Monthly recurring revenue after this change: a twelfth of a yearly price, net of recurring discounts, without tax; 0 unless the status is active or past_due.' CODEC(ZSTD(1)),
    currency LowCardinality(String) COMMENT 'ISO 4217 code of every amount of the record.' CODEC(ZSTD(1)),
    status LowCardinality(String) COMMENT 'Status after this change.' CODEC(ZSTD(1)),
    previous_status LowCardinality(String) COMMENT 'Status before this change; none for the first.' CODEC(ZSTD(1)),
    cancel_reason LowCardinality(String) COMMENT 'Reason of the end; payment_failed is involuntary churn.' CODEC(ZSTD(1)),
    country LowCardinality(String) COMMENT 'ISO 3166-1 alpha-2 code of the customer.' CODEC(ZSTD(1)),
    region LowCardinality(String) COMMENT 'Sales region of the country.' CODEC(ZSTD(1)),
    started_at DateTime64(3, 'UTC') COMMENT 'When the subscription began, UTC; the same on every event of it.' CODEC(T64, ZSTD(1)),
    trial_end_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When the trial ends or ended, UTC; null without a trial.' CODEC(T64, ZSTD(1)),
    period_start_at DateTime64(3, 'UTC') COMMENT 'First instant of the current period, UTC.' CODEC(T64, ZSTD(1)),
    period_end_at DateTime64(3, 'UTC') COMMENT 'First instant after the current period, UTC.' CODEC(T64, ZSTD(1)),
    canceled_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When it was canceled or expired, UTC; null unless it is.' CODEC(T64, ZSTD(1)),
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
COMMENT 'One change of a subscription. Amounts are in minor units of the currency.'
