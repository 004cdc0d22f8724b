package billinganalytics.connect;

import com.clickhouse.client.api.Client;
import com.clickhouse.client.api.enums.Protocol;
import com.clickhouse.client.api.insert.InsertResponse;
import com.clickhouse.client.api.insert.InsertSettings;
import com.clickhouse.client.api.query.GenericRecord;
import com.clickhouse.data.ClickHouseFormat;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.connect.errors.ConnectException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A ClickHouse server, by ClickHouse's own client. */
final class ClickHouseServer implements ClickHouse {
    private static final Logger LOG = LoggerFactory.getLogger(ClickHouseServer.class);
    private static final long CONNECT_TIMEOUT_MS = 5000;
    /** Columns that an insert must not name. */
    private static final Set<String> COMPUTED = Set.of("ALIAS", "MATERIALIZED", "EPHEMERAL");

    private final Client client;
    private final String database;
    private final String address;
    private final Map<String, String> settings;

    ClickHouseServer(SinkConfig config) {
        database = config.database();
        address = (config.isSecure() ? "https://" : "http://") + config.host() + ":" + config.port();
        settings = config.insertSettings();
        client = new Client.Builder()
                .addEndpoint(Protocol.HTTP, config.host(), config.port(), config.isSecure())
                .setUsername(config.user())
                .setPassword(config.password())
                .setDefaultDatabase(database)
                .setClientName("stand-in-clickhouse-sink/" + StandInClickHouseSinkConnector.versionOf(ClickHouseServer.class))
                .setConnectTimeout(CONNECT_TIMEOUT_MS, ChronoUnit.MILLIS)
                .setSocketTimeout(config.insertTimeoutMs(), ChronoUnit.MILLIS)
                // A retry of the client's could insert twice without anybody knowing: Connect retries.
                .setMaxRetries(0)
                // On the loopback interface compressing costs more than it saves.
                .compressClientRequest(false)
                .compressServerResponse(false)
                .build();
    }

    @Override
    public void check() {
        try {
            client.queryAll("SELECT 1");
        } catch (RuntimeException e) {
            throw new ConnectException("Connection to ClickHouse is not active. "
                    + ClickHouseErrors.explain("The first query at " + address, e).getMessage(), e);
        }
    }

    @Override
    public List<TableColumn> describe(String table) {
        List<TableColumn> columns = new ArrayList<>();
        try {
            for (GenericRecord column : client.queryAll("DESCRIBE TABLE " + quote(database) + "." + quote(table))) {
                String kind = column.getString("default_type");
                if (!COMPUTED.contains(kind)) {
                    ClickHouseType type = ClickHouseType.parse(column.getString("type"));
                    columns.add(new TableColumn(column.getString("name"), type, !kind.isEmpty()));
                }
            }
        } catch (RuntimeException e) {
            throw ClickHouseErrors.explain("Reading the columns of " + place(table), e);
        }
        return columns;
    }

    @Override
    public void insert(String table, WritePlan plan, RowBuffer rows) {
        InsertSettings insert = new InsertSettings().setDatabase(database);
        settings.forEach(insert::serverSetting);
        ClickHouseFormat format = plan.usesDefaults()
                ? ClickHouseFormat.RowBinaryWithDefaults
                : ClickHouseFormat.RowBinaryWithNamesAndTypes;
        List<String> names = plan.columns().stream().map(column -> quote(column.name())).toList();
        try (InsertResponse response = client.insert(quote(table), names, rows::copyTo, format, insert).get()) {
            LOG.debug("ClickHouse wrote {} rows into {}", response.getWrittenRows(), place(table));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ConnectException("Inserting into " + place(table) + " was interrupted", e);
        } catch (ExecutionException | RuntimeException e) {
            throw ClickHouseErrors.explain("Inserting into " + place(table), e);
        } catch (Exception e) {
            throw ClickHouseErrors.explain("Reading the answer of an insert into " + place(table), e);
        }
    }

    @Override
    public void close() {
        client.close();
    }

    private String place(String table) {
        return database + "." + table + " at " + address;
    }

    private static String quote(String name) {
        return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`";
    }
}
