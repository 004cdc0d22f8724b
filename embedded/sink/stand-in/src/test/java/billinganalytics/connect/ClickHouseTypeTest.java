package billinganalytics.connect;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

class ClickHouseTypeTest {
    @Test
    void splitsArgumentsAtTheTopLevelOnly() {
        ClickHouseType type = ClickHouseType.parse("Map(String, Array(Decimal(38, 12)))");
        assertEquals("Map", type.name());
        assertEquals(List.of("String", "Array(Decimal(38, 12))"), type.arguments());
        assertEquals(12, type.argument(1).argument(0).number(1));
    }

    @Test
    void keepsCommasAndParenthesesOfEnumValues() {
        ClickHouseType type = ClickHouseType.parse("Enum8('a, (b)' = 1, 'it\\'s' = -2)");
        assertEquals(List.of("'a, (b)' = 1", "'it\\'s' = -2"), type.arguments());
    }

    @Test
    void looksThroughWrappersThatChangeNothingInRowBinary() {
        assertEquals("Nullable", ClickHouseType.parse("LowCardinality(Nullable(String))").withoutWrappers().name());
        assertEquals("UInt64", ClickHouseType.parse("SimpleAggregateFunction(sum, UInt64)").withoutWrappers().name());
        assertTrue(ClickHouseType.parse("LowCardinality(Nullable(String))").withoutWrappers().isNullable());
        assertFalse(ClickHouseType.parse("LowCardinality(String)").withoutWrappers().isNullable());
    }
}
