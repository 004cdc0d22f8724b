{{ config(
    materialized='monthly',
    partition_by='toYYYYMM(built_month)',
    order_by='(currency, toDate(initiated_at), customer_id, transaction_id)',
    rows_per_statement=150000,
    month_of={
        'dim_payment_details': 'payment_initiated_at',
        'raw_refunds': 'requested_at',
        'raw_disputes': 'opened_at',
    },
    changed_by={
        'raw_transactions': "
            SELECT requested_at AS instant FROM raw_refunds
            WHERE refund_id IN (SELECT assumeNotNull(refund_id) FROM new WHERE refund_id IS NOT NULL)
            UNION ALL
            SELECT opened_at FROM raw_disputes
            WHERE dispute_id IN (SELECT assumeNotNull(dispute_id) FROM new WHERE dispute_id IS NOT NULL)",
        'raw_payments': "
            SELECT requested_at AS instant FROM raw_refunds
            WHERE payment_id IN (SELECT payment_id FROM new WHERE event_type = 'payment.captured')
            UNION ALL
            SELECT opened_at FROM raw_disputes
            WHERE payment_id IN (SELECT payment_id FROM new WHERE event_type = 'payment.captured')",
        'raw_invoices': "
            SELECT initiated_at AS instant FROM raw_payments
            WHERE event_type = 'payment.initiated'
              AND invoice_id IN (SELECT invoice_id FROM new WHERE entity_version = 1)",
        'raw_customers': changed_by_customers('raw_payments', 'initiated_at', 'payment.initiated'),
        'raw_fx_rates': "
            SELECT payment_initiated_at AS instant FROM dim_payment_details
            WHERE toDate32(captured_at) IN (SELECT rate_date FROM new)
            UNION ALL
            SELECT requested_at FROM raw_refunds WHERE toDate32(occurred_at) IN (SELECT rate_date FROM new)
            UNION ALL
            SELECT opened_at FROM raw_disputes WHERE toDate32(occurred_at) IN (SELECT rate_date FROM new)",
    },
) }}

