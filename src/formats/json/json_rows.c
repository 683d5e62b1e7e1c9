#include "formats/json/json_rows.h"

#include "base/date_text.h"
#include "base/json.h"

#define YEAR_DIGITS 4

// ---- Strings -----------------------------------------------------------------------------------

static void append_piece(void *user, const char *data, size_t size) {
    text_append(user, (text){.data = data, .size = size});
}

static bool needs_escapes(text value) {
    uint8_t found = 0; // No branch a byte: texts are short, and hardly one has any.
    for (size_t i = 0; i < value.size; i++) {
        const uint8_t byte = (uint8_t)value.data[i];
        found |= (uint8_t)((byte < 0x20) | (byte == '"') | (byte == '\\'));
    }
    return found != 0;
}

static void put_string(text value, text_builder *out) {
    if (needs_escapes(value)) {
        json_escape((json_sink){.user = out, .append = append_piece}, value);
        return;
    }
    text_append_char(out, '"');
    text_append(out, value);
    text_append_char(out, '"');
}

// ---- Moments -----------------------------------------------------------------------------------

// SQL says years before the first as "0044 … BC" and later ones than 9999 as they are; ISO 8601
// has a year 0 and signs.
static void put_iso(text printed, text_builder *out) {
    const text before = TEXT(" BC");
    size_t digits = 0;
    int64_t year = 0;
    while (digits < printed.size && printed.data[digits] != '-') {
        year = year * 10 + (printed.data[digits] - '0');
        digits++;
    }
    if (text_ends_with(printed, before)) {
        text_append_format(out, "%s%04lld", year == 1 ? "" : "-", (long long)(year - 1));
        text_append(out, text_slice(printed, digits, printed.size - before.size));
        return;
    }
    text_append(out, digits > YEAR_DIGITS ? TEXT("+") : TEXT(""));
    text_append(out, printed);
}

static int64_t moment_at(const column *values, uint32_t lane) {
    return type_physical(values->type) == PHYSICAL_I32 ? COLUMN_VALUES(values, int32_t)[lane]
                                                       : COLUMN_VALUES(values, int64_t)[lane];
}

static void put_moment(const column *values, uint32_t lane, text_builder *out) {
    char printed[DATE_TEXT_SIZE_MAX];
    const int64_t value = moment_at(values, lane);
    const time_unit unit = values->type->unit;
    const type_id id = values->type->id;
    const date_style style = {.separator = 'T', .fraction_digits = (int8_t)(unit * 3)};
    text_append_char(out, '"');
    if (id == TYPE_TIME) {
        const size_t size = date_print_time(value, unit, &style, printed);
        text_append(out, (text){.data = printed, .size = size});
    } else {
        const size_t size = id == TYPE_DATE ? date_print_date(value, printed)
                                            : date_print_timestamp(value, unit, &style, printed);
        put_iso((text){.data = printed, .size = size}, out);
    }
    text_append(out, id == TYPE_TIMESTAMPTZ ? TEXT("Z\"") : TEXT("\""));
}

// ---- Values ------------------------------------------------------------------------------------

static void put_list(const column *values, uint32_t lane, text_builder *out) {
    const list_value slice = COLUMN_VALUES(values, list_value)[lane];
    const bool is_map = values->type->id == TYPE_MAP;
    text_append_char(out, '[');
    for (uint32_t i = 0; i < slice.size && !out->is_full; i++) {
        text_append(out, i > 0 ? TEXT(",") : TEXT(""));
        text_append(out, is_map ? TEXT("[") : TEXT(""));
        json_put_value(&values->children[0], slice.offset + i, out);
        if (is_map) {
            text_append_char(out, ',');
            json_put_value(&values->children[1], slice.offset + i, out);
            text_append_char(out, ']');
        }
    }
    text_append_char(out, ']');
}

static void put_struct(const column *values, uint32_t lane, text_builder *out) {
    text_append_char(out, '{');
    for (uint32_t i = 0; i < values->type->child_count; i++) {
        text_append(out, i > 0 ? TEXT(",") : TEXT(""));
        put_string(values->type->children[i].name, out);
        text_append_char(out, ':');
        json_put_value(&values->children[i], lane, out);
    }
    text_append_char(out, '}');
}

// As SQL prints it, for JSON in quotes: never a quote inside.
static void put_quoted(const column *self, uint32_t row, text_builder *out) {
    text_append_char(out, '"');
    column_print_row(self, row, out);
    text_append_char(out, '"');
}

static void put_float(const column *self, uint32_t row, text_builder *out) {
    const size_t start = out->size;
    column_print_row(self, row, out);
    if (out->is_full || start == out->size) {
        return;
    }
    const char last = out->data[out->size - 1];
    if (last == 'N' || last == 'f') { // NaN, inf, -inf
        const bool is_negative = out->data[start] == '-';
        out->size = start;
        text_append(out, last == 'N'   ? TEXT("\"NaN\"")
                         : is_negative ? TEXT("\"-Infinity\"")
                                       : TEXT("\"Infinity\""));
    }
}

void json_put_value(const column *self, uint32_t row, text_builder *out) {
    if (!column_is_valid(self, row)) {
        text_append(out, TEXT("null"));
        return;
    }
    const column *values = self->form == FORM_DICTIONARY ? self->dictionary->values : self;
    const uint32_t lane = column_lane(self, row);
    switch ((int)self->type->id) {
    case TYPE_VARCHAR:
    case TYPE_JSON:
        put_string(string_text(&COLUMN_VALUES(values, string_value)[lane]), out);
        break;
    case TYPE_BINARY:
        text_append_char(out, '"');
        text_append_hex(out,
                        bytes_of_text(string_text(&COLUMN_VALUES(values, string_value)[lane])));
        text_append_char(out, '"');
        break;
    case TYPE_DECIMAL:
    case TYPE_UUID:
    case TYPE_INTERVAL:
        put_quoted(self, row, out);
        break;
    case TYPE_DATE:
    case TYPE_TIME:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMPTZ:
        put_moment(values, lane, out);
        break;
    case TYPE_FLOAT16:
    case TYPE_REAL:
    case TYPE_DOUBLE:
        put_float(self, row, out);
        break;
    case TYPE_LIST:
    case TYPE_MAP:
        put_list(values, lane, out);
        break;
    case TYPE_STRUCT:
        put_struct(values, lane, out);
        break;
    default: // Whole numbers and BOOLEAN.
        column_print_row(self, row, out);
    }
}

// ---- Rows --------------------------------------------------------------------------------------

firn_status json_rows_open(const schema *columns, arena *memory, json_rows *out, firn_error *err) {
    text *keys = ARENA_NEW(memory, text, (size_t)columns->count + 1);
    if (keys == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t i = 0; i < columns->count; i++) {
        text_builder key = text_builder_open(memory);
        text_append_char(&key, i == 0 ? '{' : ',');
        put_string(columns->fields[i].name, &key);
        text_append_char(&key, ':');
        TRY(text_builder_finish(&key, &keys[i], err));
    }
    *out = (json_rows){.count = columns->count, .keys = keys};
    return FIRN_OK;
}

void json_put_row(const json_rows *self, const batch *rows, uint32_t k, text_builder *out) {
    const uint32_t row = batch_row(rows, k);
    for (uint32_t i = 0; i < self->count; i++) {
        text_append(out, self->keys[i]);
        json_put_value(&rows->columns[i], row, out);
    }
    text_append(out, self->count == 0 ? TEXT("{}") : TEXT("}"));
}
