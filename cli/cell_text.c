#include "cell_text.h"

#include <math.h>
#include <string.h>
#include <strings.h>

#include "moment_text.h"
#include "printed_number.h"

static const char hex_digits[] = "0123456789abcdef";

// ---- What text and JSON share ------------------------------------------------------------------

static void write_hex(cli_sink *out, cell_bytes bytes) {
    char *to = cli_sink_reserve(out, bytes.size * 2);
    for (size_t i = 0; i < bytes.size; i++) {
        to[2 * i] = hex_digits[(uint8_t)bytes.data[i] >> 4];
        to[2 * i + 1] = hex_digits[(uint8_t)bytes.data[i] & 15];
    }
    out->size += bytes.size * 2;
}

static void write_uuid(cli_sink *out, cell_bytes bytes) {
    static const uint8_t groups[] = {4, 2, 2, 2, 6};
    size_t at = 0;
    for (size_t i = 0; i < sizeof groups && at + groups[i] <= bytes.size; i++) {
        if (i > 0) {
            cli_sink_char(out, '-');
        }
        write_hex(out, (cell_bytes){.data = bytes.data + at, .size = groups[i]});
        at += groups[i];
    }
}

static void write_interval(cli_sink *out, cell value) {
    if (value.type->kind == CELL_MONTHS) {
        cli_moment_interval(out, (int32_t)cli_cell_int(value), 0, 0);
        return;
    }
    if (value.type->kind == CELL_DURATION) {
        static const int64_t scales[] = {1000000000, 0, 0, 1000000, 0, 0, 1000, 0, 0, 1};
        int64_t nanoseconds = 0;
        if (__builtin_mul_overflow(cli_cell_int(value), scales[value.type->digits], &nanoseconds)) {
            nanoseconds = cli_cell_int(value) < 0 ? INT64_MIN : INT64_MAX;
        }
        cli_moment_interval(out, 0, 0, nanoseconds);
        return;
    }
    const cell_bytes bytes = cli_cell_bytes(value);
    int32_t parts[2];
    int64_t nanoseconds = 0;
    memcpy(parts, bytes.data, sizeof parts);
    if (value.type->kind == CELL_DAY_TIME) {
        cli_moment_interval(out, 0, parts[0], (int64_t)parts[1] * 1000000);
        return;
    }
    memcpy(&nanoseconds, bytes.data + sizeof parts, sizeof nanoseconds);
    cli_moment_interval(out, parts[0], parts[1], nanoseconds);
}

static void write_moment(cli_sink *out, cell value, moment_style style) {
    const int64_t count = cli_cell_int(value);
    switch ((int)value.type->kind) {
    case CELL_DATE_DAY:
        cli_moment_date(out, count, style);
        break;
    case CELL_DATE_MS:
        cli_moment_date(out, count / 86400000 - (count % 86400000 < 0 ? 1 : 0), style);
        break;
    case CELL_TIMESTAMP:
        cli_moment_timestamp(out, count, value.type->digits, value.type->is_zoned, style);
        break;
    default:
        cli_moment_time(out, count, value.type->digits, style);
        break;
    }
}

static void write_float(cli_sink *out, cell value) {
    static const float_width widths[] = {FLOAT_HALF, FLOAT_SINGLE, FLOAT_DOUBLE};
    cli_number_float(out, cli_cell_float(value), widths[value.type->kind - CELL_FLOAT16]);
}

static void write_decimal(cli_sink *out, cell value) {
    const cell_bytes bytes = cli_cell_bytes(value);
    cli_number_decimal(out, bytes.data, bytes.size, value.type->scale);
}

static void write_integer(cli_sink *out, cell value) {
    if (value.type->kind == CELL_UINT64) {
        cli_number_uint(out, cli_cell_uint(value));
    } else {
        cli_number_int(out, cli_cell_int(value));
    }
}

static bool is_interval(cell_kind kind) {
    return kind >= CELL_DURATION && kind <= CELL_MONTH_NANO;
}

// ---- Text --------------------------------------------------------------------------------------

/// Text inside a list, struct or map, quoted where it could be read as something else.
static void write_nested_text(cli_sink *out, cell_bytes text) {
    bool is_plain = text.size > 0 && text.data[0] != ' ' && text.data[text.size - 1] != ' ' &&
                    !(text.size == 4 && strncasecmp(text.data, "null", 4) == 0);
    for (size_t i = 0; is_plain && i < text.size; i++) {
        is_plain = text.data[i] != '\0' && strchr("[]{}(),:='\"\\", text.data[i]) == NULL;
    }
    if (is_plain) {
        cli_sink_write(out, text.data, text.size);
        return;
    }
    cli_sink_char(out, '\'');
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '\'' || text.data[i] == '\\') {
            cli_sink_char(out, '\\');
        }
        cli_sink_char(out, text.data[i]);
    }
    cli_sink_char(out, '\'');
}

