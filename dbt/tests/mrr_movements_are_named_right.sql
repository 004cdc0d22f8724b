-- What other packages get wrong: who comes back is no expansion, and who leaves is no contraction.
SELECT *
FROM {{ ref('fact_mrr_movement') }}
WHERE (movement_type IN ('expansion', 'contraction') AND (start_minor = 0 OR end_minor = 0))
   OR (movement_type IN ('new', 'reactivation') AND NOT (start_minor = 0 AND end_minor > 0))
   OR (movement_type = 'churn' AND NOT (start_minor > 0 AND end_minor = 0))
   OR (movement_type = 'expansion' AND end_minor <= start_minor)
   OR (movement_type = 'contraction' AND end_minor >= start_minor)
