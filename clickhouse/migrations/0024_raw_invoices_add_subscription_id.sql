-- Rows and records from before schemas/avro/billing.invoices.avsc had subscription_id get its default.
ALTER TABLE raw_invoices ADD COLUMN IF NOT EXISTS subscription_id Nullable(String) COMMENT 'The subscription billed; null when an order is billed.' CODEC(ZSTD(1)) AFTER status
