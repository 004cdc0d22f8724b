package billinganalytics.connect;

import com.clickhouse.client.api.ClickHouseException;
import com.clickhouse.client.api.ServerException;
import java.io.IOException;
import java.util.Set;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.connect.errors.ConnectException;
import org.apache.kafka.connect.errors.RetriableException;

/** Which failures pass by themselves, which call for another look at the table, and which need a person. */
final class ClickHouseErrors {
    /**
     * The codes that the official sink retries (its Utils.handleException): end of file, missing file, timeout,
     * read-only, too many queries, no free connection, socket timeout, network, memory limit, table is read-only,
     * too many parts, too few live replicas, unknown status of insert, system error, Keeper.
     */
    private static final Set<Integer> RETRIABLE =
            Set.of(3, 107, 159, 164, 202, 203, 209, 210, 241, 242, 252, 285, 319, 425, 999);

    /**
     * No such column (8, 10, 16, 47), rows that cannot be read (27, 33, 117, 131), another type (53), no such table (60):
     * what an insert meets after ALTER, RENAME or DROP. The names are in ClickHouse's src/Common/ErrorCodes.cpp.
     */
    private static final Set<Integer> TABLE_CHANGED = Set.of(8, 10, 16, 27, 33, 47, 53, 60, 117, 131);

    /** A materialized view's throwIf (395), a constraint of the table (469), an enum without that value (691). */
    private static final Set<Integer> ROWS_REFUSED = Set.of(395, 469, 691);

    /** A proxy's word for a server that is not there at the moment. */
    private static final Set<Integer> UNAVAILABLE = Set.of(502, 503, 504);

    private ClickHouseErrors() {}

    /**
     * @param what what failed, with its place: "Inserting 5 rows into billing.raw_payments at http://host:8123"
     */
    static ConnectException explain(String what, Exception failure) {
        boolean isTransport = false;
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof ServerException server) {
                return explain(what, server);
            }
            isTransport |= cause instanceof IOException || cause instanceof TimeoutException;
        }
        String message = what + " failed: " + innermost(failure);
        // The client's own faults that are no server's answer are broken or refused connections.
        boolean isRetriable = isTransport || failure instanceof ClickHouseException client && client.isRetryable();
        return isRetriable ? new RetriableException(message, failure) : new ConnectException(message, failure);
    }

    private static ConnectException explain(String what, ServerException failure) {
        String message = what + " failed: " + failure.getMessage();
        if (RETRIABLE.contains(failure.getCode()) || UNAVAILABLE.contains(failure.getTransportProtocolCode())) {
            return new RetriableException(message, failure);
        }
        if (ROWS_REFUSED.contains(failure.getCode())) {
            return new RowsRefusedException(message, failure);
        }
        return TABLE_CHANGED.contains(failure.getCode())
                ? new TableChangedException(message, failure)
                : new ConnectException(message, failure);
    }

    private static String innermost(Throwable failure) {
        Throwable cause = failure;
        while (cause.getCause() != null) {
            cause = cause.getCause();
        }
        return cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage();
    }
}
