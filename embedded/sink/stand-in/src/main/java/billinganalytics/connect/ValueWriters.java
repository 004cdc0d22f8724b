package billinganalytics.connect;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.errors.DataException;

/**
 * Which Connect schema can be written into which ClickHouse type, and how.
 *
 * <p>It accepts what the official sink accepts and no more, so that a table that works here works there: an Avro int
 * does not go into an Int64. Where the official sink would cut a value off (a long into UInt32, digits of a decimal)
 * the value is refused instead.
 */
final class ValueWriters {
    private static final Pattern ENUM_VALUE = Pattern.compile("'((?:[^'\\\\]|\\\\.)*)'\\s*=\\s*(-?\\d+)");

    private ValueWriters() {}

    /** @throws DataException when values of this schema never fit this type */
    static ValueWriter of(ClickHouseType column, Schema schema) {
        ClickHouseType type = column.withoutWrappers();
        if (type.isNullable()) {
            return of(type.argument(0), schema);
        }
        ValueWriter writer = switch (type.name()) {
            case "String" -> string(schema);
            case "FixedString" -> fixedString(schema, type.number(0));
            case "UUID" -> is(schema, Schema.Type.STRING) ? ValueWriters::writeUuid : null;
            case "Enum8", "Enum16" -> is(schema, Schema.Type.STRING) ? enumeration(type) : null;
            case "Bool" -> NumberWriters.bool(schema);
            case "Int8" -> NumberWriters.signed(schema, Schema.Type.INT8, Byte.BYTES);
            case "Int16" -> NumberWriters.signed(schema, Schema.Type.INT16, Short.BYTES);
            case "Int32" -> NumberWriters.signed(schema, Schema.Type.INT32, Integer.BYTES);
            case "Int64" -> TimeWriters.isTimestamp(schema)
                    ? (out, value) -> out.writeLong(TimeWriters.millis(value))
                    : NumberWriters.signed(schema, Schema.Type.INT64, Long.BYTES);
            // Not from wider integers: the official sink casts to a byte.
            case "UInt8" -> is(schema, Schema.Type.INT8) || is(schema, Schema.Type.BOOLEAN)
                    ? NumberWriters.unsigned(schema, Byte.BYTES)
                    : null;
            case "UInt16" -> NumberWriters.unsigned(schema, Short.BYTES);
            case "UInt32" -> NumberWriters.unsigned(schema, Integer.BYTES);
            case "UInt64" -> NumberWriters.unsigned(schema, Long.BYTES);
            case "Float32" -> is(schema, Schema.Type.FLOAT32)
                    ? (out, value) -> out.writeInt(Float.floatToRawIntBits((Float) value))
                    : null;
            case "Float64" -> is(schema, Schema.Type.FLOAT64)
                    ? (out, value) -> out.writeLong(Double.doubleToRawLongBits((Double) value))
                    : null;
            case "Decimal" -> NumberWriters.decimal(schema, type);
            case "Date" -> TimeWriters.days(schema, 0, 0xFFFF, RowBuffer::writeShort);
            case "Date32" -> TimeWriters.days(schema, Integer.MIN_VALUE, Integer.MAX_VALUE, RowBuffer::writeInt);
            case "DateTime" -> TimeWriters.dateTime(schema);
            case "DateTime64" -> TimeWriters.dateTime64(schema, type.number(0));
            case "Array" -> array(schema, type);
            case "Map" -> map(schema, type);
            default -> null;
        };
        if (writer == null) {
            throw new DataException("Not implemented conversion from Connect " + describe(schema)
                    + " to ClickHouse " + column.text());
        }
        return writer;
    }

    static String describe(Schema schema) {
        return schema.name() == null ? schema.type().getName() : schema.type().getName() + " (" + schema.name() + ")";
    }

    private static ValueWriter string(Schema schema) {
        if (is(schema, Schema.Type.STRING)) {
            return (out, value) -> out.writeString((String) value);
        }
        return is(schema, Schema.Type.BYTES) ? (out, value) -> out.writeString(bytes(value)) : null;
    }

