package billinganalytics.connect;

import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.kafka.common.config.AbstractConfig;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigDef.Importance;
import org.apache.kafka.common.config.ConfigDef.Type;
import org.apache.kafka.common.config.ConfigException;

/**
 * The official sink's settings, as far as the stand-in has a use for them; its others are accepted and mean nothing
 * here. Defaults are the official ones, except that nothing is ever retried by the client: Connect does that.
 */
final class SinkConfig extends AbstractConfig {
    private static final String EXACTLY_ONCE = "exactlyOnce";

    static final ConfigDef DEFINITION = new ConfigDef()
            .define("hostname", Type.STRING, ConfigDef.NO_DEFAULT_VALUE, new ConfigDef.NonEmptyString(), Importance.HIGH,
                    "ClickHouse's host.")
            .define("port", Type.INT, 8443, ConfigDef.Range.between(1, 65535), Importance.HIGH, "ClickHouse's HTTP port.")
            .define("ssl", Type.BOOLEAN, false, Importance.HIGH, "Whether to speak HTTPS.")
            .define("database", Type.STRING, "default", new ConfigDef.NonEmptyString(), Importance.HIGH, "The tables' database.")
            .define("username", Type.STRING, "default", Importance.HIGH, "ClickHouse's user.")
            .define("password", Type.PASSWORD, "", Importance.HIGH, "The user's password.")
            .define("topic2TableMap", Type.STRING, "", SinkConfig::ensurePairs, Importance.MEDIUM,
                    "topic=table, separated by commas. A topic that is not named goes into the table of its name.")
            .define("clickhouseSettings", Type.STRING, "", SinkConfig::ensurePairs, Importance.MEDIUM,
                    "ClickHouse settings of each insert: name=value, separated by commas.")
            .define("tableRefreshInterval", Type.LONG, 0L, ConfigDef.Range.between(0, 600), Importance.LOW,
                    "Seconds after which a table's columns are read again; 0: only when a record or an error calls for it.")
            .define("clickhouseClientInsertTimeoutMs", Type.LONG, 240_000L, ConfigDef.Range.atLeast(1), Importance.LOW,
                    "Milliseconds an insert may take.")
            .define(EXACTLY_ONCE, Type.BOOLEAN, false, SinkConfig::ensureAtLeastOnce, Importance.LOW,
                    "Must be false: exactly-once delivery is the official sink's, and needs Keeper.")
            .define("errors.tolerance", Type.STRING, "none", Importance.LOW,
                    "With all, a record that does not fit its table goes to the dead letter queue.");

    SinkConfig(Map<String, String> settings) {
        super(DEFINITION, settings, false);
    }

    String host() {
        return getString("hostname");
    }

    int port() {
        return getInt("port");
    }

    boolean isSecure() {
        return getBoolean("ssl");
    }

    String database() {
        return getString("database");
    }

    String user() {
        return getString("username");
    }

    String password() {
        return getPassword("password").value();
    }

    /** The table of a topic. */
    String table(String topic) {
        return pairs("topic2TableMap").getOrDefault(topic, topic);
    }

    /** What each insert asks of ClickHouse: the official sink's settings, under the user's. */
    Map<String, String> insertSettings() {
        Map<String, String> settings = new LinkedHashMap<>();
        settings.put("async_insert", "0");
        settings.put("wait_end_of_query", "1");
        settings.put("input_format_skip_unknown_fields", "1");
        settings.putAll(pairs("clickhouseSettings"));
        return settings;
    }

    long tableRefreshMs() {
        return getLong("tableRefreshInterval") * 1000;
    }

    long insertTimeoutMs() {
        return getLong("clickhouseClientInsertTimeoutMs");
    }

    boolean toleratesErrors() {
        return getString("errors.tolerance").equalsIgnoreCase("all");
    }

    private Map<String, String> pairs(String name) {
        return parsePairs(name, getString(name));
    }

    private static Map<String, String> parsePairs(String name, String text) {
        Map<String, String> pairs = new LinkedHashMap<>();
        for (String pair : text.split(",")) {
            int equals = pair.indexOf('=');
            String key = equals < 0 ? "" : pair.substring(0, equals).trim();
            String value = equals < 0 ? "" : pair.substring(equals + 1).trim();
            if (!pair.isBlank() && (key.isEmpty() || value.isEmpty())) {
                throw new ConfigException(name, text, "expected name=value, separated by commas");
            }
            if (!pair.isBlank()) {
                pairs.put(key, value);
            }
        }
        return pairs;
    }

    private static void ensurePairs(String name, Object value) {
        parsePairs(name, (String) value);
    }

    private static void ensureAtLeastOnce(String name, Object value) {
        if ((Boolean) value) {
            throw new ConfigException(name, value,
                    "the stand-in sink delivers at least once; exactly-once delivery needs the official sink");
        }
    }
}
