package billinganalytics.connect;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Date;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.kafka.connect.data.Decimal;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaBuilder;
import org.apache.kafka.connect.data.Timestamp;
import org.apache.kafka.connect.errors.DataException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Expected bytes are those of ClickHouse's RowBinary, in hexadecimal. */
class ValueWritersTest {
    private static final Schema DAY = org.apache.kafka.connect.data.Date.SCHEMA;
    private static final Schema AVRO_ENUM = SchemaBuilder.string().name("billing.PaymentStatus").parameter("0", "captured").build();

    static Stream<Arguments> fittingValues() {
        return Stream.of(
                Arguments.of("String", Schema.STRING_SCHEMA, "né", "036ec3a9"),
                Arguments.of("String", Schema.STRING_SCHEMA, "", "00"),
                Arguments.of("LowCardinality(String)", Schema.STRING_SCHEMA, "\uD834\uDD1E", "04f09d849e"),
                Arguments.of("String", Schema.STRING_SCHEMA, "x".repeat(200), "c801" + "78".repeat(200)),
                Arguments.of("String", Schema.BYTES_SCHEMA, ByteBuffer.wrap(new byte[] {0, 10}), "02000a"),
                Arguments.of("LowCardinality(String)", AVRO_ENUM, "captured", "08" + "6361707475726564"),
                Arguments.of("FixedString(3)", Schema.STRING_SCHEMA, "EU", "455500"),
                Arguments.of("UUID", Schema.STRING_SCHEMA, "00112233-4455-6677-8899-aabbccddeeff", "7766554433221100ffeeddccbbaa9988"),
                Arguments.of("Enum8('a' = 1, 'b' = -1)", Schema.STRING_SCHEMA, "b", "ff"),
                Arguments.of("Enum16('a' = 300)", AVRO_ENUM, "a", "2c01"),
                Arguments.of("Bool", Schema.BOOLEAN_SCHEMA, true, "01"),
                Arguments.of("Bool", Schema.INT32_SCHEMA, 0, "00"),
                Arguments.of("Int8", Schema.INT8_SCHEMA, (byte) -2, "fe"),
                Arguments.of("Int16", Schema.INT16_SCHEMA, (short) -2, "feff"),
                Arguments.of("Int32", Schema.INT32_SCHEMA, -2, "feffffff"),
                Arguments.of("Int64", Schema.INT64_SCHEMA, -2L, "feffffffffffffff"),
                Arguments.of("Int64", Schema.BOOLEAN_SCHEMA, true, "0100000000000000"),
                Arguments.of("UInt8", Schema.BOOLEAN_SCHEMA, true, "01"),
                Arguments.of("UInt16", Schema.INT32_SCHEMA, 65535, "ffff"),
                Arguments.of("UInt32", Schema.INT64_SCHEMA, 4294967295L, "ffffffff"),
                Arguments.of("UInt64", Schema.INT64_SCHEMA, Long.MAX_VALUE, "ffffffffffffff7f"),
                Arguments.of("Float32", Schema.FLOAT32_SCHEMA, 1.5f, "0000c03f"),
                Arguments.of("Float64", Schema.FLOAT64_SCHEMA, 1.5, "000000000000f83f"),
                Arguments.of("Decimal(9, 2)", Decimal.schema(2), new BigDecimal("-1.5"), "6affffff"),
                Arguments.of("Decimal(38, 12)", Decimal.schema(12), new BigDecimal("1"), "0010a5d4e80000000000000000000000"),
                Arguments.of("Decimal(38, 12)", Decimal.schema(12), new BigDecimal("99999999999999999999999999.999999999999"),
                        "ffffffff3f228a097ac4865aa84c3b4b"),
                Arguments.of("Decimal(38, 12)", Decimal.schema(12), new BigDecimal("-99999999999999999999999999.999999999999"),
                        "01000000c0dd75f6853b79a557b3c4b4"),
                Arguments.of("Date", DAY, new Date(86_400_000L * 2), "0200"),
                Arguments.of("Date32", DAY, new Date(-1), "ffffffff"),
                Arguments.of("Date32", DAY, new Date(-25_567L * 86_400_000L), "219cffff"),
                Arguments.of("DateTime", Timestamp.SCHEMA, new Date(1999), "01000000"),
                Arguments.of("DateTime('UTC')", Schema.STRING_SCHEMA, "1970-01-01T01:00:02+01:00", "02000000"),
                Arguments.of("DateTime64(3, 'UTC')", Timestamp.SCHEMA, new Date(1), "0100000000000000"),
                Arguments.of("DateTime64(6, 'UTC')", Timestamp.SCHEMA, new Date(1), "e803000000000000"),
                Arguments.of("DateTime64(0)", Timestamp.SCHEMA, new Date(-1), "ffffffffffffffff"),
                Arguments.of("DateTime64(3)", Schema.INT64_SCHEMA, 7L, "0700000000000000"),
                Arguments.of("DateTime64(3)", Schema.STRING_SCHEMA, "1970-01-01T00:00:01.002Z", "ea03000000000000"),
                Arguments.of("Array(String)", SchemaBuilder.array(Schema.STRING_SCHEMA).build(), List.of("a", ""), "02016100"),
                Arguments.of("Array(Nullable(Int32))", SchemaBuilder.array(Schema.OPTIONAL_INT32_SCHEMA).build(),
                        Arrays.asList(1, null), "02" + "0001000000" + "01"),
                Arguments.of("Map(String, Int64)", SchemaBuilder.map(Schema.STRING_SCHEMA, Schema.INT64_SCHEMA).build(),
                        Map.of("k", 1L), "01" + "016b" + "0100000000000000"));
    }

