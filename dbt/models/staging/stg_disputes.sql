SELECT
    e.dispute_id AS dispute_id,
    {{ latest('payment_id') }},
    {{ latest('invoice_id') }},
    {{ latest('customer_id') }},
    {{ latest('amount_minor') }},
    {{ latest('currency') }},
    {{ latest('reason') }},
    {{ latest('status') }},
    {{ latest('previous_status') }},
    {{ latest('evidence_due_at') }},
    e.opened_at AS opened_at,
    min(e.occurred_at) AS first_seen_at,
    {{ latest('occurred_at', 'updated_at') }},
    max(e.entity_version) AS entity_version
FROM {{ source('billing', 'raw_disputes') }} AS e
GROUP BY e.dispute_id, e.opened_at
HAVING max(e.is_deleted) = 0
