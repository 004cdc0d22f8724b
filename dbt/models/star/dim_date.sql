{{ config(order_by='date_day') }}

SELECT
    toDate('2010-01-01') + number AS date_day,
    toYear(date_day) AS year,
    toQuarter(date_day) AS quarter,
    toMonth(date_day) AS month_of_year,
    toStartOfMonth(date_day) AS month,
    toMonday(date_day) AS week,
    toDayOfMonth(date_day) AS day_of_month,
    toDayOfWeek(date_day) AS day_of_week,
    dateName('weekday', date_day) AS weekday,
    toBool(day_of_week >= 6) AS is_weekend,
    toBool(date_day = toLastDayOfMonth(date_day)) AS is_month_end,
    toUInt8(toDayOfMonth(toLastDayOfMonth(date_day))) AS days_in_month
-- To the end of next year, so that due dates and periods have a day, too.
FROM numbers(assumeNotNull(toUInt64(toDate(concat(toString(toYear(today()) + 2), '-01-01')) - toDate('2010-01-01'))))
