-- 39. Is the pipeline healthy: how fresh, how complete, how often twice?
-- period: all
--
-- As of the last refresh of the models. landed: distinct records of the topic that have landed. twice %: rows that
-- were delivered again, of all that were delivered; they change no number. passed %: offsets below the newest landed
-- one that have not landed, of all up to it: dead letters, and on compacted topics what was compacted; "npm run
-- reconcile" tells which. lag: minutes from the newest event until its topic last landed
-- something. age: minutes from the newest event to now.
SELECT
    topic,
    landed_offsets AS landed,
    redelivered_rows / nullIf(delivered_rows, 0) AS twice_rate,
    passed_over_offsets / nullIf(landed_offsets + passed_over_offsets, 0) AS passed_rate,
    greatest(dateDiff('minute', newest_event_at, last_landed_at), 0) AS lag_min,
    dateDiff('minute', newest_event_at, now64(3, 'UTC')) AS age_min
FROM mart_pipeline
ORDER BY topic
