-- The totals of an invoice are the sums of its lines, to the minor unit. Added up side by side and not joined, so that a
-- line without an invoice and an invoice without lines are found, too.
SELECT
    invoice_id,
    sum(subtotal) AS subtotal_difference,
    sum(discount) AS discount_difference,
    sum(tax) AS tax_difference,
    sum(total) AS total_difference
FROM
(
    SELECT invoice_id, subtotal_minor AS subtotal, discount_minor AS discount, tax_minor AS tax, total_minor AS total
    FROM {{ ref('dim_customer_invoices') }}
    WHERE issued_at < now() - INTERVAL 1 HOUR
    UNION ALL
    SELECT invoice_id, -amount_minor, -discount_minor, -tax_minor, -total_minor
    FROM {{ ref('fact_invoice_line') }}
    WHERE invoice_id IN
    (
        SELECT invoice_id FROM {{ ref('dim_customer_invoices') }} WHERE issued_at < now() - INTERVAL 1 HOUR
    )
    OR invoiced_at < now() - INTERVAL 1 DAY
)
GROUP BY invoice_id
HAVING subtotal_difference != 0 OR discount_difference != 0 OR tax_difference != 0 OR total_difference != 0
