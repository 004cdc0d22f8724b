SELECT
    l.topic AS topic,
    l.partition AS partition,
    sum(l.rows) AS delivered_rows,
    groupBitmapMerge(l.offsets) AS landed_offsets,
    toInt64(bitmapMin(groupBitmapMergeState(l.offsets))) AS first_offset,
    toInt64(bitmapMax(groupBitmapMergeState(l.offsets))) AS last_offset,
    min(l.first_landed_at) AS first_landed_at,
    max(l.last_landed_at) AS last_landed_at
FROM {{ source('billing', 'ledger') }} AS l
GROUP BY l.topic, l.partition
