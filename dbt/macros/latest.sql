{#
  A column of the latest version of an entity: the one with the greatest entity_version, in whatever order versions
  landed and however often. The source's alias has to be `e`, so that the column is not taken for its own alias.
#}
{% macro latest(column, alias=none) -%}
argMax(e.{{ column }}, e.entity_version) AS {{ alias or column }}
{%- endmacro %}

{# The same for a column that may be null: argMax alone would skip the nulls and find an older value. #}
{% macro latest_nullable(column, alias=none) -%}
tupleElement(argMax(tuple(e.{{ column }}), e.entity_version), 1) AS {{ alias or column }}
{%- endmacro %}
