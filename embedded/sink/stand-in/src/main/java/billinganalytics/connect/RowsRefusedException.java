package billinganalytics.connect;

import org.apache.kafka.connect.errors.ConnectException;

/** The table refuses what some row says: the others would be taken without it. */
final class RowsRefusedException extends ConnectException {
    private static final long serialVersionUID = 1L;

    RowsRefusedException(String message, Throwable cause) {
        super(message, cause);
    }
}
