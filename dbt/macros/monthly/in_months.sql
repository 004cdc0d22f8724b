{#
  Where a monthly model is cut. `in_months` keeps the rows of the months being built; `since_months` those that are not
  older: what happened to an entity never happened before the entity began; `until_months` those that are not younger.
  All are true until the materialization fills in the months, so that a compiled model and a unit test see all rows.
#}
{% macro in_months(instant) -%}
(1 = 1 /* in months: {{ instant }} */)
{%- endmacro %}

{% macro since_months(instant) -%}
(1 = 1 /* since months: {{ instant }} */)
{%- endmacro %}

{% macro until_months(instant) -%}
(1 = 1 /* until months: {{ instant }} */)
{%- endmacro %}

{# Fills in the months [first, last] of a model's SQL, both given as the first day of a month. #}
{% macro cut_to_months(sql, first, last) -%}
  {%- set first_instant = "toDateTime64('" ~ first ~ " 00:00:00', 3, 'UTC')" -%}
  {%- set last_instant = "toDateTime64('" ~ last ~ " 00:00:00', 3, 'UTC')" -%}
  {%- set end_instant = 'addMonths(' ~ last_instant ~ ', 1)' -%}
  {%- set in_months = '(\\1 >= ' ~ first_instant ~ ' AND \\1 < ' ~ end_instant ~ ')' -%}
  {%- set cut = modules.re.sub('\(1 = 1 /\* in months: (.*?) \*/\)', in_months, sql) -%}
  {%- set cut = modules.re.sub('\(1 = 1 /\* since months: (.*?) \*/\)', '(\\1 >= ' ~ first_instant ~ ')', cut) -%}
  {{ return(modules.re.sub('\(1 = 1 /\* until months: (.*?) \*/\)', '(\\1 < ' ~ end_instant ~ ')', cut)) }}
{%- endmacro %}
