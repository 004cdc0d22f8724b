package billinganalytics.connect;

/**
 * A column that an insert may name.
 *
 * @param hasDefault whether the table computes the column where a record has no value
 */
record TableColumn(String name, ClickHouseType type, boolean hasDefault) {
    boolean isNullable() {
        return type.withoutWrappers().isNullable();
    }
}
