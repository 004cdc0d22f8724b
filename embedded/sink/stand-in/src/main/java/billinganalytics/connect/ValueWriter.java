package billinganalytics.connect;

/** Appends one value, never null, in the RowBinary of one column. */
@FunctionalInterface
interface ValueWriter {
    /** @throws org.apache.kafka.connect.errors.DataException when this value does not fit the column */
    void write(RowBuffer out, Object value);
}
