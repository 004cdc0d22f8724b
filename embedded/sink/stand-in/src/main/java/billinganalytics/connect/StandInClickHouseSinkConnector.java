package billinganalytics.connect;

import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.connect.connector.Task;
import org.apache.kafka.connect.sink.SinkConnector;

/**
 * Writes Kafka records into ClickHouse tables. It takes the official sink's place where that cannot be downloaded,
 * reads the same settings and accepts the same tables.
 */
public final class StandInClickHouseSinkConnector extends SinkConnector {
    private Map<String, String> settings = Map.of();

    /** Connect makes connectors by this constructor. */
    public StandInClickHouseSinkConnector() {}

    @Override
    public String version() {
        return versionOf(StandInClickHouseSinkConnector.class);
    }

    @Override
    public ConfigDef config() {
        return SinkConfig.DEFINITION;
    }

    @Override
    public void start(Map<String, String> newSettings) {
        settings = Map.copyOf(newSettings);
    }

    @Override
    public Class<? extends Task> taskClass() {
        return StandInClickHouseSinkTask.class;
    }

    @Override
    public List<Map<String, String>> taskConfigs(int maxTasks) {
        return Collections.nCopies(maxTasks, settings);
    }

    @Override
    public void stop() {
        // Everything that is open belongs to the tasks.
    }

    /** The version in the jar's manifest; classes that run without a jar have none. */
    static String versionOf(Class<?> type) {
        String version = type.getPackage().getImplementationVersion();
        return version == null ? "0" : version;
    }
}
