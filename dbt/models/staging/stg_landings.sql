-- As they landed, duplicates included: this is about the landing and not about the business.
SELECT 'raw_customers' AS raw_table, kafka_topic AS topic, occurred_at, kafka_timestamp AS appended_at FROM {{ source('billing', 'raw_customers') }}
UNION ALL
SELECT 'raw_discounts' AS raw_table, kafka_topic AS topic, occurred_at, kafka_timestamp AS appended_at FROM {{ source('billing', 'raw_discounts') }}
UNION ALL
SELECT 'raw_disputes' AS raw_table, kafka_topic AS topic, occurred_at, kafka_timestamp AS appended_at FROM {{ source('billing', 'raw_disputes') }}
UNION ALL
SELECT 'raw_fx_rates' AS raw_table, kafka_topic AS topic, occurred_at, kafka_timestamp AS appended_at FROM {{ source('billing', 'raw_fx_rates') }}
UNION ALL
SELECT 'raw_invoice_lines' AS raw_table, kafka_topic AS topic, occurred_at, kafka_timestamp AS appended_at FROM {{ source('billing', 'raw_invoice_lines') }}
UNION ALL
SELECT 'raw_invoices' AS raw_table, kafka_topic AS topic, occurred_at, kafka_timestamp AS appended_at FROM {{ source('billing', 'raw_invoices') }}
UNION ALL
SELECT 'raw_marketing_spend' AS raw_table, kafka_topic AS topic, occurred_at, kafka_timestamp AS appended_at FROM {{ source('billing', 'raw_marketing_spend') }}
UNION ALL
SELECT 'raw_order_lines' AS raw_table, kafka_topic AS topic, occurred_at, kafka_timestamp AS appended_at FROM {{ source('billing', 'raw_order_lines') }}
UNION ALL
SELECT 'raw_orders' AS raw_table, kafka_topic AS topic, occurred_at, kafka_timestamp AS appended_at FROM {{ source('billing', 'raw_orders') }}
UNION ALL
SELECT 'raw_payment_methods' AS raw_table, kafka_topic AS topic, occurred_at, kafka_timestamp AS appended_at FROM {{ source('billing', 'raw_payment_methods') }}
UNION ALL
SELECT 'raw_payments' AS raw_table, kafka_topic AS topic, occurred_at, kafka_timestamp AS appended_at FROM {{ source('billing', 'raw_payments') }}
UNION ALL
SELECT 'raw_plans' AS raw_table, kafka_topic AS topic, occurred_at, kafka_timestamp AS appended_at FROM {{ source('billing', 'raw_plans') }}
UNION ALL
SELECT 'raw_products' AS raw_table, kafka_topic AS topic, occurred_at, kafka_timestamp AS appended_at FROM {{ source('billing', 'raw_products') }}
UNION ALL
SELECT 'raw_refunds' AS raw_table, kafka_topic AS topic, occurred_at, kafka_timestamp AS appended_at FROM {{ source('billing', 'raw_refunds') }}
UNION ALL
SELECT 'raw_shipments' AS raw_table, kafka_topic AS topic, occurred_at, kafka_timestamp AS appended_at FROM {{ source('billing', 'raw_shipments') }}
UNION ALL
SELECT 'raw_subscriptions' AS raw_table, kafka_topic AS topic, occurred_at, kafka_timestamp AS appended_at FROM {{ source('billing', 'raw_subscriptions') }}
UNION ALL
SELECT 'raw_transactions' AS raw_table, kafka_topic AS topic, occurred_at, kafka_timestamp AS appended_at FROM {{ source('billing', 'raw_transactions') }}
