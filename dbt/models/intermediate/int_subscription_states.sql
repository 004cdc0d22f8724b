{{
    config(
        materialized='incremental',
        incremental_strategy='delete_insert',
        unique_key='subscription_id',
        order_by='(customer_id, subscription_id, valid_from)'
    )
}}

-- A subscription whose events are not exactly those it was built from is built again, whole: a late event also ends
-- the state before it. Comparing the events themselves needs no mark of how far the last run came, and misses
-- nothing whatever the order in which events land. That a merge has dropped a second copy counts as a difference,
-- too, and changes nothing.
WITH
    {% if is_incremental() %}
    changed AS
    (
        SELECT subscription_id
        FROM
        (
            SELECT subscription_id, count() AS deliveries, sum(cityHash64(event_id)) AS fingerprint
            FROM {{ ref('stg_subscription_deliveries') }}
            GROUP BY subscription_id
            UNION ALL
            SELECT DISTINCT subscription_id, deliveries, fingerprint FROM {{ this }} WHERE NOT is_deleted
        )
        GROUP BY subscription_id
        HAVING count() = 1 OR min(deliveries) != max(deliveries) OR min(fingerprint) != max(fingerprint)
    ),
    {% endif %}
    histories AS
    (
        SELECT
            subscription_id,
            any(customer_id) AS customer_id,
            count() AS deliveries,
            sum(cityHash64(event_id)) AS fingerprint,
            max(occurred_at) AS newest_at,
            -- Of a change that was delivered twice the second copy begins when the first one does, and ends it.
            arraySort(
                groupArray(
                    (
                        entity_version,
                        occurred_at,
                        currency,
                        if(status IN ('active', 'past_due'), 'paying', toString(status)),
                        multiIf(
                            status = 'paused', 'paused',
                            status = 'unpaid', 'payment_failed',
                            status = 'canceled' AND cancel_reason != 'none', toString(cancel_reason),
                            status = 'canceled', 'unknown',
                            'none'
                        ),
                        {{ monthly_recurring('status', 'interval', 'quantity', 'unit_amount_minor', 'discount_bps', 'mrr_minor') }}
                    )
                )
            ) AS changes,
            changes.2 AS begins,
            -- Any later version ends a state, also one that claims to have happened before.
            if(
                arraySort(begins) = begins,
                arrayPushBack(arrayPopFront(begins), {{ open_end() }}),
                arrayMap(i -> arrayMin(arrayPushBack(arraySlice(begins, i + 1), {{ open_end() }})), arrayEnumerate(begins))
            ) AS ends,
            arrayFilter((change, until) -> change.2 < until, changes, ends) AS in_force,
            -- Renewals change nothing.
            arrayFilter(
                (change, before, i) -> i = 1 OR (change.3, change.4, change.5, change.6) != (before.3, before.4, before.5, before.6),
                in_force,
                arrayPushFront(arrayPopBack(in_force), in_force[1]),
                arrayEnumerate(in_force)
            ) AS states
        FROM {{ ref('stg_subscription_deliveries') }}
        {% if is_incremental() %}
        WHERE subscription_id IN (SELECT subscription_id FROM changed)
        {% endif %}
        GROUP BY subscription_id
    )
SELECT
    subscription_id,
    customer_id,
    toLowCardinality(state.3) AS currency,
    state.1 AS entity_version,
    toLowCardinality(state.4) AS phase,
    toLowCardinality(state.5) AS end_reason,
    state.6 AS mrr_minor,
    state.2 AS valid_from,
    valid_to,
    newest_at,
    deliveries,
    fingerprint,
    false AS is_deleted,
    now64(3, 'UTC') AS built_at
FROM histories
ARRAY JOIN states AS state, arrayPushBack(arrayPopFront(states.2), {{ open_end() }}) AS valid_to
{% if is_incremental() %}
UNION ALL
-- Deleted since: kept without value, so that what is built from this notices.
SELECT
    subscription_id,
    customer_id,
    currency,
    entity_version,
    phase,
    end_reason,
    0,
    valid_from,
    valid_to,
    newest_at,
    deliveries,
    fingerprint,
    true,
    now64(3, 'UTC')
FROM {{ this }}
WHERE subscription_id IN (SELECT subscription_id FROM changed)
  AND subscription_id NOT IN (SELECT subscription_id FROM {{ ref('stg_subscription_deliveries') }})
{% endif %}
