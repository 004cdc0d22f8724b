package billinganalytics.connect;

import java.util.List;

/** What the sink asks of a ClickHouse server. */
interface ClickHouse extends AutoCloseable {
    /**
     * Makes sure that the server answers and takes the login.
     *
     * @throws org.apache.kafka.connect.errors.ConnectException naming the server and the reason
     */
    void check();

    /**
     * The columns of a table that an insert may name, in the table's order.
     *
     * @throws TableChangedException when there is no such table
     */
    List<TableColumn> describe(String table);

    /**
     * Inserts the buffer's rows, in the plan's columns and format, and returns once the server has acknowledged them.
     *
     * @throws org.apache.kafka.connect.errors.RetriableException when the same insert may succeed later
     * @throws TableChangedException when the table does not match the plan
     * @throws RowsRefusedException when the table refuses a row, and so all of them
     * @throws org.apache.kafka.connect.errors.ConnectException when the insert can never succeed
     */
    void insert(String table, WritePlan plan, RowBuffer rows);

    @Override
    void close();
}
