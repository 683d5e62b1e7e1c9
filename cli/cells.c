#include "cells.h"

#include <stdlib.h>
#include <string.h>

#include "byte_sink.h"

// ---- Types -------------------------------------------------------------------------------------

typedef struct simple_format {
    const char *format;
    cell_kind kind;
    int32_t digits;
} simple_format;

static const simple_format simple_formats[] = {
    {"n", CELL_NULL, 0},         {"b", CELL_BOOLEAN, 0},      {"c", CELL_INT8, 0},
    {"C", CELL_UINT8, 0},        {"s", CELL_INT16, 0},        {"S", CELL_UINT16, 0},
    {"i", CELL_INT32, 0},        {"I", CELL_UINT32, 0},       {"l", CELL_INT64, 0},
    {"L", CELL_UINT64, 0},       {"e", CELL_FLOAT16, 0},      {"f", CELL_FLOAT32, 0},
    {"g", CELL_FLOAT64, 0},      {"u", CELL_TEXT, 0},         {"U", CELL_TEXT_LARGE, 0},
    {"vu", CELL_TEXT_VIEW, 0},   {"z", CELL_BINARY, 0},       {"Z", CELL_BINARY_LARGE, 0},
    {"vz", CELL_BINARY_VIEW, 0}, {"tdD", CELL_DATE_DAY, 0},   {"tdm", CELL_DATE_MS, 0},
    {"tts", CELL_TIME_32, 0},    {"ttm", CELL_TIME_32, 3},    {"ttu", CELL_TIME_64, 6},
    {"ttn", CELL_TIME_64, 9},    {"tDs", CELL_DURATION, 0},   {"tDm", CELL_DURATION, 3},
    {"tDu", CELL_DURATION, 6},   {"tDn", CELL_DURATION, 9},   {"tiM", CELL_MONTHS, 0},
    {"tiD", CELL_DAY_TIME, 0},   {"tin", CELL_MONTH_NANO, 0}, {"+l", CELL_LIST, 0},
    {"+L", CELL_LIST_LARGE, 0},  {"+vl", CELL_LIST_VIEW, 0},  {"+vL", CELL_LIST_VIEW_LARGE, 0},
    {"+s", CELL_STRUCT, 0},      {"+m", CELL_MAP, 0},         {"+r", CELL_RUNS, 0},
};

static bool read_decimal(const char *format, cell_type *out) {
    char *end = NULL;
    out->kind = CELL_DECIMAL;
    out->precision = (int32_t)strtol(format, &end, 10);
    if (*end != ',') {
        return false;
    }
    out->scale = (int32_t)strtol(end + 1, &end, 10);
    out->bits = *end == ',' ? (int32_t)strtol(end + 1, &end, 10) : 128;
    return *end == '\0' &&
           (out->bits == 32 || out->bits == 64 || out->bits == 128 || out->bits == 256);
}

static bool read_timestamp(const char *format, cell_type *out) {
    static const char units[] = "smun";
    const char *unit = strchr(units, format[0]);
    if (format[0] == '\0' || unit == NULL || format[1] != ':') {
        return false;
    }
    out->kind = CELL_TIMESTAMP;
    out->digits = (int32_t)(unit - units) * 3;
    out->is_zoned = format[2] != '\0';
    return true;
}

bool cli_cell_format_read(const char *format, cell_type *out) {
    if (strncmp(format, "d:", 2) == 0) {
        return read_decimal(format + 2, out);
    }
    if (strncmp(format, "ts", 2) == 0) {
        return read_timestamp(format + 2, out);
    }
    if (strncmp(format, "w:", 2) == 0 || strncmp(format, "+w:", 3) == 0) {
        out->kind = format[0] == 'w' ? CELL_FIXED : CELL_LIST_FIXED;
        out->width = (int32_t)strtol(strchr(format, ':') + 1, NULL, 10);
        return out->width >= 0;
    }
    for (size_t i = 0; i < sizeof simple_formats / sizeof simple_formats[0]; i++) {
        if (strcmp(simple_formats[i].format, format) == 0) {
            out->kind = simple_formats[i].kind;
            out->digits = simple_formats[i].digits;
            return true;
        }
    }
    return false;
}

