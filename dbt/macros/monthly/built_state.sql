{#
  What monthly models have been built from. A raw row has no time of landing, and rows of different partitions, late
  ones and repaired ones land in any order: no single mark separates old from new. So each model remembers the very
  offsets it has seen, as one bitmap per partition, which is small because offsets are dense. Rows are compared with
  their own coordinates and not with the ledger, which is written beside them and not with them.

  `definition` is a digest of the model's SQL: a changed model has seen nothing and is built anew.
#}
{% macro create_built_state() %}
  {% do run_query(
    "CREATE TABLE IF NOT EXISTS " ~ built_relation('dbt_built_offsets') ~ on_cluster_clause(this) ~ "
    (
        model LowCardinality(String) COMMENT 'The monthly model.',
        definition String COMMENT 'Digest of the SQL it was built with.',
        source LowCardinality(String) COMMENT 'The raw table it was built from.',
        partition Int32 COMMENT 'Kafka partition.',
        offsets AggregateFunction(groupBitmap, UInt64) COMMENT 'Offsets of the rows it was built from.'
    )
    ENGINE = AggregatingMergeTree
    ORDER BY (model, definition, source, partition)
    COMMENT 'Which rows each monthly model has been built from.'"
  ) %}
  {% do run_query(
    "CREATE TABLE IF NOT EXISTS " ~ built_relation('dbt_built_months') ~ on_cluster_clause(this) ~ "
    (
        model LowCardinality(String) COMMENT 'The monthly model.',
        month Date COMMENT 'First day of the month that was built.',
        built_at DateTime64(3, 'UTC') COMMENT 'When it was built, UTC.',
        invocation_id String COMMENT 'The run of dbt that built it.'
    )
    ENGINE = MergeTree
    ORDER BY (model, month, built_at)
    COMMENT 'Each time a month of a model was built.'"
  ) %}
{% endmacro %}

{% macro built_relation(identifier) -%}
  {{ return(api.Relation.create(schema=this.schema, identifier=identifier, type='table')) }}
{%- endmacro %}

{# Collects into `landed` the offsets of each source that the model has not seen: (source, partition, offsets). #}
{% macro collect_new_offsets(landed, sources, definition) %}
  {% do run_query(
    "CREATE TABLE " ~ landed ~ on_cluster_clause(landed) ~ "
    (source String, partition Int32, offsets AggregateFunction(groupBitmap, UInt64))
    ENGINE = MergeTree ORDER BY (source, partition)"
  ) %}
  {% for source in sources %}
    {% do run_query(
      "INSERT INTO " ~ landed ~ "
      SELECT '" ~ source ~ "', partition, bitmapAndnot(groupBitmapMergeState(now), groupBitmapMergeState(seen)) AS unseen
      FROM
      (
          SELECT kafka_partition AS partition, groupBitmapState(toUInt64(kafka_offset)) AS now,
                 groupBitmapStateIf(toUInt64(0), 0) AS seen
          FROM " ~ built_relation(source) ~ "
          GROUP BY partition
          UNION ALL
          SELECT partition, groupBitmapStateIf(toUInt64(0), 0) AS now, groupBitmapMergeState(offsets) AS seen
          FROM " ~ built_relation('dbt_built_offsets') ~ "
          WHERE model = '" ~ this.identifier ~ "' AND definition = '" ~ definition ~ "' AND source = '" ~ source ~ "'
          GROUP BY partition
      )
      GROUP BY partition
      HAVING bitmapCardinality(unseen) > 0"
    ) %}
  {% endfor %}
{% endmacro %}

{#
  The months that rows not seen before belong to, in order. `inputs` maps a raw table to a query of instants over `new`,
  its unseen rows; of the `followed` monthly models, it is the months built since this model was.
#}
{% macro changed_months(landed, inputs, followed) %}
  {% set parts = [] %}
  {% for model in followed %}
    {% do parts.append(
      "SELECT toString(month) AS month FROM " ~ built_relation('dbt_built_months') ~ "
       WHERE model = '" ~ model ~ "' AND built_at >
       (SELECT max(built_at) FROM " ~ built_relation('dbt_built_months') ~ " WHERE model = '" ~ this.identifier ~ "')"
    ) %}
  {% endfor %}
  {% for source, instants in inputs.items() %}
    {% do parts.append(
      "SELECT toString(toStartOfMonth(toDateTime64(instant, 3, 'UTC'))) AS month
       FROM
       (
           WITH new AS
           (
               SELECT * FROM " ~ built_relation(source) ~ "
               WHERE (kafka_partition, toUInt64(kafka_offset)) IN
               (
                   SELECT partition, arrayJoin(bitmapToArray(offsets)) FROM " ~ landed ~ " WHERE source = '" ~ source ~ "'
               )
           )
           SELECT arrayJoin([assumeNotNull(instant)]) AS instant FROM (" ~ instants ~ ")
       )"
    ) %}
  {% endfor %}
  {{ return(run_query("SELECT DISTINCT month FROM (" ~ parts | join(" UNION ALL ") ~ ") ORDER BY month").rows | map(attribute=0) | list) }}
{% endmacro %}

{# Every month that the sources have rows of, with how many: [(month, rows)], in order. #}
{% macro months_with_rows(month_of) %}
  {% set parts = [] %}
  {% for source, column in month_of.items() %}
    {% do parts.append("SELECT toStartOfMonth(" ~ column ~ ") AS month, count() AS amount FROM " ~ built_relation(source) ~ " GROUP BY month") %}
  {% endfor %}
  {% set table = run_query(
    "SELECT toString(month), toInt64(sum(amount)) FROM (" ~ parts | join(" UNION ALL ") ~ ") GROUP BY month ORDER BY month"
  ) %}
  {{ return(table.rows) }}
{% endmacro %}
