package billinganalytics.connect;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigDecimal;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import org.apache.kafka.connect.data.Date;
import org.apache.kafka.connect.data.Decimal;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaBuilder;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.data.Timestamp;
import org.apache.kafka.connect.errors.DataException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class WritePlanTest {
    private static final TableColumn ID = column("id", "String", false);
    private static final Schema SCHEMA = SchemaBuilder.struct()
            .field("note", Schema.OPTIONAL_STRING_SCHEMA)
            .field("id", Schema.STRING_SCHEMA)
            .build();

    @Test
    void writesTheSharedColumnsInTheTablesOrder() {
        WritePlan plan = new WritePlan(List.of(ID, column("note", "Nullable(String)", false)), SCHEMA);
        assertEquals("0161" + "0001" + "62", row(plan, "a", "b"));
        assertEquals("0161" + "01", row(plan, "a", null));
    }

    @Test
    void announcesNamesAndTypesSoThatTheServerNoticesAChangedTable() {
        WritePlan plan = new WritePlan(List.of(ID, column("note", "Nullable(String)", false)), SCHEMA);
        RowBuffer out = new RowBuffer();
        plan.writeHeader(out);
        assertEquals("\2\2id\4note\6String\20Nullable(String)", new String(out.toByteArray(), java.nio.charset.StandardCharsets.UTF_8));
    }

    static Stream<Arguments> optionalValues() {
        return Stream.of(
                Arguments.of("LowCardinality(Nullable(String))", Schema.OPTIONAL_STRING_SCHEMA, "", "00" + "00"),
                Arguments.of("Nullable(Int32)", Schema.OPTIONAL_INT32_SCHEMA, 0, "00" + "00000000"),
                Arguments.of("Nullable(Int64)", Schema.OPTIONAL_INT64_SCHEMA, -1L, "00" + "ffffffffffffffff"),
                Arguments.of("Nullable(Bool)", Schema.OPTIONAL_BOOLEAN_SCHEMA, false, "00" + "00"),
                Arguments.of("Nullable(Float64)", Schema.OPTIONAL_FLOAT64_SCHEMA, 1.5, "00" + "000000000000f83f"),
                Arguments.of("Nullable(Decimal(9, 2))", Decimal.builder(2).optional().build(), new BigDecimal("-1.5"), "00" + "6affffff"),
                Arguments.of("Nullable(Date32)", Date.builder().optional().build(), new java.util.Date(-1), "00" + "ffffffff"),
                Arguments.of("Nullable(DateTime64(3, 'UTC'))", Timestamp.builder().optional().build(), new java.util.Date(1),
                        "00" + "0100000000000000"));
    }

    @ParameterizedTest
    @MethodSource("optionalValues")
    void marksWhetherAnOptionalValueIsThere(String type, Schema schema, Object value, String hex) {
        Schema record = SchemaBuilder.struct().field("note", schema).build();
        WritePlan plan = new WritePlan(List.of(column("note", type, false)), record);
        RowBuffer out = new RowBuffer();
        plan.writeRow(out, new Struct(record).put("note", value));
        plan.writeRow(out, new Struct(record));
        assertEquals(hex + "01", HexFormat.of().formatHex(out.toByteArray()));
    }

    @Test
    void marksDefaultsWhereANullStandsForOne() {
        WritePlan plan = new WritePlan(List.of(ID, column("note", "Nullable(String)", true)), SCHEMA);
        assertTrue(plan.usesDefaults());
        assertEquals("000161" + "00000162", row(plan, "a", "b"));
        assertEquals("000161" + "01", row(plan, "a", null));
    }

    @Test
    void leavesColumnsWithoutAFieldToTheirDefaultsAndDropsFieldsWithoutAColumn() {
        WritePlan plan = new WritePlan(List.of(ID, column("inserted_at", "DateTime", true), column("maybe", "Nullable(Int8)", false)), SCHEMA);
        assertEquals(List.of(ID), plan.columns());
        assertFalse(plan.usesDefaults());
    }

    @Test
    void refusesAColumnThatNothingFills() {
        DataException refusal = assertThrows(DataException.class, () -> new WritePlan(List.of(ID, column("amount", "Int64", false)), SCHEMA));
        assertEquals("Data schema validation failed: the record has no field for column amount, which is neither Nullable nor has a DEFAULT",
                refusal.getMessage());
    }

    @Test
    void undoesARowThatFailsHalfWayAndNamesTheField() {
        WritePlan plan = new WritePlan(List.of(ID, column("note", "String", false)), SCHEMA);
        RowBuffer out = new RowBuffer();
        plan.writeRow(out, record("a", "b"));
        int length = out.length();
        DataException refusal = assertThrows(DataException.class, () -> plan.writeRow(out, record("c", null)));
        assertEquals("field note (string) does not fit its column of type String: null into not nullable column", refusal.getMessage());
        assertEquals(length, out.length());
    }

    private static String row(WritePlan plan, String id, String note) {
        RowBuffer out = new RowBuffer();
        plan.writeRow(out, record(id, note));
        return HexFormat.of().formatHex(out.toByteArray());
    }

    private static Struct record(String id, String note) {
        return new Struct(SCHEMA).put("id", id).put("note", note);
    }

    private static TableColumn column(String name, String type, boolean hasDefault) {
        return new TableColumn(name, ClickHouseType.parse(type), hasDefault);
    }
}
