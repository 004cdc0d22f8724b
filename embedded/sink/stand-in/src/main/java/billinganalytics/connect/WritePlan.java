package billinganalytics.connect;

import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.connect.data.Field;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.errors.DataException;

/**
 * How records of one schema become rows of one table: worked out once, so that a row costs no look-up by name.
 *
 * <p>Columns are those that the table and the record share; ClickHouse fills the others from their defaults. A field
 * without a column is dropped, as the official sink does.
 */
final class WritePlan {
    /** The column takes null as null. */
    private static final byte NULL = 0;
    /** The column takes its default where the record has null. */
    private static final byte DEFAULT = 1;
    /** The column takes no null. */
    private static final byte REFUSE = 2;

    private final List<TableColumn> columns = new ArrayList<>();
    private final Field[] fields;
    private final ValueWriter[] writers;
    private final boolean[] isNullable;
    private final byte[] onNull;
    private final boolean usesDefaults;

    /** @throws DataException when records of this schema never fit this table */
    WritePlan(List<TableColumn> table, Schema schema) {
        List<Field> shared = new ArrayList<>();
        for (TableColumn column : table) {
            Field field = schema.field(column.name());
            if (field != null) {
                shared.add(field);
                columns.add(column);
            } else if (!column.hasDefault() && !column.isNullable()) {
                // ClickHouse would put in zeros and empty strings. The official sink refuses, in these words.
                throw new DataException("Data schema validation failed: the record has no field for column " + column.name()
                        + ", which is neither Nullable nor has a DEFAULT");
            }
        }
        if (columns.isEmpty()) {
            throw new DataException("Data schema validation failed: the record and the table share no column");
        }
        int count = columns.size();
        fields = shared.toArray(new Field[count]);
        writers = new ValueWriter[count];
        isNullable = new boolean[count];
        onNull = new byte[count];
        boolean anyDefault = false;
        for (int at = 0; at < count; at++) {
            TableColumn column = columns.get(at);
            writers[at] = writer(column, fields[at]);
            isNullable[at] = column.isNullable();
            onNull[at] = column.hasDefault() ? DEFAULT : column.isNullable() ? NULL : REFUSE;
            anyDefault |= onNull[at] == DEFAULT && fields[at].schema().isOptional();
        }
        usesDefaults = anyDefault;
    }

    List<TableColumn> columns() {
        return columns;
    }

    /**
     * Whether rows are RowBinaryWithDefaults: needed where a null stands for a default. Otherwise they are
     * RowBinaryWithNamesAndTypes, whose header lets ClickHouse notice that the table has changed since it was read.
     */
    boolean usesDefaults() {
        return usesDefaults;
    }

    void writeHeader(RowBuffer out) {
        if (usesDefaults) {
            return;
        }
        out.writeLength(columns.size());
        columns.forEach(column -> out.writeString(column.name()));
        columns.forEach(column -> out.writeString(column.type().text()));
    }

    /**
     * Appends one row; a row that fails leaves the buffer as it was.
     *
     * @throws DataException naming the column whose value does not fit
     */
    void writeRow(RowBuffer out, Struct record) {
        int start = out.length();
        int at = 0;
        try {
            for (; at < fields.length; at++) {
                writeValue(out, at, record.get(fields[at]));
            }
        } catch (DataException | ClassCastException e) {
            out.truncate(start);
            TableColumn column = columns.get(at);
            throw new DataException("field " + column.name() + " (" + ValueWriters.describe(fields[at].schema())
                    + ") does not fit its column of type " + column.type().text() + ": " + e.getMessage(), e);
        }
    }

    private void writeValue(RowBuffer out, int at, Object value) {
        if (value == null && onNull[at] == REFUSE) {
            throw new DataException("null into not nullable column");
        }
        boolean takesDefault = value == null && onNull[at] == DEFAULT;
        if (usesDefaults) {
            out.writeByte(takesDefault ? 1 : 0);
        }
        if (takesDefault) {
            return;
        }
        if (isNullable[at]) {
            out.writeByte(value == null ? 1 : 0);
        }
        if (value != null) {
            writers[at].write(out, value);
        }
    }

    private static ValueWriter writer(TableColumn column, Field field) {
        try {
            return ValueWriters.of(column.type(), field.schema());
        } catch (DataException e) {
            throw new DataException("column " + column.name() + ": " + e.getMessage(), e);
        }
    }
}
