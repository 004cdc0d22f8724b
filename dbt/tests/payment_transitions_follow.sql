-- A transition begins where the one before ended.
SELECT payment_id, seq, from_status, status_before
FROM
(
    SELECT
        payment_id,
        seq,
        from_status,
        lagInFrame(to_status, 1, '') OVER previous AS status_before,
        lagInFrame(seq, 1, toInt64(0)) OVER previous AS seq_before
    FROM {{ ref('fact_payment_event') }}
    -- Older ones were asked when they were new.
    WHERE initiated_at >= (SELECT max(initiated_at) FROM {{ ref('fact_payment_event') }}) - INTERVAL 90 DAY
    WINDOW previous AS (PARTITION BY payment_id ORDER BY seq ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)
)
WHERE seq_before = seq - 1 AND seq > 1 AND from_status != status_before
