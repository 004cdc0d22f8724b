SELECT payment_id, seq, from_status, to_status
FROM {{ ref('fact_payment_event') }}
WHERE NOT is_legal
