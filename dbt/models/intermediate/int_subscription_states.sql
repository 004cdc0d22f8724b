{{
    config(
        materialized='incremental',
        incremental_strategy='delete_insert',
        unique_key='subscription_id',
        order_by='(customer_id, subscription_id, entity_version)'
    )
}}

-- A subscription whose events are not exactly those it was built from is built again, whole: a late event also ends
-- the state before it. Comparing the events themselves needs no mark of how far the last run came, and misses
-- nothing whatever the order in which events land.
WITH
    {% if is_incremental() %}
    changed AS
    (
        SELECT subscription_id
        FROM
        (
            SELECT subscription_id, count() AS events, groupBitXor(cityHash64(event_id)) AS fingerprint
            FROM {{ ref('stg_subscription_events') }}
            GROUP BY subscription_id
            UNION ALL
            SELECT subscription_id, count(), groupBitXor(cityHash64(event_id))
            FROM {{ this }}
            WHERE NOT is_deleted
            GROUP BY subscription_id
        )
        GROUP BY subscription_id
        HAVING count() = 1 OR min(events) != max(events) OR min(fingerprint) != max(fingerprint)
    ),
    {% endif %}
    events AS
    (
        SELECT
            event_id,
            subscription_id,
            customer_id,
            currency,
            entity_version,
            status,
            cancel_reason,
            {{ monthly_recurring('status', 'interval', 'quantity', 'unit_amount_minor', 'discount_bps', 'mrr_minor') }} AS monthly_minor,
            occurred_at
        FROM {{ ref('stg_subscription_events') }}
        {% if is_incremental() %}
        WHERE subscription_id IN (SELECT subscription_id FROM changed)
        {% endif %}
    )
SELECT
    event_id,
    subscription_id,
    customer_id,
    currency,
    entity_version,
    status,
    toLowCardinality(
        multiIf(
            status = 'paused', 'paused',
            status = 'unpaid', 'payment_failed',
            status = 'canceled' AND cancel_reason != 'none', toString(cancel_reason),
            status = 'canceled', 'unknown',
            'none'
        )
    ) AS end_reason,
    monthly_minor AS mrr_minor,
    occurred_at AS valid_from,
    -- Any later version ends it, also one that claims to have happened before.
    if(count() OVER later = 0, {{ open_end() }}, min(occurred_at) OVER later) AS valid_to,
    false AS is_deleted,
    now64(3, 'UTC') AS built_at
FROM events
WINDOW later AS (
    PARTITION BY subscription_id
    ORDER BY entity_version, event_id
    ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING
)
{% if is_incremental() %}
UNION ALL
-- Deleted since: kept without value, so that what is built from this notices.
SELECT
    event_id,
    subscription_id,
    customer_id,
    currency,
    entity_version,
    status,
    end_reason,
    0,
    valid_from,
    valid_to,
    true,
    now64(3, 'UTC')
FROM {{ this }}
WHERE subscription_id IN (SELECT subscription_id FROM changed)
  AND subscription_id NOT IN (SELECT subscription_id FROM {{ ref('stg_subscription_events') }})
{% endif %}
