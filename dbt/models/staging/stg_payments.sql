SELECT
    e.payment_id AS payment_id,
    {{ latest('invoice_id') }},
    {{ latest('customer_id') }},
    {{ latest('payment_method_id') }},
    {{ latest('method') }},
    {{ latest('processor') }},
    {{ latest('amount_minor') }},
    {{ latest('refunded_minor') }},
    {{ latest('currency') }},
    {{ latest('status') }},
    {{ latest('previous_status') }},
    {{ latest('attempt_no') }},
    {{ latest('failure_code') }},
    {{ latest('country') }},
    {{ latest('region') }},
    e.initiated_at AS initiated_at,
    min(e.occurred_at) AS first_seen_at,
    {{ latest('occurred_at', 'updated_at') }},
    max(e.entity_version) AS entity_version
FROM {{ source('billing', 'raw_payments') }} AS e
GROUP BY e.payment_id, e.initiated_at
HAVING max(e.is_deleted) = 0
