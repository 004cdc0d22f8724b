package billinganalytics.connect;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.clickhouse.client.api.ConnectionInitiationException;
import com.clickhouse.client.api.ServerException;
import java.io.IOException;
import java.net.ConnectException;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.connect.errors.RetriableException;
import org.junit.jupiter.api.Test;

class ClickHouseErrorsTest {
    @Test
    void retriesWhatPassesByItself() {
        assertKind(RetriableException.class, new ExecutionException(new ServerException(252, "Code: 252. Too many parts", 500)));
        assertKind(RetriableException.class, new ServerException(0, "Service Unavailable", 503));
        assertKind(RetriableException.class, new ConnectionInitiationException("no", new ConnectException("Connection refused")));
        assertKind(RetriableException.class, new ExecutionException(new IOException("Broken pipe")));
    }

    @Test
    void looksAtTheTableAgainWhenTheRowsDoNotMatchIt() {
        assertKind(TableChangedException.class, new ServerException(16, "Code: 16. No such column", 404));
        assertKind(TableChangedException.class, new ServerException(117, "Code: 117. Type of id must be Int32", 400));
    }

    @Test
    void tellsARefusedRowFromARefusedInsert() {
        assertKind(RowsRefusedException.class, new ServerException(469, "Code: 469. Constraint `positive` is violated", 500));
    }

    @Test
    void failsOnWhatNeedsAPerson() {
        assertKind(org.apache.kafka.connect.errors.ConnectException.class, new ServerException(516, "Code: 516. Authentication failed", 403));
        assertKind(org.apache.kafka.connect.errors.ConnectException.class, new IllegalStateException("bug"));
    }

    @Test
    void saysWhatFailedAndWhy() {
        ServerException failure = new ServerException(516, "Code: 516. Authentication failed", 403);
        assertEquals("Inserting failed: Code: 516. Authentication failed", ClickHouseErrors.explain("Inserting", new ExecutionException(failure)).getMessage());
        assertEquals("Inserting failed: Connection refused",
                ClickHouseErrors.explain("Inserting", new IOException("outer", new ConnectException("Connection refused"))).getMessage());
    }

    private static void assertKind(Class<?> kind, Exception failure) {
        assertEquals(kind, ClickHouseErrors.explain("Inserting", failure).getClass());
    }
}
