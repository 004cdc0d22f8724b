{{ config(partition_by='toYYYYMM(placed_at)', order_by='(toDate(placed_at), customer_id, order_line_id)') }}

SELECT
    lines.order_line_id AS order_line_id,
    lines.order_id AS order_id,
    lines.customer_id AS customer_id,
    lines.product_id AS product_id,
    lines.line_no AS line_no,
    lines.status AS status,
    if(orders.order_id = '', lines.first_seen_at, orders.placed_at) AS placed_at,
    if(orders.order_id = '', 'unknown', orders.country) AS country,
    if(orders.order_id = '', 'unknown', orders.region) AS region,
    lines.quantity AS quantity,
    lines.currency AS currency,
    lines.unit_amount_minor AS unit_amount_minor,
    lines.amount_minor AS amount_minor,
    {{ to_reporting('lines.amount_minor') }} AS amount_reporting_minor
FROM {{ ref('stg_order_lines') }} AS lines
LEFT JOIN {{ ref('stg_orders') }} AS orders ON orders.order_id = lines.order_id
{{ join_fx('lines.currency', 'if(orders.order_id = \'\', lines.first_seen_at, orders.placed_at)') }}
