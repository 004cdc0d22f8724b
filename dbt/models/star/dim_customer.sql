{{ config(
    materialized='monthly',
    partition_by='toYYYYMM(signup_at)',
    order_by='(customer_id, valid_from)',
    month_of={'raw_customers': 'signup_at'},
    has_unknown_member=true,
) }}

-- Built from the versions themselves, which have all landed: history is exact whenever it is built, and a version that
-- lands late takes its place in it.
WITH versions AS
(
    SELECT
        *,
        row_number() OVER later AS position,
        leadInFrame(occurred_at, 1, toDateTime64('2299-12-31 00:00:00', 3, 'UTC')) OVER later AS next_at
    FROM {{ ref('stg_customer_versions') }}
    WHERE {{ in_months('signup_at') }}
    -- One window for both, so that versions are sorted once.
    WINDOW later AS (
        PARTITION BY customer_id ORDER BY entity_version ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    )
)
SELECT
    concat(customer_id, '-', toString(entity_version)) AS customer_version_id,
    customer_id,
    entity_version AS version,
    -- Nothing happens to a customer before the signup, and the first version may not have landed yet.
    if(position = 1, least(signup_at, occurred_at), occurred_at) AS valid_from,
    next_at AS valid_to,
    toBool(next_at = toDateTime64('2299-12-31 00:00:00', 3, 'UTC')) AS is_current,
    name,
    email,
    ifNull(company, '') AS company,
    country,
    region,
    city,
    timezone,
    currency,
    channel,
    tier,
    status,
    signup_at
FROM versions
UNION ALL
SELECT
    'unknown', 'unknown', 0, began_at, toDateTime64('2299-12-31 00:00:00', 3, 'UTC'), true, 'unknown', '', '', 'unknown',
    'unknown', 'unknown', 'UTC', '{{ var("reporting_currency") }}', 'unknown', 'unknown', 'unknown', began_at
FROM (SELECT toDateTime64('1970-01-01 00:00:00', 3, 'UTC') AS began_at)
WHERE {{ in_months('began_at') }}
