{# The key of a model that has several columns. #}
{% test unique_combination(model, columns) %}
SELECT {{ columns | join(', ') }}, count() AS rows
FROM {{ model }}
GROUP BY {{ columns | join(', ') }}
HAVING rows > 1
{% endtest %}