    @ParameterizedTest
    @MethodSource("fittingValues")
    void writesWhatFits(String type, Schema schema, Object value, String hex) {
        RowBuffer out = new RowBuffer();
        ValueWriters.of(ClickHouseType.parse(type), schema).write(out, value);
        assertEquals(hex, HexFormat.of().formatHex(out.toByteArray()));
    }

    static Stream<Arguments> schemasThatNeverFit() {
        return Stream.of(
                Arguments.of("Int64", Schema.INT32_SCHEMA),
                Arguments.of("Int32", Schema.INT64_SCHEMA),
                Arguments.of("Int8", Schema.INT32_SCHEMA),
                Arguments.of("UInt8", Schema.INT32_SCHEMA),
                Arguments.of("UInt64", Timestamp.SCHEMA),
                Arguments.of("Int64", Schema.STRING_SCHEMA),
                Arguments.of("Float64", Schema.FLOAT32_SCHEMA),
                Arguments.of("String", Decimal.schema(2)),
                Arguments.of("String", Schema.INT32_SCHEMA),
                Arguments.of("Decimal(38, 12)", Schema.BYTES_SCHEMA),
                Arguments.of("DateTime64(3)", Schema.INT32_SCHEMA),
                Arguments.of("Array(Int64)", SchemaBuilder.array(Schema.STRING_SCHEMA).build()),
                Arguments.of("IPv4", Schema.STRING_SCHEMA),
                Arguments.of("AggregateFunction(groupBitmap, UInt64)", Schema.INT64_SCHEMA));
    }

    @ParameterizedTest
    @MethodSource("schemasThatNeverFit")
    void refusesSchemasThatTheOfficialSinkRefuses(String type, Schema schema) {
        DataException refusal = assertThrows(DataException.class, () -> ValueWriters.of(ClickHouseType.parse(type), schema));
        assertTrue(refusal.getMessage().startsWith("Not implemented conversion from Connect "), refusal.getMessage());
    }

    static Stream<Arguments> valuesThatDoNotFit() {
        return Stream.of(
                Arguments.of("UInt16", Schema.INT32_SCHEMA, 65536, "65536 is out of range"),
                Arguments.of("UInt32", Schema.INT64_SCHEMA, -1L, "-1 is out of range"),
                Arguments.of("FixedString(1)", Schema.STRING_SCHEMA, "EU", "2 bytes do not fit 1"),
                Arguments.of("UUID", Schema.STRING_SCHEMA, "17", "the text is no UUID"),
                Arguments.of("Enum8('a' = 1)", Schema.STRING_SCHEMA, "b", "the enumeration has no such value"),
                Arguments.of("Decimal(9, 2)", Decimal.schema(3), new BigDecimal("0.001"), "the number has more than 2 decimal places"),
                Arguments.of("Decimal(9, 2)", Decimal.schema(2), new BigDecimal("10000000.00"), "the number has more than 9 digits"),
                Arguments.of("Date", DAY, new Date(-1), "day -1 is out of range"),
                Arguments.of("DateTime", Timestamp.SCHEMA, new Date(-1), "-1 s since 1970 is out of range"),
                Arguments.of("DateTime64(9)", Timestamp.SCHEMA, new Date(Long.MAX_VALUE), "the time is out of range"),
                Arguments.of("DateTime64(3)", Schema.STRING_SCHEMA, "yesterday", "the text is no ISO 8601 time with an offset"),
                Arguments.of("Array(String)", SchemaBuilder.array(Schema.OPTIONAL_STRING_SCHEMA).build(),
                        Arrays.asList((Object) null), "it holds null, which String does not take"));
    }

    @ParameterizedTest
    @MethodSource("valuesThatDoNotFit")
    void refusesValuesInsteadOfCuttingThemOff(String type, Schema schema, Object value, String message) {
        ValueWriter writer = ValueWriters.of(ClickHouseType.parse(type), schema);
        DataException refusal = assertThrows(DataException.class, () -> writer.write(new RowBuffer(), value));
        assertEquals(message, refusal.getMessage());
    }

    @Test
    void growsTheBufferWithoutLosingWhatIsInIt() {
        RowBuffer out = new RowBuffer();
        for (int count = 0; count < 100_000; count++) {
            out.writeLong(count);
        }
        assertEquals(99_999, ByteBuffer.wrap(out.toByteArray()).order(java.nio.ByteOrder.LITTLE_ENDIAN).getLong(8 * 99_999));
    }
}
