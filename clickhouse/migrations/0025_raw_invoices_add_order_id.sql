-- Rows and records from before schemas/avro/billing.invoices.avsc had order_id get its default.
ALTER TABLE raw_invoices ADD COLUMN IF NOT EXISTS order_id Nullable(String) COMMENT 'The order billed; null when a subscription is billed.' CODEC(ZSTD(1)) AFTER subscription_id
