// Names of folders, as Java makes them of partition values.
#include "base/calendar.h"
#include "base/number_text.h"
#include "tables/iceberg/iceberg_partition.h"

#define EPOCH_YEAR 1970
#define ESCAPE_SIZE 3 // "%2F".
#define NAME_SIZE_MAX 100
#define VALUE_SIZE_MAX 150 // File systems have 255 bytes for both.

static void print_date(int64_t days, text_builder *out) {
    const calendar_date date = calendar_date_of(days);
    text_append_format(out, "%04lld-%02d-%02d", (long long)date.year, date.month, date.day);
}

// java.time: no seconds if there are none; fractions of three, six or nine digits.
static void print_clock(int64_t nanos, text_builder *out) {
    const int64_t second = 1000000000;
    const int64_t seconds = nanos / second;
    int64_t rest = nanos % second;
    text_append_format(out, "%02d:%02d", (int)(seconds / 3600), (int)(seconds / 60 % 60));
    if (seconds % 60 == 0 && rest == 0) {
        return;
    }
    text_append_format(out, ":%02d", (int)(seconds % 60));
    int digits = 9;
    while (rest != 0 && rest % 1000 == 0) {
        rest /= 1000;
        digits -= 3;
    }
    if (rest != 0) {
        text_append_format(out, ".%0*lld", digits, (long long)rest);
    }
}

static int64_t nanos_of(const type *of, int64_t units) {
    return units * (INT64_C(1000000000) / calendar_units_per_second(of->unit));
}

static void print_timestamp(const type *of, int64_t value, text_builder *out) {
    const int64_t day = calendar_units_per_second(of->unit) * (int64_t)CALENDAR_DAY_SECONDS;
    print_date(calendar_floor_div(value, day), out);
    text_append_char(out, 'T');
    print_clock(nanos_of(of, calendar_floor_mod(value, day)), out);
    text_append(out, of->id == TYPE_TIMESTAMPTZ ? TEXT("Z") : TEXT(""));
}

// As SQL shows it.
static void print_plain(const type *of, const ice_scalar *value, arena *memory, text_builder *out) {
    const column *one;
    firn_error ignored = ERR_INIT;
    if (ice_scalar_column(of, value, memory, &one, &ignored) != FIRN_OK) {
        out->is_full = true;
    } else if (one != NULL) {
        column_print_row(one, 0, out);
    }
}

// A value whose transform leaves it what it is.
static void print_value(const type *of, const ice_scalar *value, arena *memory, text_builder *out) {
    if (of->id == TYPE_DATE) {
        print_date((int64_t)value->number, out);
    } else if (of->id == TYPE_TIME) {
        print_clock(nanos_of(of, (int64_t)value->number), out);
    } else if (of->id == TYPE_TIMESTAMP || of->id == TYPE_TIMESTAMPTZ) {
        print_timestamp(of, (int64_t)value->number, out);
    } else if (of->id == TYPE_BINARY) {
        text_append_base64(out, value->data);
    } else if (of->id == TYPE_VARCHAR) {
        text_append(out, text_of_bytes(value->data));
    } else {
        print_plain(of, value, memory, out);
    }
}

static void print_scalar(ice_transform_kind kind, const type *result, const ice_scalar *value,
                         arena *memory, text_builder *out) {
    const int64_t number = (int64_t)value->number;
    if (value->kind == ICE_SCALAR_NULL || value->kind == ICE_SCALAR_NONE) {
        text_append(out, TEXT("null"));
    } else if (kind == ICE_YEAR) {
        text_append_format(out, "%04lld", (long long)(EPOCH_YEAR + number));
    } else if (kind == ICE_MONTH) {
        text_append_format(out, "%04lld-%02d",
                           (long long)(EPOCH_YEAR + calendar_floor_div(number, 12)),
                           (int)calendar_floor_mod(number, 12) + 1);
    } else if (kind == ICE_DAY) {
        print_date(number, out);
    } else if (kind == ICE_HOUR) {
        print_date(calendar_floor_div(number, 24), out);
        text_append_format(out, "-%02d", (int)calendar_floor_mod(number, 24));
    } else {
        print_value(result, value, memory, out);
    }
}

// java.net.URLEncoder. What would not fit into the name of a folder is left out: partitions may
// share one.
static void append_escaped(text_builder *out, text value, size_t most) {
    for (size_t i = 0, size = 0; i < value.size && size + ESCAPE_SIZE <= most; i++) {
        const char byte = value.data[i];
        const bool is_plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                              (byte >= '0' && byte <= '9') || byte == '.' || byte == '-' ||
                              byte == '*' || byte == '_';
        size += is_plain || byte == ' ' ? 1 : ESCAPE_SIZE;
        if (is_plain || byte == ' ') {
            text_append_char(out, is_plain ? byte : '+');
        } else {
            text_append_format(out, "%%%02X", (unsigned)(unsigned char)byte);
        }
    }
}

firn_status ice_partition_folder(const ice_partitioner *self, const ice_scalar *values,
                                 arena *memory, text *out, firn_error *err) {
    text_builder folder = text_builder_open(memory);
    for (uint32_t i = 0; i < self->spec->count; i++) {
        const ice_partition_field *of = &self->spec->fields[i];
        text_builder value = text_builder_open(memory);
        text printed;
        print_scalar(of->transform.kind, self->results[i], &values[i], memory, &value);
        TRY(text_builder_finish(&value, &printed, err));
        text_append(&folder, i == 0 ? TEXT("") : TEXT("/"));
        append_escaped(&folder, of->name, NAME_SIZE_MAX);
        text_append_char(&folder, '=');
        append_escaped(&folder, printed, VALUE_SIZE_MAX);
    }
    return text_builder_finish(&folder, out, err);
}