/// The value of a key of a field's metadata; empty if it has none.
static cell_bytes metadata_value(const char *metadata, const char *key) {
    if (metadata == NULL) {
        return (cell_bytes){0};
    }
    int32_t count = 0;
    memcpy(&count, metadata, sizeof count);
    const char *at = metadata + sizeof count;
    for (int32_t i = 0; i < count; i++) {
        cell_bytes part[2];
        for (int side = 0; side < 2; side++) {
            int32_t size = 0;
            memcpy(&size, at, sizeof size);
            part[side] = (cell_bytes){.data = at + sizeof size, .size = (size_t)size};
            at += sizeof size + (size_t)size;
        }
        if (part[0].size == strlen(key) && memcmp(part[0].data, key, part[0].size) == 0) {
            return part[1];
        }
    }
    return (cell_bytes){0};
}

static cell_meaning read_meaning(const struct ArrowSchema *schema) {
    const cell_bytes name = metadata_value(schema->metadata, "ARROW:extension:name");
    if (name.size == 10 && memcmp(name.data, "arrow.uuid", 10) == 0) {
        return CELL_UUID;
    }
    if (name.size == 10 && memcmp(name.data, "arrow.json", 10) == 0) {
        return CELL_JSON;
    }
    return CELL_PLAIN;
}

static bool read_type(const struct ArrowSchema *schema, int depth, cell_type *out,
                      const char **refused);

/// Children that are fields, or the one that is a dictionary's or a run's values.
static bool read_children(const struct ArrowSchema *schema, int depth, cell_type *out,
                          const char **refused) {
    const bool is_dictionary = schema->dictionary != NULL;
    const bool is_runs = !is_dictionary && out->kind == CELL_RUNS;
    out->child_count = is_dictionary || is_runs ? 1 : (size_t)schema->n_children;
    out->children = cli_allocate(out->child_count, sizeof *out->children);
    if (is_dictionary) {
        out->index = out->kind;
        out->kind = CELL_DICTIONARY;
        return read_type(schema->dictionary, depth + 1, &out->children[0], refused);
    }
    if (is_runs) {
        cell_type ends = {0};
        (void)cli_cell_format_read(schema->children[0]->format, &ends);
        out->index = ends.kind;
        return read_type(schema->children[1], depth + 1, &out->children[0], refused);
    }
    for (size_t i = 0; i < out->child_count; i++) {
        if (!read_type(schema->children[i], depth + 1, &out->children[i], refused)) {
            return false;
        }
    }
    return true;
}

static bool read_type(const struct ArrowSchema *schema, int depth, cell_type *out,
                      const char **refused) {
    *out = (cell_type){.name = schema->name == NULL ? "" : schema->name};
    if (depth > CELL_DEPTH_MAX || !cli_cell_format_read(schema->format, out)) {
        *refused = schema->format;
        return false;
    }
    if (schema->dictionary != NULL || schema->n_children > 0) {
        if (!read_children(schema, depth, out, refused)) {
            return false;
        }
    }
    out->meaning = read_meaning(schema);
    return true;
}

bool cli_cell_type_read(const struct ArrowSchema *schema, cell_type *out, const char **refused) {
    return read_type(schema, 0, out, refused);
}

void cli_cell_type_close(cell_type *type) {
    if (type->children != NULL) {
        for (size_t i = 0; i < type->child_count; i++) {
            cli_cell_type_close(&type->children[i]);
        }
        free(type->children);
    }
    *type = (cell_type){0};
}

bool cli_cell_is_text(cell_kind kind) {
    return kind == CELL_TEXT || kind == CELL_TEXT_LARGE || kind == CELL_TEXT_VIEW;
}

bool cli_cell_is_binary(cell_kind kind) {
    return kind == CELL_BINARY || kind == CELL_BINARY_LARGE || kind == CELL_BINARY_VIEW ||
           kind == CELL_FIXED;
}