static void write_text(cli_sink *out, cell value, bool is_nested);

static void write_list_text(cli_sink *out, cell value) {
    int64_t first = 0;
    int64_t count = 0;
    cli_cell_list(value, &first, &count);
    const bool is_map = value.type->kind == CELL_MAP;
    cli_sink_char(out, is_map ? '{' : '[');
    for (int64_t i = 0; i < count; i++) {
        cli_sink_text(out, i > 0 ? ", " : "");
        const cell element = cli_cell_element(value, first + i);
        if (is_map) {
            write_text(out, cli_cell_field(element, 0), true);
            cli_sink_text(out, ": ");
            write_text(out, cli_cell_field(element, 1), true);
        } else {
            write_text(out, element, true);
        }
    }
    cli_sink_char(out, is_map ? '}' : ']');
}

static void write_struct_text(cli_sink *out, cell value) {
    cli_sink_char(out, '{');
    for (size_t i = 0; i < value.type->child_count; i++) {
        cli_sink_text(out, i > 0 ? ", " : "");
        cli_sink_text(out, value.type->children[i].name);
        cli_sink_text(out, ": ");
        write_text(out, cli_cell_field(value, i), true);
    }
    cli_sink_char(out, '}');
}

static void write_text(cli_sink *out, cell value, bool is_nested) {
    const cell_kind kind = value.type->kind;
    if (cli_cell_is_null(value)) {
        cli_sink_text(out, "NULL");
    } else if (kind == CELL_BOOLEAN) {
        cli_sink_text(out, cli_cell_boolean(value) ? "true" : "false");
    } else if (kind >= CELL_INT8 && kind <= CELL_UINT64) {
        write_integer(out, value);
    } else if (kind >= CELL_FLOAT16 && kind <= CELL_FLOAT64) {
        const double number = cli_cell_float(value);
        if (isfinite(number)) {
            write_float(out, value);
        } else {
            cli_sink_text(out, isnan(number) ? "NaN" : number > 0 ? "inf" : "-inf");
        }
    } else if (kind == CELL_DECIMAL) {
        write_decimal(out, value);
    } else if (cli_cell_is_text(kind)) {
        const cell_bytes text = cli_cell_bytes(value);
        if (is_nested) {
            write_nested_text(out, text);
        } else {
            cli_sink_write(out, text.data, text.size);
        }
    } else if (value.type->meaning == CELL_UUID) {
        write_uuid(out, cli_cell_bytes(value));
    } else if (cli_cell_is_binary(kind)) {
        cli_sink_text(out, "\\x");
        write_hex(out, cli_cell_bytes(value));
    } else if (is_interval(kind)) {
        write_interval(out, value);
    } else if (kind == CELL_STRUCT) {
        write_struct_text(out, value);
    } else if (cli_cell_is_list(kind) || kind == CELL_MAP) {
        write_list_text(out, value);
    } else {
        write_moment(out, value, MOMENT_SQL);
    }
}

void cli_cell_write_text(cli_sink *out, cell value) {
    write_text(out, value, false);
}

// ---- JSON --------------------------------------------------------------------------------------

size_t cli_utf8_size(const char *data, size_t size) {
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    const uint8_t lead = (uint8_t)data[0];
    const size_t wanted = lead < 0x80    ? 1
                          : lead < 0xC2  ? 0
                          : lead < 0xE0  ? 2
                          : lead < 0xF0  ? 3
                          : lead <= 0xF4 ? 4
                                         : 0;
    if (wanted <= 1 || wanted > size) {
        return wanted > size ? 0 : wanted;
    }
    uint32_t code = lead & (0xFFU >> (wanted + 1));
    for (size_t i = 1; i < wanted; i++) {
        if (((uint8_t)data[i] & 0xC0) != 0x80) {
            return 0;
        }
        code = code << 6 | ((uint8_t)data[i] & 0x3F);
    }
    const bool is_surrogate = code >= 0xD800 && code <= 0xDFFF;
    return code < smallest[wanted] || is_surrogate || code > 0x10FFFF ? 0 : wanted;
}

