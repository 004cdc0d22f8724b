package billinganalytics.connect;

import java.io.IOException;
import java.io.OutputStream;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** A growing buffer of RowBinary: little-endian numbers, strings with their length in front. Reused from batch to batch. */
final class RowBuffer {
    private static final VarHandle SHORT = MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle INT = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    private byte[] bytes = new byte[1 << 16];
    private int length;

    int length() {
        return length;
    }

    /** Forgets everything written after the first {@code newLength} bytes: how a row that failed half-way is undone. */
    void truncate(int newLength) {
        length = newLength;
    }

    void writeByte(int value) {
        reserve(1);
        bytes[length++] = (byte) value;
    }

    void writeShort(int value) {
        reserve(Short.BYTES);
        SHORT.set(bytes, length, (short) value);
        length += Short.BYTES;
    }

    void writeInt(int value) {
        reserve(Integer.BYTES);
        INT.set(bytes, length, value);
        length += Integer.BYTES;
    }

    void writeLong(long value) {
        reserve(Long.BYTES);
        LONG.set(bytes, length, value);
        length += Long.BYTES;
    }

    /** Unsigned LEB128, as ClickHouse writes lengths. */
    void writeLength(int value) {
        int rest = value;
        while (rest >= 0x80) {
            writeByte(rest & 0x7f | 0x80);
            rest >>>= 7;
        }
        writeByte(rest);
    }

    void writeBytes(byte[] value) {
        reserve(value.length);
        System.arraycopy(value, 0, bytes, length, value.length);
        length += value.length;
    }

    void writeZeros(int count) {
        reserve(count);
        Arrays.fill(bytes, length, length + count, (byte) 0);
        length += count;
    }

    void writeString(String value) {
        writeString(value.getBytes(StandardCharsets.UTF_8));
    }

    void writeString(byte[] value) {
        writeLength(value.length);
        writeBytes(value);
    }

    void copyTo(OutputStream output) throws IOException {
        output.write(bytes, 0, length);
    }

    byte[] toByteArray() {
        return Arrays.copyOf(bytes, length);
    }

    private void reserve(int count) {
        int needed = Math.addExact(length, count);
        if (needed > bytes.length) {
            bytes = Arrays.copyOf(bytes, (int) Math.max(needed, Math.min(bytes.length * 2L, Integer.MAX_VALUE - 8)));
        }
    }
}
