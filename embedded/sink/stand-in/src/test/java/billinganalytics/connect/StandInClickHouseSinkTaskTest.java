package billinganalytics.connect;

import static billinganalytics.connect.FakeClickHouse.misfit;
import static billinganalytics.connect.FakeClickHouse.record;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.connect.errors.ConnectException;
import org.apache.kafka.connect.errors.RetriableException;
import org.apache.kafka.connect.sink.ErrantRecordReporter;
import org.apache.kafka.connect.sink.SinkRecord;
import org.apache.kafka.connect.sink.SinkTaskContext;
import org.junit.jupiter.api.Test;

class StandInClickHouseSinkTaskTest {
    private final FakeClickHouse clickHouse = new FakeClickHouse().table("one", "id", "Int64").table("two", "id", "Int64");
    private final List<String> reported = new ArrayList<>();
    private final List<Long> timeouts = new ArrayList<>();
    private final StandInClickHouseSinkTask task = task(Map.of("topic2TableMap", "a=one,b=one", "errors.tolerance", "all"));

    @Test
    void putsTopicsOfOneTableIntoOneInsert() {
        task.put(List.of(record("a", 0, 1), record("two", 0, 1), record("b", 0, 1)));
        assertEquals(List.of("one", "two"), clickHouse.inserts.stream().map(FakeClickHouse.Insert::table).toList());
    }

    @Test
    void skipsTombstones() {
        task.put(List.of(new SinkRecord("a", 0, null, "key", null, null, 1)));
        assertEquals(List.of(), clickHouse.inserts);
    }

    @Test
    void asksForTheBatchAgainSoonAndLaterEachTime() {
        for (int attempt = 0; attempt < 3; attempt++) {
            clickHouse.failures.add(new RetriableException("connection refused"));
            assertThrows(RetriableException.class, () -> task.put(List.of(record("a", 0, 1))));
        }
        task.put(List.of(record("a", 0, 1)));
        assertEquals(1, clickHouse.inserts.size());
        assertTrue(timeouts.get(0) <= 500 && timeouts.get(2) >= 1000, timeouts.toString());
    }

    @Test
    void reportsBadRecordsOnceWhenTheBatchIsWrittenAgain() {
        List<SinkRecord> batch = List.of(misfit("a", 1), record("a", 0, 2));
        clickHouse.failures.add(new RetriableException("connection refused"));
        assertThrows(RetriableException.class, () -> task.put(batch));
        task.put(batch);
        assertEquals(List.of("Topic a, partition 0, offset 1: column id: Not implemented conversion from Connect string to ClickHouse Int64"), reported);
    }

    @Test
    void namesTheTopicOfAMissingTable() {
        ConnectException failure = assertThrows(ConnectException.class, () -> task.put(List.of(record("c", 0, 1))));
        assertEquals("Table billing.c of topic c does not exist: create it, or map the topic to another with topic2TableMap", failure.getMessage());
    }

    @Test
    void failsOnAPermanentErrorAndForgetsTheBatch() {
        clickHouse.failures.add(new ConnectException("no such user"));
        assertThrows(ConnectException.class, () -> task.put(List.of(record("a", 0, 1))));
        task.put(List.of(record("two", 0, 1)));
        assertEquals(List.of("two"), clickHouse.inserts.stream().map(FakeClickHouse.Insert::table).toList());
    }

    private StandInClickHouseSinkTask task(Map<String, String> settings) {
        StandInClickHouseSinkTask made = new StandInClickHouseSinkTask(SinkConfigTest.config(settings), clickHouse);
        ErrantRecordReporter reporter = (record, error) -> {
            reported.add(error.getMessage());
            return CompletableFuture.completedFuture(null);
        };
        made.initialize((SinkTaskContext) Proxy.newProxyInstance(getClass().getClassLoader(), new Class<?>[] {SinkTaskContext.class},
                (proxy, method, arguments) -> switch (method.getName()) {
                    case "timeout" -> timeouts.add((Long) arguments[0]) ? null : null;
                    case "errantRecordReporter" -> reporter;
                    default -> throw new UnsupportedOperationException(method.getName());
                }));
        return made;
    }
}
