{#
  Months are counted from January 1970 where they are reckoned with: arrays of numbers are smaller and faster than
  dates. `month_of` turns a number back into the month's first day.
#}
{% macro month_number(moment) -%}
toInt32(dateDiff('month', toDate('1970-01-01'), toDate({{ moment }})))
{%- endmacro %}

{% macro month_of(number) -%}
addMonths(toDate('1970-01-01'), {{ number }})
{%- endmacro %}

{# Where a state that nothing has ended yet ends: later than any month that is counted. #}
{% macro open_end() -%}
toDateTime64('2100-01-01 00:00:00', 3, 'UTC')
{%- endmacro %}

{#
  Monthly recurring revenue of one state, in minor units. The recurring discount is the amount that is taken off the
  invoice, which is whole minor units; what is left of a year's or a week's price is brought to a month by dividing
  exactly and rounding once, half up. An interval nobody knows yet can't be brought to a month: the subscription's own
  figure counts.
#}
{% macro monthly_recurring(status, interval, quantity, unit_amount_minor, discount_bps, recorded_minor) -%}
{%- set price = 'toInt64(' ~ quantity ~ ') * ' ~ unit_amount_minor -%}
{%- set net = '(' ~ price ~ ' - intDiv(' ~ price ~ ' * ' ~ discount_bps ~ ' + 5000, 10000))' -%}
multiIf(
        {{ status }} NOT IN ('active', 'past_due'), toInt64(0),
        {{ interval }} = 'month', {{ net }},
        {{ interval }} = 'year', intDiv({{ net }} + 6, 12),
        -- 52 / 12 is 13 / 3.
        {{ interval }} = 'week', intDiv({{ net }} * 26 + 3, 6),
        {{ recorded_minor }}
    )
{%- endmacro %}

{# The last month there is anything to say about, as a number: that of the newest event that is not in the future. #}
{% macro last_month() -%}
(SELECT {{ month_number('max(newest_at)') }} FROM {{ ref('int_subscription_states') }} WHERE newest_at <= now64(3, 'UTC'))
{%- endmacro %}

{#
  One row per customer, currency and month from the customer's first month with MRR on: the MRR at the end of the
  month, of the month before and of the same month a year before. `where` chooses states, `first` and `last` are the
  numbers of the months wanted.

  Each state that lasts over the end of a month adds its MRR at its first month and takes it away at the month it no
  longer covers; summed up by month, and then cumulated, that is the MRR of every month, without a row per month
  before the very end. The same changes one and twelve months later are the MRR of one and twelve months ago.
#}
{% macro mrr_months(where, first, last) -%}
SELECT
    customer_id,
    currency,
    changed[1] AS first_number,
    arrayJoin(range(greatest(since, {{ first }}), least(until, {{ last }} + 1))) AS number,
    minor AS mrr_minor,
    minor_1 AS mrr_1_month_ago_minor,
    minor_12 AS mrr_12_months_ago_minor
FROM
(
    SELECT
        customer_id,
        currency,
        sumMap(
            [begins, ends, begins + 1, ends + 1, begins + 12, ends + 12],
            [monthly, -monthly, 0, 0, 0, 0],
            [0, 0, monthly, -monthly, 0, 0],
            [0, 0, 0, 0, monthly, -monthly]
        ) AS changes,
        changes.1 AS changed
    FROM
    (
        SELECT
            customer_id,
            currency,
            mrr_minor AS monthly,
            {{ month_number('valid_from') }} AS begins,
            {{ month_number('valid_to') }} AS ends
        FROM {{ ref('int_subscription_states') }}
        WHERE monthly > 0 AND begins < ends AND {{ where }}
    )
    GROUP BY customer_id, currency
)
ARRAY JOIN
    changed AS since,
    arrayPushBack(arrayPopFront(changed), {{ last }} + 1) AS until,
    arrayCumSum(changes.2) AS minor,
    arrayCumSum(changes.3) AS minor_1,
    arrayCumSum(changes.4) AS minor_12
{%- endmacro %}
