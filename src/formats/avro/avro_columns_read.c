// Reads rows into columns: walks the tree of nodes once per row and appends each value to the lane
// vector of its column. Whatever is appended fills its lane, null or not, and those of its children
// in structs, so that the columns are whole at any time between two rows.
#include <assert.h>

#include "base/calendar.h"
#include "base/checked.h"
#include "base/utf8.h"
#include "formats/avro/avro_columns_private.h"

#define CAPACITY_MIN 16
#define ROWS_MAX (UINT32_C(1) << 31) // Of a column of list elements.
#define UUID_TEXT_SIZE 36
#define UUID_SIZE 16
#define NANOS_PER_MILLI INT64_C(1000000)

// A column that grows.
typedef struct lanes {
    const avro_node *node;
    uint32_t length;
    uint32_t capacity;
    uint8_t *values;    // NULL for a physical type without any.
    uint64_t *validity; // NULL: no null so far. Bits from `length` on are set.
    struct lanes *children;
} lanes;

struct avro_rows {
    const avro_columns *plan;
    arena *scratch;
    uint32_t capacity;
    lanes top;
};

static firn_status read_value(avro_rows *self, lanes *to, const avro_node *node, byte_reader *in,
                              firn_error *err);
static firn_status append_null(avro_rows *self, lanes *to, bool is_null, firn_error *err);

// ---- Lanes --------------------------------------------------------------------------------------

static size_t values_size(physical kind, uint32_t capacity) {
    return kind == PHYSICAL_BIT ? BITMAP_WORDS(capacity) * sizeof(uint64_t)
                                : (size_t)capacity * physical_size(kind);
}

// Copies `size` bytes into memory of `wider` bytes, the rest of which is `fill`.
static void *widen(arena *memory, const void *from, size_t size, size_t wider, int fill) {
    uint8_t *copy = ARENA_NEW(memory, uint8_t, wider);
    if (copy != NULL) {
        if (size > 0) {
            memcpy(copy, from, size);
        }
        memset(copy + size, fill, wider - size);
    }
    return copy;
}

static firn_status grow(avro_rows *self, lanes *to, uint32_t capacity, firn_error *err) {
    const physical kind = to->node->physical;
    const size_t size = values_size(kind, to->capacity);
    const size_t wider = values_size(kind, capacity);
    if (wider > 0) {
        to->values = widen(self->scratch, to->values, size, wider, 0);
        if (to->values == NULL) {
            return ARENA_FULL(self->scratch, err);
        }
    }
    if (to->validity != NULL) {
        to->validity = widen(self->scratch, to->validity, BITMAP_WORDS(to->capacity) * 8,
                             BITMAP_WORDS(capacity) * 8, 0xff);
        if (to->validity == NULL) {
            return ARENA_FULL(self->scratch, err);
        }
    }
    to->capacity = capacity;
    return FIRN_OK;
}

static inline firn_status make_room(avro_rows *self, lanes *to, firn_error *err) {
    if (LIKELY(to->length < to->capacity)) {
        return FIRN_OK;
    }
    if (to->capacity >= ROWS_MAX) {
        return FAIL(err, FIRN_UNSUPPORTED, "more than %u list elements in one batch", ROWS_MAX);
    }
    return grow(self, to, to->capacity < CAPACITY_MIN ? CAPACITY_MIN : to->capacity * 2, err);
}

static firn_status open_lanes(avro_rows *self, const avro_node *node, uint32_t capacity, lanes *out,
                              firn_error *err) {
    *out = (lanes){.node = node};
    if (node->kind == AVRO_NODE_MISSING) {
        return FIRN_OK;
    }
    TRY(grow(self, out, capacity, err));
    if (node->child_count == 0) {
        return FIRN_OK;
    }
    out->children = ARENA_NEW(self->scratch, lanes, node->child_count);
    if (out->children == NULL) {
        return ARENA_FULL(self->scratch, err);
    }
    const uint32_t child_capacity = node->physical == PHYSICAL_STRUCT ? capacity : CAPACITY_MIN;
    for (uint32_t i = 0; i < node->child_count; i++) {
        TRY(open_lanes(self, &node->children[i], child_capacity, &out->children[i], err));
    }
    return FIRN_OK;
}

// Clears the bit of the row that is being appended.
static firn_status mark_null(avro_rows *self, lanes *to, firn_error *err) {
    if (to->validity == NULL) {
        to->validity =
            widen(self->scratch, NULL, 0, BITMAP_WORDS(to->capacity) * sizeof(uint64_t), 0xff);
        if (to->validity == NULL) {
            return ARENA_FULL(self->scratch, err);
        }
    }
    bitmap_clear(to->validity, to->length);
    return FIRN_OK;
}