bool cli_cell_is_list(cell_kind kind) {
    return kind >= CELL_LIST && kind <= CELL_LIST_FIXED;
}

bool cli_cell_is_number(cell_kind kind) {
    return kind >= CELL_INT8 && kind <= CELL_DECIMAL;
}

// ---- Values ------------------------------------------------------------------------------------

static bool bit_at(const void *bits, int64_t at) {
    return (((const uint8_t *)bits)[at >> 3] >> (at & 7) & 1) != 0;
}

static bool is_valid_at(const struct ArrowArray *array, int64_t row) {
    if (array->null_count == 0 || array->n_buffers == 0 || array->buffers[0] == NULL) {
        return true;
    }
    return bit_at(array->buffers[0], array->offset + row);
}

static int64_t integer_at(cell_kind kind, const void *values, int64_t at) {
    switch ((int)kind) {
    case CELL_INT8:
        return ((const int8_t *)values)[at];
    case CELL_UINT8:
        return ((const uint8_t *)values)[at];
    case CELL_INT16:
        return ((const int16_t *)values)[at];
    case CELL_UINT16:
        return ((const uint16_t *)values)[at];
    case CELL_INT32:
    case CELL_DATE_DAY:
    case CELL_TIME_32:
    case CELL_MONTHS:
        return ((const int32_t *)values)[at];
    case CELL_UINT32:
        return ((const uint32_t *)values)[at];
    default:
        return ((const int64_t *)values)[at];
    }
}

