package billinganalytics.connect;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.clickhouse.client.api.Client;
import com.clickhouse.client.api.enums.Protocol;
import com.clickhouse.client.api.query.GenericRecord;
import java.math.BigDecimal;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.Date;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.apache.kafka.connect.data.Decimal;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaBuilder;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.data.Timestamp;
import org.apache.kafka.connect.errors.ConnectException;
import org.apache.kafka.connect.errors.RetriableException;
import org.apache.kafka.connect.sink.SinkRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/** The task against a real server, whose port the test run names with -Dclickhouse.port. */
@EnabledIfSystemProperty(named = "clickhouse.port", matches = "\\d+")
class ClickHouseServerTest {
    private static final Schema SCHEMA = SchemaBuilder.struct()
            .field("event_id", Schema.STRING_SCHEMA)
            .field("occurred_at", Timestamp.SCHEMA)
            .field("paid_at", Timestamp.builder().optional().build())
            .field("issued_date", org.apache.kafka.connect.data.Date.SCHEMA)
            .field("entity_version", Schema.INT64_SCHEMA)
            .field("is_deleted", Schema.INT32_SCHEMA)
            .field("status", Schema.STRING_SCHEMA)
            .field("coupon", Schema.OPTIONAL_STRING_SCHEMA)
            .field("unit_price", Decimal.schema(12))
            .field("ratio", Schema.FLOAT64_SCHEMA)
            .field("is_new", Schema.BOOLEAN_SCHEMA)
            .field("tags", SchemaBuilder.array(Schema.STRING_SCHEMA).build())
            .field("not_in_the_table", Schema.STRING_SCHEMA)
            .build();
    private static final String COLUMNS = "event_id UUID, occurred_at DateTime64(3, 'UTC'), paid_at Nullable(DateTime64(3, 'UTC')), "
            + "issued_date Date32, entity_version Int64, is_deleted Int32, status LowCardinality(String), "
            + "coupon LowCardinality(Nullable(String)), unit_price Decimal(38, 12), ratio Float64, is_new Bool, tags Array(String), "
            + "inserted_at DateTime DEFAULT now(), year UInt16 MATERIALIZED toYear(occurred_at)";

    private final String database = "stand_in_" + UUID.randomUUID().toString().replace("-", "");
    private final StandInClickHouseSinkTask task = new StandInClickHouseSinkTask();
    private final Client client = new Client.Builder()
            .addEndpoint(Protocol.HTTP, "127.0.0.1", port(), false)
            .setUsername(System.getProperty("clickhouse.user", "default"))
            .setPassword(System.getProperty("clickhouse.password", ""))
            .compressServerResponse(false)
            .build();

    @BeforeEach
    void createDatabase() {
        execute("CREATE DATABASE " + database);
        execute("CREATE TABLE " + database + ".raw_events (" + COLUMNS + ") ENGINE = MergeTree ORDER BY event_id");
    }

    @AfterEach
    void dropDatabase() {
        task.stop();
        execute("DROP DATABASE " + database);
        client.close();
    }

    @Test
    void landsEveryTypeThatTheRawTablesUse() {
        task.start(settings(Map.of()));
        task.put(List.of(event(1, "né \"'\n\t", new Date(1_700_000_000_123L)), event(2, null, null)));
        assertEquals(
                List.of("00000000-0000-0000-0000-000000000001|2023-11-14 22:13:20.123|2023-11-14 22:13:20.123|2024-02-29|7|0|captured|né \"'\n\t|"
                                + "-0.000000000001|1.5|true|['a','b']|2023",
                        "00000000-0000-0000-0000-000000000002|2023-11-14 22:13:20.123|NULL|2024-02-29|7|0|captured|NULL|"
                                + "-0.000000000001|1.5|true|['a','b']|2023"),
                column("SELECT concat_ws('|', toString(event_id), toString(occurred_at), ifNull(toString(paid_at), 'NULL'), toString(issued_date), "
                        + "toString(entity_version), toString(is_deleted), status, ifNull(coupon, 'NULL'), toString(unit_price), toString(ratio), "
                        + "toString(is_new), toString(tags), toString(year)) FROM " + database + ".raw_events ORDER BY event_id"));
    }

