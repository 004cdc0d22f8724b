{#
  Joins the rate of the day in force to the rows of a model, as `fx`: that of the latest day that is not after it.
  `currency` and `day` are expressions of the left side.
#}
{% macro join_fx(currency, day) -%}
ASOF LEFT JOIN {{ ref('int_fx_rates') }} AS fx ON fx.currency = {{ currency }} AND fx.rate_date <= toDate32({{ day }})
{%- endmacro %}

{#
  An amount in minor units of the reporting currency: exact decimal division, then rounded to the nearest whole minor
  unit, half away from zero, so that a refund converts to exactly what its capture did. Every amount is rounded by
  itself, once; sums add rounded amounts. 0 for a currency that has no rate at all, which a test reports.
#}
{% macro to_reporting(amount_minor) -%}
if(fx.minor_rate = 0, 0, toInt64(round(toDecimal128({{ amount_minor }}, 12) / if(fx.minor_rate = 0, toDecimal128(1, 12), fx.minor_rate), 0)))
{%- endmacro %}
