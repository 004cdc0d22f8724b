{#
  A table with one partition per month of an instant that never changes. The first build goes some months at a time, so
  that its memory is bounded whatever the history; later ones replace the months that new rows belong to, and no other.

  config
    month_of      raw table or monthly model -> its column that says which month of this model a row belongs to. These say
                  which months exist. Of a monthly model, the months follow that were built since this one was.
    changed_by    raw table -> query over `new`, its rows this model has not seen, that gives the instants (one column,
                  `instant`) whose months they change. For what is looked up in other tables. Default: none.
    has_unknown_member
                  whether a row for what is not known belongs to the model: it is of 1970-01. Default: false.
    rows_per_statement
                  rows of month_of that one statement reads at most. Default: monthly_rows_per_statement.
    partition_by  toYYYYMM(...) of this model's own column
  The model's SQL cuts its sources with in_months and since_months.
#}
{% materialization monthly, adapter='clickhouse' %}
  {%- set existing = load_cached_relation(this) -%}
  {%- set target_relation = this.incorporate(type='table') -%}
  {%- set building = target_relation.incorporate(path={'identifier': this.identifier ~ '__dbt_building'}) -%}
  {%- set landed = target_relation.incorporate(path={'identifier': this.identifier ~ '__dbt_landed'}) -%}
  {%- set month_of = config.require('month_of') -%}
  {%- set changed_by = config.get('changed_by', default={}) -%}
  {%- set definition = local_md5(sql) -%}
  {%- set inputs = {} -%}
  {%- set followed = [] -%}
  {% for relation, column in month_of.items() %}
    {% if relation.startswith('raw_') %}
      {% do inputs.update({relation: 'SELECT ' ~ column ~ ' AS instant FROM new'}) %}
    {% else %}
      {% do followed.append(relation) %}
    {% endif %}
  {% endfor %}
  {# A raw table may say its months and change others, too. #}
  {% for source, instants in changed_by.items() %}
    {% do inputs.update({source: instants if source not in inputs else inputs[source] ~ ' UNION ALL ' ~ instants}) %}
  {% endfor %}

  {{ run_hooks(pre_hooks, inside_transaction=False) }}
  {{ run_hooks(pre_hooks, inside_transaction=True) }}

  {% do drop_if_there(building) %}
  {% do drop_if_there(landed) %}
  {% do create_built_state() %}

  {%- set known = run_query(
    "SELECT count() FROM " ~ built_relation('dbt_built_offsets') ~ "
     WHERE model = '" ~ this.identifier ~ "' AND definition = '" ~ definition ~ "'"
  ).rows[0][0] > 0 -%}
  {%- set is_whole = existing is none or not existing.is_table or should_full_refresh() or not known -%}
  {% if is_whole %}
    {% do run_query("DELETE FROM " ~ built_relation('dbt_built_offsets') ~ " WHERE model = '" ~ this.identifier ~ "'") %}
  {% endif %}

  {# Before the sources are read: what lands meanwhile is built now, and once more by the next run. #}
  {% do collect_new_offsets(landed, inputs.keys(), definition) %}
  {%- set with_rows = months_with_rows(month_of) | list -%}
  {% if config.get('has_unknown_member', default=false) and '1970-01-01' not in (with_rows | map(attribute=0) | list) %}
    {%- set with_rows = [['1970-01-01', 1]] + with_rows -%}
  {% endif %}
  {% if is_whole %}
    {%- set months = with_rows | map(attribute=0) | list -%}
  {% else %}
    {# A rate of a month without payments changes nothing. #}
    {%- set has_rows = with_rows | map(attribute=0) | list -%}
    {%- set months = changed_months(landed, inputs, followed) | select('in', has_rows) | list -%}
  {% endif %}

  {% if is_whole or months | length > 0 %}
    {% do clickhouse__create_empty_table(False, building, sql, config.get('contract').enforced) %}
    {% for run in runs_of_months(with_rows, months) %}
      {% call statement('insert_' ~ loop.index) %}
        {{ clickhouse__insert_into(building, cut_to_months(sql, run[0], run[1]), config.get('contract').enforced) }}
      {% endcall %}
    {% endfor %}
    {% if is_whole %}
      {% if existing is none %}
        {{ adapter.rename_relation(building, target_relation) }}
      {% elif existing.is_table and existing.can_exchange %}
        {% do exchange_tables_atomic(building, target_relation) %}
      {% else %}
        {% do adapter.drop_relation(existing) %}
        {{ adapter.rename_relation(building, target_relation) }}
      {% endif %}
    {% else %}
      {% call statement('replace_months') %}
        ALTER TABLE {{ target_relation }} {{ on_cluster_clause(target_relation) }}
        {% for month in months %}
          REPLACE PARTITION ID '{{ month[:7] | replace('-', '') }}' FROM {{ building }}{{ ', ' if not loop.last }}
        {% endfor %}
        {# A month all of whose rows were deleted. Older servers allow it, and do not know the setting. #}
        {% if adapter.is_at_or_after_version('26.6') %}SETTINGS allow_replace_partition_from_empty_source = 1{% endif %}
      {% endcall %}
    {% endif %}
  {% endif %}

  {% if months | length > 0 %}
    {% do run_query(
      "INSERT INTO " ~ built_relation('dbt_built_months') ~ "
       SELECT '" ~ this.identifier ~ "', toDate(month), now64(3, 'UTC'), '" ~ invocation_id ~ "'
       FROM (SELECT arrayJoin(['" ~ months | join("', '") ~ "']) AS month)"
    ) %}
  {% endif %}
  {# Last: a run that breaks off before is done again. #}
  {% call statement('main') %}
    INSERT INTO {{ built_relation('dbt_built_offsets') }}
    SELECT '{{ this.identifier }}', '{{ definition }}', source, partition, offsets FROM {{ landed }}
    UNION ALL
    -- So that a model is known to be built that reads no raw table, or one that is empty.
    SELECT '{{ this.identifier }}', '{{ definition }}', 'none', 0, groupBitmapStateIf(toUInt64(0), 0)
  {% endcall %}
  {% do drop_if_there(building) %}
  {% do drop_if_there(landed) %}

  {% do persist_docs(target_relation, model) %}
  {{ run_hooks(post_hooks, inside_transaction=True) }}
  {{ adapter.commit() }}
  {{ run_hooks(post_hooks, inside_transaction=False) }}
  {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}

{% macro drop_if_there(relation) %}
  {% do run_query("DROP TABLE IF EXISTS " ~ relation ~ on_cluster_clause(relation) ~ " SYNC") %}
{% endmacro %}

{#
  Cuts months into runs [first, last] to be built by one statement each: neighbours, up to `rows_per_statement` rows of
  the sources and 48 months together, since an insert may write to 100 partitions.
#}
{% macro runs_of_months(with_rows, months) %}
  {%- set state = namespace(runs=[], first=none, last=none, amount=0, count=0) -%}
  {% for month, amount in with_rows %}
    {%- set wanted = month in months -%}
    {% if state.first is not none and (not wanted or state.amount + amount > config.get('rows_per_statement', default=var('monthly_rows_per_statement')) or state.count == 48) %}
      {% do state.runs.append([state.first, state.last]) %}
      {%- set state.first = none -%}
    {% endif %}
    {% if wanted %}
      {% if state.first is none %}
        {%- set state.first = month -%}
        {%- set state.amount = 0 -%}
        {%- set state.count = 0 -%}
      {% endif %}
      {%- set state.last = month -%}
      {%- set state.amount = state.amount + amount -%}
      {%- set state.count = state.count + 1 -%}
    {% endif %}
  {% endfor %}
  {% if state.first is not none %}
    {% do state.runs.append([state.first, state.last]) %}
  {% endif %}
  {{ return(state.runs) }}
{% endmacro %}
