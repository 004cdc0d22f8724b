package billinganalytics.connect;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.common.config.ConfigException;
import org.junit.jupiter.api.Test;

class SinkConfigTest {
    @Test
    void takesTheOfficialSinksSettingsAndIgnoresThoseItHasNoUseFor() {
        SinkConfig config = config(Map.of(
                "topic2TableMap", "billing.payments=raw_payments, billing.invoices = raw_invoices",
                "clickhouseSettings", "input_format_skip_unknown_fields=0,max_insert_threads=1",
                "exactlyOnce", "false",
                "jdbcConnectionProperties", "?compress=0",
                "client_version", "V2",
                "ignorePartitionsWhenBatching", "true",
                "zkPath", "/kafka-connect",
                "errors.tolerance", "all"));
        assertEquals("raw_invoices", config.table("billing.invoices"));
        assertEquals("other", config.table("other"));
        assertEquals(
                Map.of("async_insert", "0", "wait_end_of_query", "1", "input_format_skip_unknown_fields", "0", "max_insert_threads", "1"),
                config.insertSettings());
        assertTrue(config.toleratesErrors());
    }

    @Test
    void refusesExactlyOnceDelivery() {
        assertRefused("exactlyOnce", "true", "exactly-once delivery needs the official sink");
    }

    @Test
    void refusesPairsThatAreNone() {
        assertRefused("topic2TableMap", "billing.payments", "expected name=value, separated by commas");
        assertRefused("clickhouseSettings", "a=1,=2", "expected name=value, separated by commas");
    }

    @Test
    void refusesAPortThatIsNone() {
        assertRefused("port", "0", "Value must be at least 1");
    }

    @Test
    void showsNoPassword() {
        assertEquals("secret", config(Map.of("password", "secret")).password());
        assertTrue(!config(Map.of("password", "secret")).values().toString().contains("secret"));
    }

    static SinkConfig config(Map<String, String> settings) {
        Map<String, String> all = new HashMap<>(Map.of("hostname", "127.0.0.1", "port", "8123", "database", "billing"));
        all.putAll(settings);
        return new SinkConfig(all);
    }

    private static void assertRefused(String name, String value, String reason) {
        ConfigException refusal = assertThrows(ConfigException.class, () -> config(Map.of(name, value)));
        assertTrue(refusal.getMessage().contains(name) && refusal.getMessage().contains(reason), refusal.getMessage());
    }
}
