#include "formats/csv/csv_rows.h"

#include "formats/json/json_rows.h"

static bool is_plain(const csv_options *self, text value) {
    if (value.size == 0 || value.data[0] == ' ' || value.data[value.size - 1] == ' ') {
        return false;
    }
    uint8_t found = 0; // No branch a byte.
    for (size_t i = 0; i < value.size; i++) {
        const char byte = value.data[i];
        found |= (uint8_t)((byte == self->delimiter) | (byte == self->quote) | (byte == '\n') |
                           (byte == '\r'));
    }
    return found == 0 && (self->null.size == 0 || !text_equal(value, self->null));
}

static void put_quoted(const csv_options *self, text value, text_builder *out) {
    text_append_char(out, self->quote);
    size_t plain = 0;
    for (size_t i = 0; i < value.size; i++) {
        if (value.data[i] == self->quote) {
            text_append(out, text_slice(value, plain, i + 1));
            plain = i; // It comes again.
        }
    }
    text_append(out, text_slice(value, plain, value.size));
    text_append_char(out, self->quote);
}

static void put_field(const csv_options *self, text value, text_builder *out) {
    if (is_plain(self, value)) {
        text_append(out, value);
    } else {
        put_quoted(self, value, out);
    }
}

// What is printed where it goes, and then looked at.
static void put_printed(const csv_options *self, const column *values, uint32_t row, const zone *at,
                        text_builder *out) {
    const size_t start = out->size;
    if (type_is_nested(values->type)) {
        json_put_value(values, row, out);
    } else {
        column_print_row_at(values, row, at, out);
    }
    const text printed = {.data = out->data + start, .size = out->size - start};
    if (out->is_full || is_plain(self, printed)) {
        return;
    }
    // Quoted behind itself, and moved to the front.
    put_quoted(self, printed, out);
    if (!out->is_full) {
        const size_t behind = start + printed.size;
        memmove(out->data + start, out->data + behind, out->size - behind);
        out->size -= printed.size;
    }
}

void csv_put_header(const csv_options *self, const schema *columns, text_builder *out) {
    for (uint32_t i = 0; self->has_header && i < columns->count; i++) {
        if (i > 0) {
            text_append_char(out, self->delimiter);
        }
        put_field(self, columns->fields[i].name, out);
    }
    text_append(out, self->has_header ? TEXT("\n") : TEXT(""));
}

void csv_put_row(const csv_options *self, const batch *rows, uint32_t k, const zone *at,
                 text_builder *out) {
    const uint32_t row = batch_row(rows, k);
    for (uint32_t i = 0; i < rows->column_count; i++) {
        const column *each = &rows->columns[i];
        if (i > 0) {
            text_append_char(out, self->delimiter);
        }
        if (!column_is_valid(each, row)) {
            text_append(out, self->null);
        } else if (each->type->id == TYPE_VARCHAR || each->type->id == TYPE_JSON) {
            const column *values = each->form == FORM_DICTIONARY ? each->dictionary->values : each;
            const uint32_t lane = column_lane(each, row);
            put_field(self, string_text(&COLUMN_VALUES(values, string_value)[lane]), out);
        } else {
            put_printed(self, each, row, at, out);
        }
    }
    text_append_char(out, '\n');
}
