SELECT
    e.refund_id AS refund_id,
    {{ latest('payment_id') }},
    {{ latest('invoice_id') }},
    {{ latest('customer_id') }},
    {{ latest('amount_minor') }},
    {{ latest('currency') }},
    {{ latest('reason') }},
    {{ latest('status') }},
    {{ latest('previous_status') }},
    e.requested_at AS requested_at,
    min(e.occurred_at) AS first_seen_at,
    {{ latest('occurred_at', 'updated_at') }},
    max(e.entity_version) AS entity_version
FROM {{ source('billing', 'raw_refunds') }} AS e
GROUP BY e.refund_id, e.requested_at
HAVING max(e.is_deleted) = 0
