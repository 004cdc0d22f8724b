package billinganalytics.connect;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import org.apache.kafka.connect.errors.ConnectException;
import org.apache.kafka.connect.errors.RetriableException;
import org.apache.kafka.connect.sink.ErrantRecordReporter;
import org.apache.kafka.connect.sink.SinkRecord;
import org.apache.kafka.connect.sink.SinkTask;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes each batch before it returns, so that Connect commits the offsets of written records only. Delivery is at
 * least once: a batch that failed half-way is written again from its start.
 */
public final class StandInClickHouseSinkTask extends SinkTask {
    private static final Logger LOG = LoggerFactory.getLogger(StandInClickHouseSinkTask.class);
    private static final long MIN_BACKOFF_MS = 500;
    private static final long MAX_BACKOFF_MS = 10_000;

    /** A table, and the records of the present batch that go there. */
    private record Route(TableWriter writer, List<SinkRecord> batch) {}

    private final Map<String, Route> routesByTopic = new HashMap<>();
    private final Map<String, Route> routesByTable = new LinkedHashMap<>();
    private final RowBuffer buffer = new RowBuffer();
    private SinkConfig config;
    private ClickHouse clickHouse;
    private int failures;

    /** Connect makes tasks by this constructor. */
    public StandInClickHouseSinkTask() {}

    /** For tests: a task that has started, with a server of the test's own. */
    StandInClickHouseSinkTask(SinkConfig config, ClickHouse clickHouse) {
        this.config = config;
        this.clickHouse = clickHouse;
    }

    @Override
    public String version() {
        return StandInClickHouseSinkConnector.versionOf(StandInClickHouseSinkTask.class);
    }

    @Override
    public void start(Map<String, String> settings) {
        config = new SinkConfig(settings);
        clickHouse = new ClickHouseServer(config);
        clickHouse.check();
        // Topics named by a pattern are known only once their records come.
        for (String topic : settings.getOrDefault(TOPICS_CONFIG, "").split(",")) {
            if (!topic.isBlank()) {
                route(topic.trim());
            }
        }
        LOG.info("Writing to database {} at {}:{} as {}", config.database(), config.host(), config.port(), config.user());
    }

    @Override
    public void put(Collection<SinkRecord> records) {
        List<TableWriter.Rejected> rejected = new ArrayList<>();
        try {
            for (SinkRecord record : records) {
                // A tombstone: the tables have no deletes.
                if (record.value() != null) {
                    route(record.topic()).batch().add(record);
                }
            }
            for (Route route : routesByTable.values()) {
                rejected.addAll(route.writer().write(route.batch()));
            }
            failures = 0;
        } catch (RetriableException e) {
            throw retryLater(e);
        } finally {
            routesByTable.values().forEach(route -> route.batch().clear());
        }
        // Last, so that a batch that is written again reports its bad records once.
        rejected.forEach(this::report);
    }

    @Override
    public void stop() {
        if (clickHouse != null) {
            clickHouse.close();
        }
    }

    /** Where a topic's records go; topics mapped to one table share its batch. */
    private Route route(String topic) {
        Route known = routesByTopic.get(topic);
        if (known != null) {
            return known;
        }
        String table = config.table(topic);
        Route route = routesByTable.get(table);
        if (route == null) {
            route = new Route(openTable(topic, table), new ArrayList<>());
            routesByTable.put(table, route);
        }
        routesByTopic.put(topic, route);
        return route;
    }

    private TableWriter openTable(String topic, String table) {
        try {
            return new TableWriter(clickHouse, table, buffer, config, System::currentTimeMillis);
        } catch (TableChangedException e) {
            throw new ConnectException("Table " + config.database() + "." + table + " of topic " + topic
                    + " does not exist: create it, or map the topic to another with topic2TableMap", e);
        }
    }

    /**
     * Without a timeout of the task's own Connect comes back with the batch only when it commits next, up to a minute
     * later (WorkerSinkTask.poll).
     */
    private RetriableException retryLater(RetriableException failure) {
        long ceiling = Math.min(MAX_BACKOFF_MS, MIN_BACKOFF_MS << Math.min(failures, 10));
        failures++;
        if (context != null) {
            context.timeout(ThreadLocalRandom.current().nextLong(ceiling / 2, ceiling + 1));
        }
        LOG.warn("Attempt {} failed, the batch is written again: {}", failures, failure.getMessage());
        return failure;
    }

    private void report(TableWriter.Rejected rejected) {
        ErrantRecordReporter reporter = context == null ? null : context.errantRecordReporter();
        if (reporter == null) {
            LOG.error("Dropped, as there is no dead letter queue: {}", rejected.explain().getMessage());
        } else {
            // Connect waits for these before it commits the offsets behind them (KIP-610).
            reporter.report(rejected.record(), rejected.explain());
        }
    }
}