// Appends a lane of zeros: null if `is_null`, else only there to be there, in a struct that is
// null.
static firn_status append_null(avro_rows *self, lanes *to, bool is_null, firn_error *err) {
    const avro_node *node = to->node;
    if (node->kind == AVRO_NODE_MISSING) {
        to->length += 1;
        return FIRN_OK;
    }
    TRY(make_room(self, to, err));
    if (is_null) {
        TRY(mark_null(self, to, err));
    }
    if (node->physical == PHYSICAL_BIT) {
        bitmap_clear((uint64_t *)(void *)to->values, to->length);
    } else if (node->physical == PHYSICAL_STRUCT) {
        for (uint32_t i = 0; i < node->child_count; i++) {
            const bool child_is_null = node->children[i].is_nullable;
            TRY(append_null(self, &to->children[i], child_is_null, err));
        }
    } else if (node->physical != PHYSICAL_NONE) {
        const size_t size = physical_size(node->physical);
        memset(to->values + size * to->length, 0, size);
    }
    to->length += 1;
    return FIRN_OK;
}

// Where the value of the row that is being appended goes: `*NEXT_LANE(to, int64_t) = value`.
#define NEXT_LANE(to, c_type) ((c_type *)(void *)(to)->values + (to)->length)

// ---- Single values ------------------------------------------------------------------------------

static firn_status put_string(lanes *to, bytes data, firn_error *err) {
    if (data.size > UINT32_MAX) {
        return FAIL(err, FIRN_UNSUPPORTED, "text or bytes of size %zu", data.size);
    }
    *NEXT_LANE(to, string_value) = string_of((const char *)data.data, (uint32_t)data.size);
    return FIRN_OK;
}

static firn_status read_text(lanes *to, byte_reader *in, firn_error *err) {
    bytes data;
    TRY(avro_read_bytes(in, &data, err));
    if (!utf8_is_valid(data)) {
        return FAIL(err, FIRN_CORRUPT, "text that is not UTF-8 at byte %zu", utf8_valid_size(data));
    }
    return put_string(to, data, err);
}

static firn_status read_bytes(lanes *to, const avro_node *node, byte_reader *in, firn_error *err) {
    bytes data;
    if (node->kind == AVRO_NODE_FIXED) {
        TRY(reader_take(in, node->size, &data, err));
        return put_string(to, data, err);
    }
    TRY(avro_read_bytes(in, &data, err));
    if (node->size > 0 && data.size != node->size) {
        return FAIL(err, FIRN_CORRUPT, "%zu bytes where %u are wanted", data.size, node->size);
    }
    return put_string(to, data, err);
}

