package billinganalytics.connect;

import static billinganalytics.connect.ValueWriters.is;
import static billinganalytics.connect.ValueWriters.isLogical;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import org.apache.kafka.connect.data.Decimal;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.errors.DataException;

/** Writers of numbers and truth values; null where a schema never fits. */
final class NumberWriters {
    /** Bytes of a decimal by its precision: 9, 18, 38, 76 digits. */
    private static final int[][] DECIMAL_WIDTHS = {{9, 4}, {18, 8}, {38, 16}, {76, 32}};

    private NumberWriters() {}

    static ValueWriter bool(Schema schema) {
        if (is(schema, Schema.Type.BOOLEAN)) {
            return (out, value) -> out.writeByte((Boolean) value ? 1 : 0);
        }
        return isInteger(schema) ? (out, value) -> out.writeByte(((Number) value).longValue() == 0 ? 0 : 1) : null;
    }

    /** Only from the integer of the same width, as the official sink casts. */
    static ValueWriter signed(Schema schema, Schema.Type wanted, int width) {
        if (is(schema, Schema.Type.BOOLEAN)) {
            return (out, value) -> writeInteger(out, (Boolean) value ? 1 : 0, width);
        }
        return is(schema, wanted) ? (out, value) -> writeInteger(out, ((Number) value).longValue(), width) : null;
    }

    static ValueWriter unsigned(Schema schema, int width) {
        if (is(schema, Schema.Type.BOOLEAN)) {
            return (out, value) -> writeInteger(out, (Boolean) value ? 1 : 0, width);
        }
        if (!isInteger(schema)) {
            return null;
        }
        long max = width == Long.BYTES ? Long.MAX_VALUE : (1L << 8 * width) - 1;
        return (out, value) -> {
            long number = ((Number) value).longValue();
            if (number < 0 || number > max) {
                throw new DataException(number + " is out of range");
            }
            writeInteger(out, number, width);
        };
    }

    private static void writeInteger(RowBuffer out, long value, int width) {
        switch (width) {
            case Byte.BYTES -> out.writeByte((int) value);
            case Short.BYTES -> out.writeShort((int) value);
            case Integer.BYTES -> out.writeInt((int) value);
            default -> out.writeLong(value);
        }
    }

    static ValueWriter decimal(Schema schema, ClickHouseType type) {
        if (!Decimal.LOGICAL_NAME.equals(schema.name())) {
            return null;
        }
        int precision = type.number(0);
        int scale = type.number(1);
        int width = 0;
        for (int[] candidate : DECIMAL_WIDTHS) {
            if (width == 0 && precision <= candidate[0]) {
                width = candidate[1];
            }
        }
        int bytes = width;
        BigInteger limit = BigInteger.TEN.pow(precision);
        return (out, value) -> {
            BigInteger unscaled;
            try {
                unscaled = ((BigDecimal) value).setScale(scale, RoundingMode.UNNECESSARY).unscaledValue();
            } catch (ArithmeticException e) {
                throw new DataException("the number has more than " + scale + " decimal places", e);
            }
            if (unscaled.abs().compareTo(limit) >= 0) {
                throw new DataException("the number has more than " + precision + " digits");
            }
            writeLittleEndian(out, unscaled, bytes);
        };
    }

    private static void writeLittleEndian(RowBuffer out, BigInteger value, int width) {
        byte[] bigEndian = value.toByteArray();
        for (int at = bigEndian.length - 1; at >= 0; at--) {
            out.writeByte(bigEndian[at]);
        }
        int sign = value.signum() < 0 ? 0xFF : 0;
        for (int at = bigEndian.length; at < width; at++) {
            out.writeByte(sign);
        }
    }

    private static boolean isInteger(Schema schema) {
        return switch (schema.type()) {
            case INT8, INT16, INT32, INT64 -> !isLogical(schema);
            default -> false;
        };
    }
}
