package billinganalytics.connect;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.errors.DataException;
import org.apache.kafka.connect.sink.SinkRecord;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Writes batches of records into one table, one insert for each schema among them. */
final class TableWriter {
    private static final Logger LOG = LoggerFactory.getLogger(TableWriter.class);
    /** Refused inserts that a batch may cost: some ten for each bad record. After them, what is refused goes as a whole. */
    private static final int MAX_REFUSALS = 500;

    /** A record that does not fit the table. */
    record Rejected(SinkRecord record, DataException reason) {
        DataException explain() {
            return new DataException("Topic " + record.topic() + ", partition " + record.kafkaPartition() + ", offset "
                    + record.kafkaOffset() + ": " + reason.getMessage(), reason);
        }
    }

    /** A plan, or why there is none; the same for all records of a schema. */
    private record Planned(WritePlan plan, DataException impossible) {}

    /** What is in the buffer, and what of the batch is not. */
    private record Encoded(WritePlan plan, int rows, List<SinkRecord> others, List<Rejected> rejected) {}

    private final ClickHouse clickHouse;
    private final String table;
    private final RowBuffer buffer;
    private final boolean toleratesErrors;
    private final long refreshMs;
    private final LongSupplier nowMs;
    private final Map<Schema, Planned> plans = new HashMap<>();
    private List<TableColumn> columns = List.of();
    private long describedAtMs;
    private int refusals;
    private Schema lastSchema;
    private Planned lastPlanned;

    /**
     * @param buffer shared by the tables of a task, which are written one after the other
     * @throws TableChangedException when there is no such table
     */
    TableWriter(ClickHouse clickHouse, String table, RowBuffer buffer, SinkConfig config, LongSupplier nowMs) {
        this.clickHouse = clickHouse;
        this.table = table;
        this.buffer = buffer;
        this.toleratesErrors = config.toleratesErrors();
        this.refreshMs = config.tableRefreshMs();
        this.nowMs = nowMs;
        refresh();
    }

    /**
     * Writes all records that fit, in one insert unless their schemas differ, and returns the others. Before a record
     * or an insert is given up, the table is read again: it may have changed since. Where the server refuses a row,
     * the batch is halved until that row is alone.
     *
     * @throws DataException for the first record that does not fit, unless errors are tolerated: before anything of
     *     its schema is written
     * @throws RowsRefusedException when the server refuses a row, unless errors are tolerated
     * @throws org.apache.kafka.connect.errors.RetriableException when not all of the batch is known to be written and
     *     another attempt may succeed
     */
    List<Rejected> write(List<SinkRecord> records) {
        refusals = 0;
        return writeRefusable(records);
    }

    private List<Rejected> writeRefusable(List<SinkRecord> records) {
        boolean isFresh = isDue() || bringsNewSchema(records);
        if (isFresh) {
            refresh();
        }
        List<Rejected> rejected = new ArrayList<>();
        List<SinkRecord> rest = records;
        while (!rest.isEmpty()) {
            Encoded encoded = encodeFirstSchema(rest);
            try {
                if (!isFresh && !encoded.rejected().isEmpty()) {
                    isFresh = true;
                    if (refresh()) {
                        continue;
                    }
                }
                insert(encoded);
            } catch (TableChangedException e) {
                if (isFresh || !refresh()) {
                    throw e;
                }
                LOG.info("Table {} has changed, writing again: {}", table, e.getMessage());
                isFresh = true;
                continue;
            } catch (RowsRefusedException e) {
                if (!toleratesErrors) {
                    throw e;
                }
                rejected.addAll(writeHalves(rest, e));
                return rejected;
            }
            rejected.addAll(encoded.rejected());
            rest = encoded.others();
        }
        return rejected;
    }

    /** Of a batch that the server refused: the row it meant stays alone in the end. */
    private List<Rejected> writeHalves(List<SinkRecord> records, RowsRefusedException refusal) {
        refusals++;
        if (records.size() == 1 || refusals > MAX_REFUSALS) {
            DataException reason = new DataException(refusal.getMessage(), refusal);
            return records.stream().map(record -> new Rejected(record, reason)).toList();
        }
        int middle = records.size() / 2;
        List<Rejected> rejected = new ArrayList<>(writeRefusable(records.subList(0, middle)));
        rejected.addAll(writeRefusable(records.subList(middle, records.size())));
        return rejected;
    }

    /** Puts the records that share the first one's schema into the buffer. */
    private Encoded encodeFirstSchema(List<SinkRecord> records) {
        buffer.truncate(0);
        List<SinkRecord> others = new ArrayList<>();
        List<Rejected> rejected = new ArrayList<>();
        WritePlan plan = null;
        int rows = 0;
        for (SinkRecord record : records) {
            try {
                WritePlan own = planOf(record);
                if (plan == null) {
                    plan = own;
                    plan.writeHeader(buffer);
                }
                if (own == plan) {
                    plan.writeRow(buffer, (Struct) record.value());
                    rows++;
                } else {
                    others.add(record);
                }
            } catch (DataException e) {
                rejected.add(new Rejected(record, e));
            }
        }
        return new Encoded(plan, rows, others, rejected);
    }

    private void insert(Encoded encoded) {
        if (!toleratesErrors && !encoded.rejected().isEmpty()) {
            throw encoded.rejected().get(0).explain();
        }
        if (encoded.rows() > 0) {
            clickHouse.insert(table, encoded.plan(), buffer);
            LOG.debug("Inserted {} rows, {} bytes into {}", encoded.rows(), buffer.length(), table);
        }
    }

    private WritePlan planOf(SinkRecord record) {
        if (!(record.value() instanceof Struct struct)) {
            throw new DataException("the record has no schema: use a converter that brings one, such as Avro's");
        }
        // Converters and transforms cache schemas, so that nearly always it is the same object as before.
        if (struct.schema() != lastSchema) {
            lastPlanned = plans.computeIfAbsent(struct.schema(), this::plan);
            lastSchema = struct.schema();
        }
        if (lastPlanned.impossible() != null) {
            throw lastPlanned.impossible();
        }
        return lastPlanned.plan();
    }

    private Planned plan(Schema schema) {
        try {
            return new Planned(new WritePlan(columns, schema), null);
        } catch (DataException e) {
            return new Planned(null, e);
        }
    }

    private boolean isDue() {
        return refreshMs > 0 && nowMs.getAsLong() - describedAtMs >= refreshMs;
    }

    /** A new version of a schema often comes with a migration: its fields would be dropped for want of columns. */
    private boolean bringsNewSchema(List<SinkRecord> records) {
        for (SinkRecord record : records) {
            if (record.value() instanceof Struct struct && struct.schema() != lastSchema && !plans.containsKey(struct.schema())) {
                return true;
            }
        }
        return false;
    }

    /** Reads the table's columns; returns whether they differ from before, so that all plans had to go. */
    private boolean refresh() {
        List<TableColumn> described = clickHouse.describe(table);
        describedAtMs = nowMs.getAsLong();
        if (described.equals(columns)) {
            return false;
        }
        columns = described;
        plans.clear();
        lastSchema = null;
        return true;
    }
}
