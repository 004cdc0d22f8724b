{{ config(order_by='logistics_id') }}

WITH
    lines AS
    (
        SELECT
            order_id,
            -- The line with the greatest amount; of equal ones the first.
            argMax(product_id, tuple(amount_minor, -line_no)) AS primary_product_id,
            count() AS lines,
            sum(quantity) AS items
        FROM {{ ref('stg_order_lines') }}
        GROUP BY order_id
    ),
    shipments AS
    (
        -- An order has one shipment; were there more, the latest would say where it is.
        SELECT
            order_id,
            argMax(shipment_id, s.first_seen_at) AS shipment_id,
            argMax(s.carrier, s.first_seen_at) AS carrier,
            argMax(s.service, s.first_seen_at) AS service,
            argMax(s.status, s.first_seen_at) AS shipment_status,
            argMax(s.address_country, s.first_seen_at) AS address_country,
            argMax(s.promised_at, s.first_seen_at) AS promised_at,
            tupleElement(argMax(tuple(s.shipped_at), s.first_seen_at), 1) AS shipped_at,
            tupleElement(argMax(tuple(s.delivered_at), s.first_seen_at), 1) AS delivered_at,
            argMax(s.weight_grams, s.first_seen_at) AS weight_grams,
            sum(s.cost_minor) AS shipment_cost_minor
        FROM {{ ref('stg_shipments') }} AS s
        GROUP BY order_id
    ),
    times AS
    (
        SELECT
            order_id,
            minOrNullIf(occurred_at, status = 'paid') AS paid_at,
            minOrNullIf(occurred_at, status = 'fulfilled') AS fulfilled_at,
            minOrNullIf(occurred_at, status = 'canceled') AS canceled_at
        FROM {{ ref('stg_order_events') }}
        GROUP BY order_id
    )
SELECT
    orders.order_id AS logistics_id,
    orders.customer_id AS customer_id,
    orders.number AS number,
    orders.status AS status,
    if(lines.order_id = '', 'unknown', lines.primary_product_id) AS primary_product_id,
    toUInt32(lines.lines) AS lines,
    toUInt32(lines.items) AS items,
    orders.country AS country,
    orders.region AS region,
    orders.currency AS currency,
    orders.subtotal_minor AS subtotal_minor,
    orders.shipping_minor AS shipping_minor,
    if(shipments.order_id = '', 'unknown', shipments.shipment_id) AS shipment_id,
    if(shipments.order_id = '', 'unknown', shipments.carrier) AS carrier,
    if(shipments.order_id = '', 'unknown', shipments.service) AS service,
    if(shipments.order_id = '', 'none', shipments.shipment_status) AS shipment_status,
    if(shipments.order_id = '', 'unknown', shipments.address_country) AS address_country,
    shipments.weight_grams AS weight_grams,
    shipments.shipment_cost_minor AS shipment_cost_minor,
    orders.placed_at AS placed_at,
    times.paid_at AS paid_at,
    times.fulfilled_at AS fulfilled_at,
    times.canceled_at AS canceled_at,
    if(shipments.order_id = '', NULL, shipments.promised_at) AS promised_at,
    shipments.shipped_at AS shipped_at,
    shipments.delivered_at AS delivered_at,
    if(
        shipments.delivered_at > shipments.promised_at,
        dateDiff('millisecond', shipments.promised_at, shipments.delivered_at) / 86400000,
        NULL
    ) AS days_delayed
FROM {{ ref('stg_orders') }} AS orders
LEFT JOIN lines ON lines.order_id = orders.order_id
LEFT JOIN shipments ON shipments.order_id = orders.order_id
LEFT JOIN times ON times.order_id = orders.order_id
UNION ALL
SELECT
    'unknown', 'unknown', '', 'unknown', 'unknown', 0, 0, 'unknown', 'unknown', '{{ var("reporting_currency") }}', 0, 0,
    'unknown', 'unknown', 'unknown', 'none', 'unknown', 0, 0, toDateTime64('1970-01-01 00:00:00', 3, 'UTC'),
    NULL, NULL, NULL, NULL, NULL, NULL, NULL