/// Which run a logical position lies in: the first whose end is above it.
static int64_t run_of(cell value) {
    const struct ArrowArray *ends = value.array->children[0];
    const int64_t wanted = value.array->offset + value.row;
    int64_t low = 0;
    int64_t high = ends->length - 1;
    while (low < high) {
        const int64_t middle = low + (high - low) / 2;
        if (integer_at(value.type->index, ends->buffers[1], ends->offset + middle) > wanted) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low;
}

/// Follows dictionaries and runs to the plain value; a NULL index stays where it is.
static cell resolve(cell value) {
    while (value.type->kind == CELL_DICTIONARY || value.type->kind == CELL_RUNS) {
        if (value.type->kind == CELL_RUNS) {
            value = (cell){.type = &value.type->children[0],
                           .row = run_of(value),
                           .array = value.array->children[1]};
        } else if (is_valid_at(value.array, value.row)) {
            value = (cell){.type = &value.type->children[0],
                           .row = integer_at(value.type->index, value.array->buffers[1],
                                             value.array->offset + value.row),
                           .array = value.array->dictionary};
        } else {
            break;
        }
    }
    return value;
}

cell cli_cell_of_column(const cell_type *result, const struct ArrowArray *batch, size_t column,
                        int64_t row) {
    return resolve((cell){.type = &result->children[column],
                          .array = batch->children[column],
                          .row = batch->offset + row});
}

cell cli_cell_field(cell value, size_t field) {
    return resolve((cell){.type = &value.type->children[field],
                          .array = value.array->children[field],
                          .row = value.array->offset + value.row});
}

cell cli_cell_element(cell list, int64_t row) {
    return resolve(
        (cell){.type = &list.type->children[0], .array = list.array->children[0], .row = row});
}

bool cli_cell_is_null(cell value) {
    return value.type->kind == CELL_NULL || !is_valid_at(value.array, value.row);
}

bool cli_cell_boolean(cell value) {
    return bit_at(value.array->buffers[1], value.array->offset + value.row);
}

int64_t cli_cell_int(cell value) {
    return integer_at(value.type->kind, value.array->buffers[1], value.array->offset + value.row);
}

uint64_t cli_cell_uint(cell value) {
    return (uint64_t)cli_cell_int(value);
}

static double float_of_half(uint16_t half) {
    const int sign = half >> 15;
    const int exponent = half >> 10 & 31;
    const int fraction = half & 1023;
    double out = 0;
    if (exponent == 31) {
        out = fraction == 0 ? (double)__builtin_inff() : (double)__builtin_nanf("");
    } else if (exponent == 0) {
        out = fraction / 16777216.0; // 2^-24 a step.
    } else {
        out = (fraction + 1024) / 1024.0;
        for (int i = exponent; i > 15; i--) {
            out *= 2;
        }
        for (int i = exponent; i < 15; i++) {
            out /= 2;
        }
    }
    return sign != 0 ? -out : out;
}

double cli_cell_float(cell value) {
    const int64_t at = value.array->offset + value.row;
    const void *values = value.array->buffers[1];
    if (value.type->kind == CELL_FLOAT16) {
        return float_of_half(((const uint16_t *)values)[at]);
    }
    return value.type->kind == CELL_FLOAT32 ? (double)((const float *)values)[at]
                                            : ((const double *)values)[at];
}

/// The 16 bytes of a view: size, then 12 bytes inline or 4 of prefix, a buffer and an offset.
static cell_bytes view_bytes(const struct ArrowArray *array, int64_t at) {
    const char *view = (const char *)array->buffers[1] + at * 16;
    int32_t parts[4];
    memcpy(parts, view, sizeof parts);
    const size_t size = (size_t)parts[0];
    if (size <= 12) {
        return (cell_bytes){.data = view + 4, .size = size};
    }
    return (cell_bytes){.data = (const char *)array->buffers[2 + parts[2]] + parts[3],
                        .size = size};
}

static cell_bytes element_bytes(const struct ArrowArray *array, int64_t at, size_t size) {
    return (cell_bytes){.data = (const char *)array->buffers[1] + (size_t)at * size, .size = size};
}

cell_bytes cli_cell_bytes(cell value) {
    const struct ArrowArray *array = value.array;
    const int64_t at = array->offset + value.row;
    switch ((int)value.type->kind) {
    case CELL_TEXT:
    case CELL_BINARY: {
        const int32_t *offsets = array->buffers[1];
        return (cell_bytes){.data = (const char *)array->buffers[2] + offsets[at],
                            .size = (size_t)(offsets[at + 1] - offsets[at])};
    }
    case CELL_TEXT_LARGE:
    case CELL_BINARY_LARGE: {
        const int64_t *offsets = array->buffers[1];
        return (cell_bytes){.data = (const char *)array->buffers[2] + offsets[at],
                            .size = (size_t)(offsets[at + 1] - offsets[at])};
    }
    case CELL_TEXT_VIEW:
    case CELL_BINARY_VIEW:
        return view_bytes(array, at);
    case CELL_DECIMAL:
        return element_bytes(array, at, (size_t)value.type->bits / 8);
    case CELL_DAY_TIME:
        return element_bytes(array, at, 8);
    case CELL_MONTH_NANO:
        return element_bytes(array, at, 16);
    default:
        return element_bytes(array, at, (size_t)value.type->width);
    }
}

void cli_cell_list(cell value, int64_t *first, int64_t *count) {
    const struct ArrowArray *array = value.array;
    const int64_t at = array->offset + value.row;
    if (value.type->kind == CELL_LIST_FIXED) {
        *first = at * value.type->width;
        *count = value.type->width;
        return;
    }
    const void *starts = array->buffers[1];
    switch ((int)value.type->kind) {
    case CELL_LIST_LARGE:
        *first = ((const int64_t *)starts)[at];
        *count = ((const int64_t *)starts)[at + 1] - *first;
        break;
    case CELL_LIST_VIEW:
        *first = ((const int32_t *)starts)[at];
        *count = ((const int32_t *)array->buffers[2])[at];
        break;
    case CELL_LIST_VIEW_LARGE:
        *first = ((const int64_t *)starts)[at];
        *count = ((const int64_t *)array->buffers[2])[at];
        break;
    default:
        *first = ((const int32_t *)starts)[at];
        *count = ((const int32_t *)starts)[at + 1] - *first;
        break;
    }
}
