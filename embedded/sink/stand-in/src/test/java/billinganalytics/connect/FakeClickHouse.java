package billinganalytics.connect;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaBuilder;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.sink.SinkRecord;

/** Remembers what it is asked, and fails where it is told to: tests of batching need no server. */
final class FakeClickHouse implements ClickHouse {
    record Insert(String table, List<String> columns, int bytes) {}

    /** Of an insert into one Int64 column: its count, its name, its type. */
    static final int HEADER_BYTES = 1 + 3 + 6;

    static final Schema SCHEMA = SchemaBuilder.struct().field("id", Schema.INT64_SCHEMA).build();
    static final Schema NEXT_SCHEMA =
            SchemaBuilder.struct().field("id", Schema.INT64_SCHEMA).field("note", Schema.STRING_SCHEMA).build();

    final Map<String, List<TableColumn>> tables = new HashMap<>();
    final List<Insert> inserts = new ArrayList<>();
    /** Thrown by the next inserts, one each. */
    final Deque<RuntimeException> failures = new ArrayDeque<>();
    /** Ids below 128 that a constraint refuses, of a table with an Int64 id and nothing else. */
    final Set<Integer> refused = new HashSet<>();
    int describes;
    int refusals;

    FakeClickHouse table(String name, String... namesAndTypes) {
        List<TableColumn> columns = new ArrayList<>();
        for (int at = 0; at < namesAndTypes.length; at += 2) {
            columns.add(new TableColumn(namesAndTypes[at], ClickHouseType.parse(namesAndTypes[at + 1]), false));
        }
        tables.put(name, columns);
        return this;
    }

    static SinkRecord record(String topic, int partition, long offset) {
        return new SinkRecord(topic, partition, null, null, SCHEMA, new Struct(SCHEMA).put("id", offset), offset);
    }

    static SinkRecord nextRecord(String topic, long offset) {
        Struct value = new Struct(NEXT_SCHEMA).put("id", offset).put("note", "n");
        return new SinkRecord(topic, 0, null, null, NEXT_SCHEMA, value, offset);
    }

    /** Its id is text, which no table takes. */
    static SinkRecord misfit(String topic, long offset) {
        Schema schema = SchemaBuilder.struct().field("id", Schema.STRING_SCHEMA).build();
        return new SinkRecord(topic, 0, null, null, schema, new Struct(schema).put("id", "x"), offset);
    }

    @Override
    public void check() {
        // It always answers.
    }

    @Override
    public List<TableColumn> describe(String table) {
        describes++;
        List<TableColumn> columns = tables.get(table);
        if (columns == null) {
            throw new TableChangedException("no such table", null);
        }
        return columns;
    }

    @Override
    public void insert(String table, WritePlan plan, RowBuffer rows) {
        if (!failures.isEmpty()) {
            throw failures.pop();
        }
        byte[] bytes = rows.toByteArray();
        for (int row = HEADER_BYTES; row < bytes.length && !refused.isEmpty(); row += Long.BYTES) {
            if (refused.contains((int) bytes[row])) {
                refusals++;
                throw new RowsRefusedException("Code: 469. Constraint `allowed` is violated", null);
            }
        }
        inserts.add(new Insert(table, plan.columns().stream().map(TableColumn::name).toList(), rows.length()));
    }

    @Override
    public void close() {
        // Holds nothing.
    }
}
