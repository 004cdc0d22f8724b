package billinganalytics.connect;

import org.apache.kafka.connect.errors.ConnectException;

/** The server's answer shows that the table is not, or no longer, what it was described to be. */
final class TableChangedException extends ConnectException {
    private static final long serialVersionUID = 1L;

    TableChangedException(String message, Throwable cause) {
        super(message, cause);
    }
}
