// Which kernel does a cast, and what to say when it cannot.
#include "base/date_cursor.h"
#include "base/nearest.h"
#include "expr/cast_private.h"

// What NULL becomes is NULL: there is never a row to compute.
static uint32_t cast_null(function_call *call, const column *const *args, column *out) {
    (void)args;
    (void)out;
    return call->count;
}

scalar_kernel cast_kernel(const type *from, const type *to) {
    if (cast_find(from, to).kind == CAST_SAME) {
        return NULL;
    }
    if (from->id == TYPE_NULL) {
        return cast_null;
    }
    if (to->id == TYPE_VARCHAR) {
        return cast_to_text_kernel(from);
    }
    if (from->id == TYPE_VARCHAR) {
        return cast_from_text_kernel(to);
    }
    switch (type_category_of(from)) {
    case CATEGORY_BOOLEAN:
    case CATEGORY_INTEGER:
    case CATEGORY_FLOAT:
    case CATEGORY_DECIMAL:
        return cast_number_kernel(from, to);
    case CATEGORY_DATETIME:
        return cast_time_kernel(from, to);
    case CATEGORY_NESTED:
        return cast_nested;
    case CATEGORY_BINARY:
    case CATEGORY_UUID:
        return cast_bytes;
    case CATEGORY_NULL:
    case CATEGORY_TEXT:
        break;
    }
    return NULL;
}

// ---- Errors ----------------------------------------------------------------------------------

#define VALUE_TEXT_MAX 100

static text value_text(const function_call *call, const column *values, uint32_t lane) {
    text_builder builder = text_builder_open(call->scratch);
    column_print_row_at(values, lane, call->context == NULL ? NULL : call->context->zone, &builder);
    text out;
    firn_error ignored = ERR_INIT;
    if (text_builder_finish(&builder, &out, &ignored) != FIRN_OK) {
        return TEXT("?");
    }
    size_t size = out.size < VALUE_TEXT_MAX ? out.size : VALUE_TEXT_MAX;
    while (size > 0 && size < out.size && ((uint8_t)out.data[size] & 0xc0) == 0x80) {
        size--;
    }
    return text_slice(out, 0, size);
}

// The SQLSTATE of a text that is no value of the type.
static const char *text_state(const type *to) {
    return type_category_of(to) == CATEGORY_DATETIME ? "22007" : "22P02";
}

// PostgreSQL has moments before and behind all others; files of tables have none.
static bool is_infinite_moment(text value, const type *to) {
    const bool is_signed = value.size > 0 && (value.data[0] == '-' || value.data[0] == '+');
    return (to->id == TYPE_DATE || to->id == TYPE_TIMESTAMP || to->id == TYPE_TIMESTAMPTZ) &&
           text_equal_nocase(text_slice(value, is_signed, value.size), TEXT("infinity"));
}

// An interval may be one in every way but its size.
static bool is_large_interval(text value, const type *to) {
    return to->id == TYPE_INTERVAL &&
           date_parse_interval(value, &(interval_value){0}) == DATE_LARGE;
}

// The unit that a word of an interval may be meant as.
static void propose_unit(text value, firn_error *err) {
    size_t at = 0;
    while (at < value.size) {
        const size_t from = at;
        while (at < value.size && date_is_letter(value.data[at])) {
            at++;
        }
        const text word = text_slice(value, from, at);
        calendar_field known;
        if (word.size > 1 && !text_equal_nocase(word, TEXT("ago")) &&
            !calendar_field_of(word, &known)) {
            nearest_name near = nearest_to(word);
            for (int field = 0; field <= CALENDAR_MILLENNIUM; field++) {
                nearest_offer(&near, text_of(calendar_field_word((calendar_field)field)));
            }
            (void)nearest_hint(&near, err);
            return;
        }
        at += at == from;
    }
}

// Of a list of lists … what they are of.
static const type *leaf_of(const type *self) {
    while (self->id == TYPE_LIST) {
        self = self->children[0].type;
    }
    return self;
}

void cast_explain(const function_call *call, const column *const *args, uint32_t row,
                  firn_error *err) {
    const type *from = args[0]->type;
    const text value = value_text(call, args[0], row & column_mask(args[0]));
    const text to = type_text(call->result, call->scratch);
    if (from->id == TYPE_VARCHAR && is_large_interval(value, call->result)) {
        err_set_sql(err, FIRN_INVALID, "22015", NO_POSITION, "\"%.*s\" is out of range for %.*s",
                    TEXT_ARGS(value), TEXT_ARGS(to));
        err_hint(err,
                 "the time of an INTERVAL comes to 2562047 hours (292 years) at most, days and "
                 "months to 2147483647");
        return;
    }
    if (from->id == TYPE_VARCHAR) {
        err_set_sql(err, FIRN_INVALID, text_state(call->result), NO_POSITION, "\"%.*s\" is no %.*s",
                    TEXT_ARGS(value), TEXT_ARGS(to));
        if (call->result->id == TYPE_INTERVAL) {
            propose_unit(value, err);
        } else if (is_infinite_moment(value, call->result)) {
            err_hint(err, "dates and timestamps end; write a far one, such as 9999-12-31");
        }
        return;
    }
    if (type_category_of(from) == CATEGORY_NESTED) {
        const type *leaf = leaf_of(call->result);
        const bool is_text = leaf_of(from)->id == TYPE_VARCHAR;
        err_set_sql(err, FIRN_INVALID, is_text ? text_state(leaf) : "22003", NO_POSITION,
                    "%.*s cannot become %.*s: a value inside is no %.*s", TEXT_ARGS(value),
                    TEXT_ARGS(to), TEXT_ARGS(type_text(leaf, call->scratch)));
        return;
    }
    const bool is_time = type_category_of(from) == CATEGORY_DATETIME;
    err_set_sql(err, FIRN_INVALID, is_time ? "22008" : "22003", NO_POSITION,
                "%.*s is out of range for %.*s", TEXT_ARGS(value), TEXT_ARGS(to));
}