-- A charge is one row however many messages it took at the processor; a refund is one row; a dispute is one row for the
-- debit and, when it is won, one for the money coming back.
WITH
    refunds AS
    (
        SELECT * FROM {{ ref('stg_refunds') }} WHERE {{ in_months('requested_at') }}
    ),
    disputes AS
    (
        SELECT * FROM {{ ref('stg_disputes') }} WHERE {{ in_months('opened_at') }}
    ),
    -- What a refund or a dispute takes from the payment it is about.
    captured AS
    (
        SELECT payment_id, attempt_no, payment_method_id, method, processor, country, region, occurred_at AS captured_at,
               initiated_at AS payment_initiated_at
        FROM {{ ref('stg_payment_events') }}
        WHERE event_type = 'payment.captured'
          AND payment_id IN (SELECT payment_id FROM refunds UNION ALL SELECT payment_id FROM disputes)
        LIMIT 1 BY payment_id
    ),
    asked AS
    (
        SELECT
            assumeNotNull(ifNull(refund_id, dispute_id)) AS cause_id,
            kind,
            sum(fee_minor) AS fee_minor
        FROM {{ ref('stg_transactions') }}
        WHERE kind IN ('refund', 'chargeback', 'reversal')
          AND {{ since_months('occurred_at') }}
          AND payment_id IN (SELECT payment_id FROM refunds UNION ALL SELECT payment_id FROM disputes)
          AND (refund_id IS NOT NULL OR dispute_id IS NOT NULL)
        GROUP BY cause_id, kind
    ),
    -- What goes back: rows of refunds and disputes in one shape, so that payments are looked up once.
    returned AS
    (
        SELECT
            refund_id AS transaction_id,
            refund_id AS cause_id,
            'refund' AS kind,
            'refund' AS asked_kind,
            status,
            payment_id,
            invoice_id,
            customer_id,
            currency,
            amount_minor,
            requested_at AS initiated_at,
            requested_at AS built_at,
            if(status = 'succeeded', updated_at, NULL) AS moved_at,
            if(status = 'succeeded', updated_at, NULL) AS revenue_at,
            if(status = 'succeeded', -amount_minor, 0) AS settled_minor,
            settled_minor AS revenue_minor
        FROM refunds
        UNION ALL
        SELECT
            dispute_id,
            dispute_id,
            'dispute',
            'chargeback',
            status,
            payment_id,
            invoice_id,
            customer_id,
            currency,
            amount_minor,
            opened_at,
            opened_at,
            opened_at,
            if(status = 'lost', updated_at, NULL),
            -amount_minor,
            if(status = 'lost', -amount_minor, 0)
        FROM disputes
        UNION ALL
        SELECT
            concat(dispute_id, '-reversal'),
            dispute_id,
            'dispute_reversal',
            'reversal',
            status,
            payment_id,
            invoice_id,
            customer_id,
            currency,
            amount_minor,
            updated_at,
            opened_at,
            updated_at,
            NULL,
            amount_minor,
            0
        FROM disputes
        WHERE status = 'won'
    ),
    movements AS
    (
        SELECT
            payment_detail_id AS transaction_id,
            'charge' AS kind,
            outcome AS status,
            payment_id,
            payment_detail_id,
            invoice_id,
            customer_id,
            payment_method_id,
            method,
            processor,
            country,
            region,
            currency,
            attempt_no,
            failure_code,
            failure_kind,
            initiated_at,
            payment_initiated_at,
            authorized_at,
            captured_at,
            captured_at AS moved_at,
            captured_at AS revenue_at,
            amount_minor AS attempted_minor,
            if(outcome = 'captured', amount_minor, 0) AS settled_minor,
            settled_minor AS revenue_minor,
            fee_minor,
            toStartOfMonth(payment_initiated_at) AS built_month
        FROM {{ ref('dim_payment_details') }}
        WHERE {{ in_months('payment_initiated_at') }}
        UNION ALL
        SELECT
            returned.transaction_id,
            returned.kind,
            returned.status,
            returned.payment_id,
            if(captured.payment_id = '', 'unknown', concat(captured.payment_id, '-', toString(captured.attempt_no))),
            returned.invoice_id,
            returned.customer_id,
            if(captured.payment_id = '', 'unknown', captured.payment_method_id),
            if(captured.payment_id = '', 'unknown', captured.method),
            if(captured.payment_id = '', 'unknown', captured.processor),
            if(captured.payment_id = '', 'unknown', captured.country),
            if(captured.payment_id = '', 'unknown', captured.region),
            returned.currency,
            captured.attempt_no,
            'none',
            'none',
            returned.initiated_at,
            if(captured.payment_id = '', returned.initiated_at, captured.payment_initiated_at),
            NULL,
            if(captured.payment_id = '', NULL, captured.captured_at),
            returned.moved_at,
            returned.revenue_at,
            returned.amount_minor,
            returned.settled_minor,
            returned.revenue_minor,
            asked.fee_minor,
            toStartOfMonth(returned.built_at)
        FROM returned
        LEFT JOIN captured ON captured.payment_id = returned.payment_id
        LEFT JOIN asked ON asked.cause_id = returned.cause_id AND asked.kind = returned.asked_kind
    ),
    invoices AS
    (
        SELECT invoice_id, order_id, tier, customer_id
        FROM {{ ref('dim_customer_invoices') }}
        WHERE invoice_id IN
        (
            SELECT invoice_id FROM {{ ref('dim_payment_details') }} WHERE {{ in_months('payment_initiated_at') }}
            UNION ALL
            SELECT invoice_id FROM refunds
            UNION ALL
            SELECT invoice_id FROM disputes
        )
    )
SELECT
    movements.transaction_id AS transaction_id,
    movements.kind AS kind,
    movements.status AS status,
    movements.payment_id AS payment_id,
    movements.payment_detail_id AS payment_detail_id,
    if(invoices.invoice_id = '', 'unknown', invoices.invoice_id) AS invoice_id,
    -- Adjustments are totals of their invoice.
    if(invoices.invoice_id = '', 'unknown', invoices.invoice_id) AS adjustment_group_id,
    if(invoices.invoice_id = '', 'unknown', invoices.order_id) AS logistics_id,
    movements.customer_id AS customer_id,
    movements.payment_method_id AS payment_method_id,
    movements.method AS method,
    movements.processor AS processor,
    movements.country AS country,
    movements.region AS region,
    if(invoices.invoice_id = '', 'unknown', invoices.tier) AS tier,
    movements.attempt_no AS attempt_no,
    movements.failure_code AS failure_code,
    movements.failure_kind AS failure_kind,
    movements.initiated_at AS initiated_at,
    movements.payment_initiated_at AS payment_initiated_at,
    movements.authorized_at AS authorized_at,
    movements.captured_at AS captured_at,
    movements.moved_at AS moved_at,
    movements.revenue_at AS revenue_at,
    movements.currency AS currency,
    movements.attempted_minor AS attempted_minor,
    movements.settled_minor AS settled_minor,
    movements.revenue_minor AS revenue_minor,
    movements.fee_minor AS fee_minor,
    {{ to_reporting('movements.settled_minor') }} AS settled_reporting_minor,
    {{ to_reporting('movements.revenue_minor') }} AS revenue_reporting_minor,
    movements.built_month AS built_month
FROM movements
LEFT JOIN invoices ON invoices.invoice_id = movements.invoice_id
{{ join_fx('movements.currency', 'coalesce(movements.revenue_at, movements.moved_at, movements.initiated_at)') }}
