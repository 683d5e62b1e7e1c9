#include "type_name.h"

#include <string.h>

static const char *const plain_names[] = {
    [CELL_NULL] = "NULL",           [CELL_BOOLEAN] = "BOOLEAN",  [CELL_INT8] = "TINYINT",
    [CELL_INT16] = "SMALLINT",      [CELL_INT32] = "INTEGER",    [CELL_INT64] = "BIGINT",
    [CELL_UINT8] = "UTINYINT",      [CELL_UINT16] = "USMALLINT", [CELL_UINT32] = "UINTEGER",
    [CELL_UINT64] = "UBIGINT",      [CELL_FLOAT16] = "FLOAT16",  [CELL_FLOAT32] = "REAL",
    [CELL_FLOAT64] = "DOUBLE",      [CELL_DATE_DAY] = "DATE",    [CELL_DATE_MS] = "DATE",
    [CELL_DURATION] = "INTERVAL",   [CELL_MONTHS] = "INTERVAL",  [CELL_DAY_TIME] = "INTERVAL",
    [CELL_MONTH_NANO] = "INTERVAL", [CELL_TEXT] = "VARCHAR",     [CELL_TEXT_LARGE] = "VARCHAR",
    [CELL_TEXT_VIEW] = "VARCHAR",   [CELL_BINARY] = "BINARY",    [CELL_BINARY_LARGE] = "BINARY",
    [CELL_BINARY_VIEW] = "BINARY",  [CELL_RUNS] = NULL,
};

/// The ending of a type that is microseconds unless its name says otherwise.
static const char *unit_ending(int32_t digits) {
    return digits == 6 ? "" : digits == 0 ? "_S" : digits == 3 ? "_MS" : "_NS";
}

static void write_field_name(cli_sink *out, const char *name) {
    bool is_plain = (name[0] >= 'a' && name[0] <= 'z') || name[0] == '_';
    for (size_t i = 0; is_plain && name[i] != '\0'; i++) {
        is_plain = (name[i] >= 'a' && name[i] <= 'z') || name[i] == '_' ||
                   (name[i] >= '0' && name[i] <= '9') || (name[i] >= 'A' && name[i] <= 'Z');
    }
    if (is_plain) {
        cli_sink_text(out, name);
        return;
    }
    cli_sink_char(out, '"');
    for (size_t i = 0; name[i] != '\0'; i++) {
        cli_sink_text(out, name[i] == '"' ? "\"" : "");
        cli_sink_char(out, name[i]);
    }
    cli_sink_char(out, '"');
}

static void write_struct_name(cli_sink *out, const cell_type *type) {
    cli_sink_text(out, "STRUCT(");
    for (size_t i = 0; i < type->child_count; i++) {
        cli_sink_text(out, i > 0 ? ", " : "");
        write_field_name(out, type->children[i].name);
        cli_sink_char(out, ' ');
        cli_type_name(out, &type->children[i]);
    }
    cli_sink_char(out, ')');
}

void cli_type_name(cli_sink *out, const cell_type *type) {
    const cell_kind kind = type->kind;
    if (type->meaning != CELL_PLAIN) {
        cli_sink_text(out, type->meaning == CELL_UUID ? "UUID" : "JSON");
    } else if (kind == CELL_DECIMAL) {
        cli_sink_format(out, "DECIMAL(%d,%d)", type->precision, type->scale);
    } else if (kind == CELL_TIME_32 || kind == CELL_TIME_64) {
        cli_sink_format(out, "TIME%s", unit_ending(type->digits));
    } else if (kind == CELL_TIMESTAMP) {
        cli_sink_format(out, "TIMESTAMP%s%s", type->is_zoned ? "TZ" : "",
                        unit_ending(type->digits));
    } else if (kind == CELL_FIXED) {
        cli_sink_format(out, "BINARY(%d)", type->width);
    } else if (kind == CELL_STRUCT) {
        write_struct_name(out, type);
    } else if (cli_cell_is_list(kind)) {
        cli_type_name(out, &type->children[0]);
        cli_sink_text(out, "[]");
    } else if (kind == CELL_MAP) {
        cli_sink_text(out, "MAP(");
        cli_type_name(out, &type->children[0].children[0]);
        cli_sink_text(out, ", ");
        cli_type_name(out, &type->children[0].children[1]);
        cli_sink_char(out, ')');
    } else if (kind == CELL_DICTIONARY || kind == CELL_RUNS) {
        cli_type_name(out, &type->children[0]);
    } else {
        cli_sink_text(out, plain_names[kind]);
    }
}
