package billinganalytics.connect;

import java.util.ArrayList;
import java.util.List;

/**
 * A ClickHouse type as DESCRIBE prints it, taken apart: {@code Map(String, Array(Int64))} is {@code Map} with two
 * arguments. Arguments that are no types (a scale, a time zone, an enum's values) stay text.
 *
 * @param text the whole type, for messages and for the header of an insert
 * @param name what stands before the parenthesis
 * @param arguments what stands in it, split at its top-level commas
 */
record ClickHouseType(String text, String name, List<String> arguments) {
    static ClickHouseType parse(String text) {
        int open = text.indexOf('(');
        if (open < 0 || !text.endsWith(")")) {
            return new ClickHouseType(text, text, List.of());
        }
        return new ClickHouseType(text, text.substring(0, open), split(text.substring(open + 1, text.length() - 1)));
    }

    /** The type below the wrappers that change nothing in RowBinary. */
    ClickHouseType withoutWrappers() {
        return switch (name) {
            case "LowCardinality" -> argument(0).withoutWrappers();
            case "SimpleAggregateFunction" -> argument(1).withoutWrappers();
            default -> this;
        };
    }

    boolean isNullable() {
        return name.equals("Nullable");
    }

    ClickHouseType argument(int index) {
        return parse(arguments.get(index));
    }

    int number(int index) {
        return Integer.parseInt(arguments.get(index));
    }

    /** Splits at commas that are in no parenthesis and no quotes: enum values may hold both. */
    private static List<String> split(String arguments) {
        List<String> parts = new ArrayList<>();
        int depth = 0;
        boolean quoted = false;
        int start = 0;
        for (int at = 0; at < arguments.length(); at++) {
            char character = arguments.charAt(at);
            if (quoted) {
                if (character == '\\') {
                    at++;
                } else if (character == '\'') {
                    quoted = false;
                }
            } else if (character == '\'') {
                quoted = true;
            } else if (character == '(') {
                depth++;
            } else if (character == ')') {
                depth--;
            } else if (character == ',' && depth == 0) {
                parts.add(arguments.substring(start, at).trim());
                start = at + 1;
            }
        }
        parts.add(arguments.substring(start).trim());
        return List.copyOf(parts);
    }
}
