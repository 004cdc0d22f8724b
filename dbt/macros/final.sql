{#
  Drops redelivered events while reading. All copies of an event are of one partition (occurred_at is part of it), so
  partitions are merged each by itself, and a filter on occurred_at leaves only its months to merge. dbt's unit tests
  put plain rows in the place of a source, and override this with an empty text.
#}
{% macro final() -%}
FINAL
{%- endmacro %}

{% macro final_settings() -%}
SETTINGS do_not_merge_across_partitions_select_final = 1
{%- endmacro %}