    private static ValueWriter fixedString(Schema schema, int width) {
        if (!is(schema, Schema.Type.STRING) && !is(schema, Schema.Type.BYTES)) {
            return null;
        }
        return (out, value) -> {
            byte[] content = value instanceof String text ? text.getBytes(StandardCharsets.UTF_8) : bytes(value);
            if (content.length > width) {
                throw new DataException(content.length + " bytes do not fit " + width);
            }
            out.writeBytes(content);
            out.writeZeros(width - content.length);
        };
    }

    private static void writeUuid(RowBuffer out, Object value) {
        UUID uuid;
        try {
            uuid = UUID.fromString((String) value);
        } catch (IllegalArgumentException e) {
            throw new DataException("the text is no UUID", e);
        }
        out.writeLong(uuid.getMostSignificantBits());
        out.writeLong(uuid.getLeastSignificantBits());
    }

    private static ValueWriter enumeration(ClickHouseType type) {
        Map<String, Integer> numbers = new HashMap<>();
        for (String entry : type.arguments()) {
            Matcher matcher = ENUM_VALUE.matcher(entry);
            if (!matcher.matches()) {
                throw new DataException("The values of " + type.text() + " cannot be read");
            }
            numbers.put(matcher.group(1).replaceAll("\\\\(.)", "$1"), Integer.valueOf(matcher.group(2)));
        }
        boolean isWide = type.name().equals("Enum16");
        return (out, value) -> {
            Integer number = numbers.get(value);
            if (number == null) {
                throw new DataException("the enumeration has no such value");
            }
            if (isWide) {
                out.writeShort(number);
            } else {
                out.writeByte(number);
            }
        };
    }

    private static ValueWriter array(Schema schema, ClickHouseType type) {
        if (schema.type() != Schema.Type.ARRAY) {
            return null;
        }
        ValueWriter item = nested(type.argument(0), schema.valueSchema());
        return (out, value) -> {
            List<?> items = (List<?>) value;
            out.writeLength(items.size());
            for (Object element : items) {
                item.write(out, element);
            }
        };
    }

    private static ValueWriter map(Schema schema, ClickHouseType type) {
        if (schema.type() != Schema.Type.MAP) {
            return null;
        }
        ValueWriter key = nested(type.argument(0), schema.keySchema());
        ValueWriter item = nested(type.argument(1), schema.valueSchema());
        return (out, value) -> {
            Map<?, ?> entries = (Map<?, ?>) value;
            out.writeLength(entries.size());
            entries.forEach((name, element) -> {
                key.write(out, name);
                item.write(out, element);
            });
        };
    }

    /** A value inside an array or a map, which may be null where the type allows it. */
    private static ValueWriter nested(ClickHouseType type, Schema schema) {
        ValueWriter writer = of(type, schema);
        boolean isNullable = type.withoutWrappers().isNullable();
        return (out, value) -> {
            if (value == null && !isNullable) {
                throw new DataException("it holds null, which " + type.text() + " does not take");
            }
            if (isNullable) {
                out.writeByte(value == null ? 1 : 0);
            }
            if (value != null) {
                writer.write(out, value);
            }
        };
    }

    /** A plain type: logical ones such as Decimal arrive as other Java classes. Enums keep being strings. */
    static boolean is(Schema schema, Schema.Type type) {
        return schema.type() == type && (type == Schema.Type.STRING || !isLogical(schema));
    }

    static boolean isLogical(Schema schema) {
        return schema.name() != null && schema.name().startsWith("org.apache.kafka.connect.data.");
    }

    /** Connect's bytes are an array or, from some converters, a buffer. */
    private static byte[] bytes(Object value) {
        if (value instanceof byte[] array) {
            return array;
        }
        ByteBuffer buffer = ((ByteBuffer) value).duplicate();
        byte[] copy = new byte[buffer.remaining()];
        buffer.get(copy);
        return copy;
    }
}
