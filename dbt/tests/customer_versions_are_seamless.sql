-- At every instant since the signup exactly one version of a customer is true.
SELECT customer_id, version, valid_from, valid_to, next_from
FROM
(
    SELECT
        customer_id,
        version,
        valid_from,
        valid_to,
        is_current,
        leadInFrame(valid_from, 1, toDateTime64('2299-12-31 00:00:00', 3, 'UTC')) OVER (
            PARTITION BY customer_id ORDER BY version ROWS BETWEEN CURRENT ROW AND 1 FOLLOWING
        ) AS next_from
    FROM {{ ref('dim_customer') }}
)
WHERE valid_to != next_from
   OR valid_from > valid_to
   OR is_current != (valid_to = toDateTime64('2299-12-31 00:00:00', 3, 'UTC'))
