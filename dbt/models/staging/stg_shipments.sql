SELECT
    e.shipment_id AS shipment_id,
    {{ latest('order_id') }},
    {{ latest('customer_id') }},
    {{ latest('carrier') }},
    {{ latest('service') }},
    {{ latest('address_country') }},
    {{ latest('address_city') }},
    {{ latest('weight_grams') }},
    {{ latest('cost_minor') }},
    {{ latest('currency') }},
    {{ latest('promised_at') }},
    {{ latest_nullable('shipped_at') }},
    {{ latest_nullable('delivered_at') }},
    {{ latest('status') }},
    {{ latest('previous_status') }},
    min(e.occurred_at) AS first_seen_at,
    {{ latest('occurred_at', 'updated_at') }},
    max(e.entity_version) AS entity_version
FROM {{ source('billing', 'raw_shipments') }} AS e
GROUP BY e.shipment_id
HAVING max(e.is_deleted) = 0