static int hex_digit(uint8_t character) {
    if (character >= '0' && character <= '9') {
        return character - '0';
    }
    const uint8_t lower = character | 0x20;
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// 8-4-4-4-12 hexadecimal digits.
static bool parse_uuid(bytes from, uint8_t *out) {
    uint32_t digit_count = 0;
    bool is_good = from.size == UUID_TEXT_SIZE;
    for (uint32_t i = 0; is_good && i < UUID_TEXT_SIZE; i++) {
        if (i == 8 || i == 13 || i == 18 || i == 23) {
            is_good = from.data[i] == '-';
            continue;
        }
        const int digit = hex_digit(from.data[i]);
        is_good = digit >= 0;
        const uint32_t high = digit_count % 2 == 0 ? 0 : out[digit_count / 2];
        out[digit_count / 2] = (uint8_t)((high << 4 | (uint32_t)digit) & 0xff);
        digit_count += 1;
    }
    return is_good;
}

static firn_status read_uuid_text(avro_rows *self, lanes *to, byte_reader *in, firn_error *err) {
    bytes data;
    TRY(avro_read_bytes(in, &data, err));
    uint8_t *out = ARENA_NEW(self->scratch, uint8_t, UUID_SIZE);
    if (out == NULL) {
        return ARENA_FULL(self->scratch, err);
    }
    memset(out, 0, UUID_SIZE);
    if (!parse_uuid(data, out)) {
        return FAIL(err, FIRN_CORRUPT, "text of %zu bytes that is no UUID", data.size);
    }
    return put_string(to, (bytes){.data = out, .size = UUID_SIZE}, err);
}

static firn_status put_decimal(lanes *to, const avro_node *node, bytes raw, firn_error *err) {
    if (node->physical == PHYSICAL_I256) {
        i256 wide;
        if (!i256_from_big_endian(raw, &wide) || !i256_has_digits(wide, node->precision)) {
            return FAIL(err, FIRN_CORRUPT, "decimal of %zu bytes with more than %u digits",
                        raw.size, node->precision);
        }
        *NEXT_LANE(to, i256) = wide;
        return FIRN_OK;
    }
    i128 value;
    if (!i128_from_big_endian(raw, &value) || !i128_has_digits(value, node->precision)) {
        return FAIL(err, FIRN_CORRUPT, "decimal of %zu bytes with more than %u digits", raw.size,
                    node->precision);
    }
    if (node->physical == PHYSICAL_I32) { // It fits: the precision bounds it.
        *NEXT_LANE(to, int32_t) = (int32_t)value;
    } else if (node->physical == PHYSICAL_I64) {
        *NEXT_LANE(to, int64_t) = (int64_t)value;
    } else {
        *NEXT_LANE(to, i128) = value;
    }
    return FIRN_OK;
}

static firn_status read_decimal(lanes *to, const avro_node *node, byte_reader *in,
                                firn_error *err) {
    bytes raw;
    if (node->kind == AVRO_NODE_DECIMAL_FIXED) {
        TRY(reader_take(in, node->size, &raw, err));
    } else {
        TRY(avro_read_bytes(in, &raw, err));
    }
    return put_decimal(to, node, raw, err);
}

static firn_status read_i64(lanes *to, const avro_node *node, byte_reader *in, firn_error *err) {
    int64_t value;
    TRY(avro_read_long(in, &value, err));
    if (node->factor != 1 && __builtin_mul_overflow(value, node->factor, &value)) {
        return FAIL(err, FIRN_CORRUPT, "date or time that does not fit 64 bits in its new unit");
    }
    if (node->type->id == TYPE_TIME &&
        (value < 0 || value > CALENDAR_DAY_SECONDS * calendar_units_per_second(node->type->unit))) {
        return FAIL(err, FIRN_CORRUPT, "time of %lld units, which is of no day", (long long)value);
    }
    *NEXT_LANE(to, int64_t) = value;
    return FIRN_OK;
}

static uint32_t load_u32(const uint8_t *from) {
    return (uint32_t)from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 |
           (uint32_t)from[3] << 24;
}

// Three unsigned numbers, little-endian.
static firn_status read_interval(lanes *to, byte_reader *in, firn_error *err) {
    bytes raw;
    TRY(reader_take(in, 12, &raw, err));
    const uint32_t months = load_u32(raw.data);
    const uint32_t days = load_u32(raw.data + 4);
    if (months > INT32_MAX || days > INT32_MAX) {
        return FAIL(err, FIRN_CORRUPT, "duration of %u months and %u days", months, days);
    }
    *NEXT_LANE(to, interval_value) = (interval_value){
        .months = (int32_t)months,
        .days = (int32_t)days,
        .nanos = load_u32(raw.data + 8) * NANOS_PER_MILLI,
    };
    return FIRN_OK;
}

static firn_status read_single(avro_rows *self, lanes *to, const avro_node *node, byte_reader *in,
                               firn_error *err) {
    bool flag;
    float single;
    uint32_t symbol;
    switch ((int)node->kind) {
    case AVRO_NODE_BIT:
        TRY(avro_read_boolean(in, &flag, err));
        bitmap_put((uint64_t *)(void *)to->values, to->length, flag);
        return FIRN_OK;
    case AVRO_NODE_I32:
        return avro_read_int(in, NEXT_LANE(to, int32_t), err);
    case AVRO_NODE_I64:
        return read_i64(to, node, in, err);
    case AVRO_NODE_F32:
        return avro_read_float(in, NEXT_LANE(to, float), err);
    case AVRO_NODE_F64:
        return avro_read_double(in, NEXT_LANE(to, double), err);
    case AVRO_NODE_F64_OF_F32:
        TRY(avro_read_float(in, &single, err));
        *NEXT_LANE(to, double) = (double)single;
        return FIRN_OK;
    case AVRO_NODE_TEXT:
        return read_text(to, in, err);
    case AVRO_NODE_BYTES:
    case AVRO_NODE_FIXED:
        return read_bytes(to, node, in, err);
    case AVRO_NODE_UUID_TEXT:
        return read_uuid_text(self, to, in, err);
    case AVRO_NODE_ENUM:
        TRY(avro_read_choice(in, node->symbol_count, &symbol, err));
        *NEXT_LANE(to, string_value) = node->symbols[symbol];
        return FIRN_OK;
    case AVRO_NODE_DECIMAL_BYTES:
    case AVRO_NODE_DECIMAL_FIXED:
        return read_decimal(to, node, in, err);
    default:
        assert(node->kind == AVRO_NODE_INTERVAL);
        return read_interval(to, in, err);
    }
}

// ---- Nested values ------------------------------------------------------------------------------

// The fields of a record in the order of the file, into the columns of `to`.
static firn_status read_fields(avro_rows *self, lanes *to, const avro_node *node, byte_reader *in,
                               firn_error *err) {
    for (uint32_t i = 0; i < node->step_count; i++) {
        const avro_step *step = &node->steps[i];
        firn_status status;
        if (step->skip != NULL) {
            status = avro_plan_read(step->skip, in, NULL, err);
        } else {
            status =
                read_value(self, &to->children[step->child], &node->children[step->child], in, err);
        }
        if (status != FIRN_OK) {
            err_while(err, "reading Avro field \"%.*s\"", TEXT_ARGS(step->name));
            return status;
        }
    }
    for (uint32_t i = 0; i < node->child_count; i++) {
        if (node->children[i].kind == AVRO_NODE_MISSING) {
            to->children[i].length += 1;
        }
    }
    return FIRN_OK;
}

static firn_status read_item(avro_rows *self, lanes *to, const avro_node *node, byte_reader *in,
                             firn_error *err) {
    switch ((int)node->kind) {
    case AVRO_NODE_LIST:
        return read_value(self, &to->children[0], &node->children[0], in, err);
    case AVRO_NODE_MAP:
        TRY(read_value(self, &to->children[0], &node->children[0], in, err));
        return read_value(self, &to->children[1], &node->children[1], in, err);
    default:
        assert(node->kind == AVRO_NODE_PAIRS);
        return read_fields(self, to, node, in, err);
    }
}

static firn_status read_items(avro_rows *self, lanes *to, const avro_node *node, byte_reader *in,
                              firn_error *err) {
    list_value list = {.offset = to->children[0].length};
    avro_items items = {.item_size_min = node->item_size_min};
    bool has_item;
    TRY(avro_items_next(&items, in, &has_item, err));
    while (has_item) {
        TRY(read_item(self, to, node, in, err));
        TRY(avro_items_next(&items, in, &has_item, err));
    }
    list.size = to->children[0].length - list.offset;
    *NEXT_LANE(to, list_value) = list;
    return FIRN_OK;
}

static firn_status read_members(avro_rows *self, lanes *to, const avro_node *node, uint32_t chosen,
                                byte_reader *in, firn_error *err) {
    for (uint32_t i = 0; i < node->child_count; i++) {
        if (i == chosen) {
            TRY(read_value(self, &to->children[i], &node->children[i], in, err));
        } else {
            TRY(append_null(self, &to->children[i], true, err));
        }
    }
    return FIRN_OK;
}

// A union of other than null and one type. *is_appended: the branch appended the row by itself.
static firn_status read_union(avro_rows *self, lanes *to, const avro_node *node, byte_reader *in,
                              bool *is_appended, firn_error *err) {
    uint32_t branch;
    *is_appended = true;
    TRY(avro_read_choice(in, node->branch_count, &branch, err));
    if (node->kind == AVRO_NODE_CHOICE) {
        return node->branches[branch] == NULL
                   ? append_null(self, to, true, err)
                   : read_value(self, to, node->branches[branch], in, err);
    }
    if (node->branch_children[branch] == AVRO_NO_BRANCH) {
        return append_null(self, to, true, err);
    }
    *is_appended = false;
    return read_members(self, to, node, node->branch_children[branch], in, err);
}

// Appends one value. `node` is that of `to`, or of a branch of its union.
static firn_status read_value(avro_rows *self, lanes *to, const avro_node *node, byte_reader *in,
                              firn_error *err) {
    if (node->null_branch != AVRO_NO_BRANCH) {
        uint32_t branch;
        TRY(avro_read_choice(in, 2, &branch, err));
        if (branch == node->null_branch) {
            return append_null(self, to, true, err);
        }
    }
    TRY(make_room(self, to, err));
    bool is_appended = false;
    switch (node->kind) {
    case AVRO_NODE_NULL:
        return append_null(self, to, true, err);
    case AVRO_NODE_LIST:
    case AVRO_NODE_MAP:
    case AVRO_NODE_PAIRS:
        TRY(read_items(self, to, node, in, err));
        break;
    case AVRO_NODE_STRUCT:
        TRY(read_fields(self, to, node, in, err));
        break;
    case AVRO_NODE_CHOICE:
    case AVRO_NODE_MEMBERS:
        TRY(read_union(self, to, node, in, &is_appended, err));
        break;
    case AVRO_NODE_MISSING:
        assert(false); // Only read_fields meets one.
        break;
    case AVRO_NODE_BIT:
    case AVRO_NODE_I32:
    case AVRO_NODE_I64:
    case AVRO_NODE_F32:
    case AVRO_NODE_F64:
    case AVRO_NODE_F64_OF_F32:
    case AVRO_NODE_TEXT:
    case AVRO_NODE_BYTES:
    case AVRO_NODE_FIXED:
    case AVRO_NODE_UUID_TEXT:
    case AVRO_NODE_ENUM:
    case AVRO_NODE_DECIMAL_BYTES:
    case AVRO_NODE_DECIMAL_FIXED:
    case AVRO_NODE_INTERVAL:
        TRY(read_single(self, to, node, in, err));
        break;
    }
    to->length += is_appended ? 0 : 1;
    return FIRN_OK;
}

// ---- Rows ---------------------------------------------------------------------------------------

firn_status avro_rows_begin(const avro_columns *self, arena *scratch, uint32_t capacity,
                            avro_rows **out, firn_error *err) {
    avro_rows *rows = ARENA_NEW(scratch, avro_rows, 1);
    if (rows == NULL) {
        return ARENA_FULL(scratch, err);
    }
    *rows = (avro_rows){.plan = self, .scratch = scratch, .capacity = capacity};
    TRY(open_lanes(rows, &self->root, capacity, &rows->top, err));
    *out = rows;
    return FIRN_OK;
}

firn_status avro_rows_read(avro_rows *self, byte_reader *in, uint32_t count, firn_error *err) {
    assert(count <= self->capacity - self->top.length);
    for (uint32_t i = 0; i < count; i++) {
        TRY(read_fields(self, &self->top, &self->plan->root, in, err));
        self->top.length += 1;
    }
    return FIRN_OK;
}

firn_status avro_rows_skip(avro_rows *self, byte_reader *in, uint64_t count, firn_error *err) {
    for (; count > 0; count--) {
        TRY(avro_plan_read(self->plan->skip, in, NULL, err));
    }
    return FIRN_OK;
}

uint32_t avro_rows_count(const avro_rows *self) {
    return self->top.length;
}

// The column of a field that the file lacks.
static firn_status finish_missing(avro_rows *self, const lanes *from, bool is_top, column *out,
                                  firn_error *err) {
    const avro_node *node = from->node;
    column constant;
    if (node->missing == NULL) {
        TRY(column_new_null(self->scratch, node->type, from->length, &constant, err));
    } else {
        constant = *node->missing;
        constant.form = FORM_CONSTANT;
        constant.length = from->length;
    }
    if (is_top) {
        *out = constant;
        return FIRN_OK;
    }
    return column_flatten(self->scratch, &constant, out, err); // Children are flat.
}

static firn_status finish_column(avro_rows *self, const lanes *from, bool is_top, column *out,
                                 firn_error *err) {
    const avro_node *node = from->node;
    if (node->kind == AVRO_NODE_MISSING) {
        return finish_missing(self, from, is_top, out, err);
    }
    if (node->type->id == TYPE_NULL) {
        return column_new_null(self->scratch, node->type, from->length, out, err);
    }
    *out = (column){
        .type = node->type,
        .form = FORM_FLAT,
        .length = from->length,
        .validity = from->validity,
        .values = from->values,
    };
    if (node->child_count == 0) {
        return FIRN_OK;
    }
    column *children = ARENA_NEW(self->scratch, column, node->child_count);
    if (children == NULL) {
        return ARENA_FULL(self->scratch, err);
    }
    for (uint32_t i = 0; i < node->child_count; i++) {
        TRY(finish_column(self, &from->children[i], false, &children[i], err));
    }
    out->children = children;
    return FIRN_OK;
}

firn_status avro_rows_finish(avro_rows *self, const column **out, firn_error *err) {
    const uint32_t count = self->plan->root.child_count;
    column *columns = ARENA_NEW(self->scratch, column, count);
    if (columns == NULL) {
        return ARENA_FULL(self->scratch, err);
    }
    for (uint32_t i = 0; i < count; i++) {
        TRY(finish_column(self, &self->top.children[i], true, &columns[i], err));
        assert(columns[i].length == self->top.length);
    }
    *out = columns;
    return FIRN_OK;
}
