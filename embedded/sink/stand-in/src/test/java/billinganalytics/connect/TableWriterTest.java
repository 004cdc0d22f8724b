package billinganalytics.connect;

import static billinganalytics.connect.FakeClickHouse.HEADER_BYTES;
import static billinganalytics.connect.FakeClickHouse.misfit;
import static billinganalytics.connect.FakeClickHouse.nextRecord;
import static billinganalytics.connect.FakeClickHouse.record;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.kafka.connect.errors.DataException;
import org.apache.kafka.connect.sink.SinkRecord;
import org.junit.jupiter.api.Test;

class TableWriterTest {
    private final FakeClickHouse clickHouse = new FakeClickHouse().table("t", "id", "Int64");
    private long nowMs;

    @Test
    void insertsTheRecordsOfAllPartitionsAtOnce() {
        writer(Map.of()).write(List.of(record("a", 0, 7), record("a", 1, 3), record("a", 2, 9)));
        assertEquals(List.of(new FakeClickHouse.Insert("t", List.of("id"), HEADER_BYTES + 3 * 8)), clickHouse.inserts);
    }

    @Test
    void insertsEachSchemaInItsOwnColumns() {
        TableWriter writer = writer(Map.of());
        clickHouse.table("t", "id", "Int64", "note", "Nullable(String)");
        writer.write(List.of(record("a", 0, 1), nextRecord("a", 2), record("a", 0, 3)));
        assertEquals(List.of(List.of("id"), List.of("id", "note")), clickHouse.inserts.stream().map(FakeClickHouse.Insert::columns).toList());
    }

    @Test
    void looksAtTheTableOnceForEachNewSchemaOnly() {
        TableWriter writer = writer(Map.of());
        writer.write(List.of(record("a", 0, 1)));
        writer.write(List.of(record("a", 0, 2)));
        assertEquals(2, clickHouse.describes);
    }

    @Test
    void looksAtTheTableAgainAfterTheRefreshInterval() {
        TableWriter writer = writer(Map.of("tableRefreshInterval", "10"));
        writer.write(List.of(record("a", 0, 1)));
        nowMs = 10_000;
        writer.write(List.of(record("a", 0, 2)));
        assertEquals(3, clickHouse.describes);
    }

    @Test
    void writesABatchAgainWhenTheTableHasChanged() {
        TableWriter writer = writer(Map.of());
        writer.write(List.of(record("a", 0, 1)));
        clickHouse.table("t", "id", "Nullable(Int64)");
        clickHouse.failures.add(new TableChangedException("type of id", null));
        writer.write(List.of(record("a", 0, 2)));
        assertEquals(2, clickHouse.inserts.size());
        assertEquals(HEADER_BYTES + "Nullable()".length() + 1 + 8, clickHouse.inserts.get(1).bytes());
    }

    @Test
    void givesUpWhenTheTableIsStillTheSame() {
        TableWriter writer = writer(Map.of());
        writer.write(List.of(record("a", 0, 1)));
        clickHouse.failures.add(new TableChangedException("no such column", null));
        assertThrows(TableChangedException.class, () -> writer.write(List.of(record("a", 0, 2))));
    }

    @Test
    void returnsTheRecordsThatDoNotFitWhereErrorsAreTolerated() {
        List<TableWriter.Rejected> rejected = writer(Map.of("errors.tolerance", "all"))
                .write(List.of(misfit("a", 1), record("a", 0, 2), misfit("a", 3)));
        assertEquals(List.of(1L, 3L), rejected.stream().map(one -> one.record().kafkaOffset()).toList());
        assertEquals(HEADER_BYTES + 8, clickHouse.inserts.get(0).bytes());
    }

    @Test
    void failsBeforeItWritesWhereErrorsAreNotTolerated() {
        TableWriter writer = writer(Map.of());
        DataException failure = assertThrows(DataException.class, () -> writer.write(List.of(record("a", 0, 1), misfit("a", 2))));
        assertEquals("Topic a, partition 0, offset 2: column id: Not implemented conversion from Connect string to ClickHouse Int64",
                failure.getMessage());
        assertEquals(List.of(), clickHouse.inserts);
    }

    @Test
    void looksAtTheTableAgainBeforeItGivesUpARecord() {
        TableWriter writer = writer(Map.of("errors.tolerance", "all"));
        writer.write(List.of(misfit("a", 1)));
        clickHouse.table("t", "id", "String");
        assertEquals(List.of(), writer.write(List.of(misfit("a", 2))));
    }

    @Test
    void givesUpOnlyTheRowsThatTheServerRefuses() {
        clickHouse.refused.addAll(List.of(3, 90));
        List<TableWriter.Rejected> rejected = writer(Map.of("errors.tolerance", "all")).write(records(100));
        assertEquals(List.of(3L, 90L), rejected.stream().map(one -> one.record().kafkaOffset()).toList());
        assertEquals("Topic a, partition 0, offset 3: Code: 469. Constraint `allowed` is violated", rejected.get(0).explain().getMessage());
        assertEquals(98, rowsInserted());
    }

    @Test
    void givesUpARefusedBatchAsAWholeRatherThanRowByRow() {
        clickHouse.refused.addAll(IntStream.range(0, 128).boxed().toList());
        TableWriter writer = writer(Map.of("errors.tolerance", "all"));
        List<SinkRecord> records = IntStream.range(0, 5000).mapToObj(at -> record("a", 0, at % 128)).toList();
        assertEquals(5000, writer.write(records).size());
        assertTrue(clickHouse.refusals <= 510, "but asked " + clickHouse.refusals + " times");
        clickHouse.refused.clear();
        assertEquals(List.of(), writer.write(records));
    }

    @Test
    void failsOnARefusedRowWhereErrorsAreNotTolerated() {
        clickHouse.refused.add(3);
        assertThrows(RowsRefusedException.class, () -> writer(Map.of()).write(records(10)));
    }

    private static List<SinkRecord> records(int count) {
        return IntStream.range(0, count).mapToObj(at -> record("a", 0, at)).toList();
    }

    private long rowsInserted() {
        return clickHouse.inserts.stream().mapToLong(insert -> (insert.bytes() - HEADER_BYTES) / Long.BYTES).sum();
    }

    private TableWriter writer(Map<String, String> settings) {
        return new TableWriter(clickHouse, "t", new RowBuffer(), SinkConfigTest.config(settings), () -> nowMs);
    }
}
