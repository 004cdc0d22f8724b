-- Joining the four dimensions that look as if they were many to one fact leaves rows and sums as they are. The newest
-- three months are joined; that the keys are unique is tested for all of them.
WITH
    (SELECT addMonths(max(built_month), -2) FROM {{ ref('fact_transaction') }}) AS first_month,
    alone AS
    (
        SELECT count() AS rows, sum(settled_minor) AS settled_minor
        FROM {{ ref('fact_transaction') }}
        WHERE built_month >= first_month
    ),
    joined AS
    (
        SELECT count() AS rows, sum(facts.settled_minor) AS settled_minor
        FROM (SELECT * FROM {{ ref('fact_transaction') }} WHERE built_month >= first_month) AS facts
        LEFT JOIN {{ ref('dim_customer_invoices') }} AS invoices ON invoices.invoice_id = facts.invoice_id
        LEFT JOIN {{ ref('dim_payment_details') }} AS details ON details.payment_detail_id = facts.payment_detail_id
        LEFT JOIN {{ ref('dim_revenue_adjustments') }} AS adjustments
            ON adjustments.adjustment_group_id = facts.adjustment_group_id
        LEFT JOIN {{ ref('dim_product_logistics') }} AS logistics ON logistics.logistics_id = facts.logistics_id
    )
SELECT alone.rows, joined.rows, alone.settled_minor, joined.settled_minor
FROM alone
CROSS JOIN joined
WHERE alone.rows != joined.rows OR alone.settled_minor != joined.settled_minor
