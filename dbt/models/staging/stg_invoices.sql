SELECT
    e.invoice_id AS invoice_id,
    {{ latest('customer_id') }},
    {{ latest('number') }},
    {{ latest('currency') }},
    {{ latest('country') }},
    {{ latest('period_start_at') }},
    {{ latest('period_end_at') }},
    {{ latest('subtotal_minor') }},
    {{ latest('discount_minor') }},
    {{ latest('tax_minor') }},
    {{ latest('total_minor') }},
    {{ latest('paid_minor') }},
    e.issued_at AS issued_at,
    {{ latest('due_at') }},
    {{ latest_nullable('paid_at') }},
    {{ latest('status') }},
    {{ latest_nullable('subscription_id') }},
    {{ latest_nullable('order_id') }},
    min(e.occurred_at) AS first_seen_at,
    {{ latest('occurred_at', 'updated_at') }},
    max(e.entity_version) AS entity_version
FROM {{ source('billing', 'raw_invoices') }} AS e
GROUP BY e.invoice_id, e.issued_at
HAVING max(e.is_deleted) = 0