/// Escapes one byte below U+0020, a quote or a backslash.
static void write_escape(cli_sink *out, char letter) {
    static const char named[] = "\"\"\\\\\nn\tt\rr\bb\ff";
    for (size_t i = 0; named[i] != '\0'; i += 2) {
        if (named[i] == letter) {
            cli_sink_char(out, '\\');
            cli_sink_char(out, named[i + 1]);
            return;
        }
    }
    cli_sink_text(out, "\\u00");
    cli_sink_char(out, hex_digits[(uint8_t)letter >> 4]);
    cli_sink_char(out, hex_digits[(uint8_t)letter & 15]);
}

void cli_json_string(cli_sink *out, const char *data, size_t size) {
    cli_sink_char(out, '"');
    size_t plain = 0; // Where the bytes begin that have not been written yet.
    size_t at = 0;
    while (at < size) {
        const uint8_t letter = (uint8_t)data[at];
        if (letter >= 0x20 && letter < 0x80 && letter != '"' && letter != '\\') {
            at += 1;
            continue;
        }
        const size_t length = letter < 0x80 ? 0 : cli_utf8_size(data + at, size - at);
        if (length > 0) {
            at += length;
            continue;
        }
        cli_sink_write(out, data + plain, at - plain);
        if (letter < 0x80) {
            write_escape(out, data[at]);
        } else {
            cli_sink_text(out, "\\ufffd");
        }
        at += 1;
        plain = at;
    }
    cli_sink_write(out, data + plain, size - plain);
    cli_sink_char(out, '"');
}

static void write_list_json(cli_sink *out, cell value) {
    int64_t first = 0;
    int64_t count = 0;
    cli_cell_list(value, &first, &count);
    cli_sink_char(out, '[');
    for (int64_t i = 0; i < count; i++) {
        cli_sink_text(out, i > 0 ? "," : "");
        const cell element = cli_cell_element(value, first + i);
        if (value.type->kind == CELL_MAP) {
            cli_sink_char(out, '[');
            cli_cell_write_json(out, cli_cell_field(element, 0));
            cli_sink_char(out, ',');
            cli_cell_write_json(out, cli_cell_field(element, 1));
            cli_sink_char(out, ']');
        } else {
            cli_cell_write_json(out, element);
        }
    }
    cli_sink_char(out, ']');
}

static void write_struct_json(cli_sink *out, cell value) {
    cli_sink_char(out, '{');
    for (size_t i = 0; i < value.type->child_count; i++) {
        cli_sink_text(out, i > 0 ? "," : "");
        cli_json_string(out, value.type->children[i].name, strlen(value.type->children[i].name));
        cli_sink_char(out, ':');
        cli_cell_write_json(out, cli_cell_field(value, i));
    }
    cli_sink_char(out, '}');
}

/// What JSON has no number for, as a string.
static void write_quoted(cli_sink *out, cell value) {
    const cell_kind kind = value.type->kind;
    cli_sink_char(out, '"');
    if (kind == CELL_DECIMAL) {
        write_decimal(out, value);
    } else if (value.type->meaning == CELL_UUID) {
        write_uuid(out, cli_cell_bytes(value));
    } else if (cli_cell_is_binary(kind)) {
        write_hex(out, cli_cell_bytes(value));
    } else if (is_interval(kind)) {
        write_interval(out, value);
    } else {
        write_moment(out, value, MOMENT_ISO);
    }
    cli_sink_char(out, '"');
}

void cli_cell_write_json(cli_sink *out, cell value) {
    const cell_kind kind = value.type->kind;
    if (cli_cell_is_null(value)) {
        cli_sink_text(out, "null");
    } else if (kind == CELL_BOOLEAN) {
        cli_sink_text(out, cli_cell_boolean(value) ? "true" : "false");
    } else if (kind >= CELL_INT8 && kind <= CELL_UINT64) {
        write_integer(out, value);
    } else if (kind >= CELL_FLOAT16 && kind <= CELL_FLOAT64) {
        const double number = cli_cell_float(value);
        if (isfinite(number)) {
            write_float(out, value);
        } else {
            cli_sink_text(out, isnan(number) ? "\"NaN\""
                               : number > 0  ? "\"Infinity\""
                                             : "\"-Infinity\"");
        }
    } else if (cli_cell_is_text(kind)) {
        const cell_bytes text = cli_cell_bytes(value);
        cli_json_string(out, text.data, text.size);
    } else if (kind == CELL_STRUCT) {
        write_struct_json(out, value);
    } else if (cli_cell_is_list(kind) || kind == CELL_MAP) {
        write_list_json(out, value);
    } else {
        write_quoted(out, value);
    }
}