    @Test
    void keepsWritingWhileTheTableIsAltered() {
        task.start(settings(Map.of()));
        task.put(List.of(event(1, null, null)));
        execute("ALTER TABLE " + database + ".raw_events MODIFY COLUMN entity_version Nullable(Int64), MODIFY COLUMN coupon Nullable(String), DROP COLUMN ratio");
        task.put(List.of(event(2, "SPRING", null)));
        assertEquals(List.of("2"), column("SELECT toString(count()) FROM " + database + ".raw_events WHERE entity_version = 7"));
    }

    @Test
    void takesTheDefaultOfAColumnForNull() {
        execute("ALTER TABLE " + database + ".raw_events MODIFY COLUMN coupon LowCardinality(String) DEFAULT 'none'");
        task.start(settings(Map.of()));
        task.put(List.of(event(1, null, null), event(2, "SPRING", null)));
        assertEquals(List.of("none", "SPRING"), column("SELECT coupon FROM " + database + ".raw_events ORDER BY event_id"));
    }

    @Test
    void namesTheMissingTableAtItsStart() {
        ConnectException failure = assertThrows(ConnectException.class, () -> task.start(settings(Map.of("topics", "no-such"))));
        assertEquals("Table " + database + ".no-such of topic no-such does not exist: create it, or map the topic to another with topic2TableMap",
                failure.getMessage());
    }

    @Test
    void saysAtItsStartThatNobodyAnswers() throws Exception {
        Map<String, String> settings = settings(Map.of("port", String.valueOf(unusedPort())));
        ConnectException failure = assertThrows(ConnectException.class, () -> task.start(settings));
        assertTrue(failure.getMessage().startsWith("Connection to ClickHouse is not active."), failure.getMessage());
        assertTrue(failure.getMessage().contains("Connection refused"), failure.getMessage());
    }

    @Test
    void saysAtItsStartThatTheLoginIsRefused() {
        ConnectException failure = assertThrows(ConnectException.class, () -> task.start(settings(Map.of("password", "wrong"))));
        assertTrue(failure.getMessage().contains("Code: 516"), failure.getMessage());
    }

    @Test
    void asksForTheBatchAgainWhileNobodyAnswers() throws Exception {
        SinkConfig config = new SinkConfig(settings(Map.of("port", String.valueOf(unusedPort()))));
        WritePlan plan = new WritePlan(List.of(new TableColumn("status", ClickHouseType.parse("String"), false)), SCHEMA);
        try (ClickHouse gone = new ClickHouseServer(config)) {
            assertThrows(RetriableException.class, () -> gone.insert("raw_events", plan, new RowBuffer()));
        }
    }

    private static int port() {
        return Integer.getInteger("clickhouse.port", 8123);
    }

    private static int unusedPort() throws Exception {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }

    private Map<String, String> settings(Map<String, String> changed) {
        Map<String, String> settings = new HashMap<>(Map.of(
                "hostname", "127.0.0.1",
                "port", String.valueOf(port()),
                "username", System.getProperty("clickhouse.user", "default"),
                "password", System.getProperty("clickhouse.password", ""),
                "database", database,
                "topics", "events",
                "topic2TableMap", "events=raw_events"));
        settings.putAll(changed);
        return settings;
    }

    private static SinkRecord event(int number, String coupon, Date paidAt) {
        Struct value = new Struct(SCHEMA)
                .put("event_id", new UUID(0, number).toString())
                .put("occurred_at", new Date(1_700_000_000_123L))
                .put("paid_at", paidAt)
                .put("issued_date", new Date(19_782L * 86_400_000))
                .put("entity_version", 7L)
                .put("is_deleted", 0)
                .put("status", "captured")
                .put("coupon", coupon)
                .put("unit_price", new BigDecimal("-0.000000000001"))
                .put("ratio", 1.5)
                .put("is_new", true)
                .put("tags", List.of("a", "b"))
                .put("not_in_the_table", "dropped");
        return new SinkRecord("events", 0, null, null, SCHEMA, value, number);
    }

    private void execute(String statement) {
        client.queryAll(statement);
    }

    private List<String> column(String query) {
        List<String> values = new ArrayList<>();
        for (GenericRecord row : client.queryAll(query)) {
            values.add(row.getString(1));
        }
        return values;
    }
}
