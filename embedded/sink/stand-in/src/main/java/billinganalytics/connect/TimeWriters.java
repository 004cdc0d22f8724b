package billinganalytics.connect;

import static billinganalytics.connect.ValueWriters.is;

import java.time.DateTimeException;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.connect.data.Date;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.Timestamp;
import org.apache.kafka.connect.errors.DataException;

/** Writers of dates and times; null where a schema never fits. */
final class TimeWriters {
    private TimeWriters() {}

    @FunctionalInterface
    interface IntWriter {
        void write(RowBuffer out, int value);
    }

    static ValueWriter days(Schema schema, int min, int max, IntWriter writer) {
        if (schema.type() != Schema.Type.INT32 || schema.name() != null && !Date.LOGICAL_NAME.equals(schema.name())) {
            return null;
        }
        return (out, value) -> {
            long day = value instanceof java.util.Date date
                    ? Math.floorDiv(date.getTime(), TimeUnit.DAYS.toMillis(1))
                    : (Integer) value;
            if (day < min || day > max) {
                throw new DataException("day " + day + " is out of range");
            }
            writer.write(out, (int) day);
        };
    }

    /** Seconds since 1970 in 32 unsigned bits. */
    static ValueWriter dateTime(Schema schema) {
        if (isTimestamp(schema)) {
            return (out, value) -> writeSeconds(out, Math.floorDiv(millis(value), 1000));
        }
        if (is(schema, Schema.Type.STRING)) {
            return (out, value) -> writeSeconds(out, parseInstant(value).getEpochSecond());
        }
        boolean isPlain = is(schema, Schema.Type.INT32) || is(schema, Schema.Type.INT64);
        return isPlain ? (out, value) -> writeSeconds(out, ((Number) value).longValue()) : null;
    }

    private static void writeSeconds(RowBuffer out, long seconds) {
        if (seconds < 0 || seconds > 0xFFFFFFFFL) {
            throw new DataException(seconds + " s since 1970 is out of range");
        }
        out.writeInt((int) seconds);
    }

    /** Ticks of 10^-precision seconds. A plain long is written as it is, as the official sink does. */
    static ValueWriter dateTime64(Schema schema, int precision) {
        if (isTimestamp(schema)) {
            if (precision == 3) {
                return (out, value) -> out.writeLong(millis(value));
            }
            return (out, value) -> out.writeLong(rescale(millis(value), 3, precision));
        }
        if (is(schema, Schema.Type.STRING)) {
            return (out, value) -> {
                Instant instant = parseInstant(value);
                long seconds = rescale(instant.getEpochSecond(), 0, precision);
                out.writeLong(Math.addExact(seconds, rescale(instant.getNano(), 9, precision)));
            };
        }
        return is(schema, Schema.Type.INT64) ? (out, value) -> out.writeLong((Long) value) : null;
    }

    private static long rescale(long ticks, int from, int to) {
        try {
            return to >= from ? Math.multiplyExact(ticks, pow10(to - from)) : Math.floorDiv(ticks, pow10(from - to));
        } catch (ArithmeticException e) {
            throw new DataException("the time is out of range", e);
        }
    }

    private static long pow10(int exponent) {
        long power = 1;
        for (int at = 0; at < exponent; at++) {
            power *= 10;
        }
        return power;
    }

    private static Instant parseInstant(Object value) {
        try {
            return ZonedDateTime.parse((String) value).toInstant();
        } catch (DateTimeException e) {
            throw new DataException("the text is no ISO 8601 time with an offset", e);
        }
    }

    static boolean isTimestamp(Schema schema) {
        return Timestamp.LOGICAL_NAME.equals(schema.name());
    }

    static long millis(Object timestamp) {
        return ((java.util.Date) timestamp).getTime();
    }
}
