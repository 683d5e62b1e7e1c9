#include "exec/sort/sort_key.h"

#include <assert.h>
#include <math.h>

#include "base/interval.h"

#define BYTES_PER_WORK 16  // Written at once, so many cost as much as an element.
#define FIXED_SIZE_MAX 128 // Bytes of keys of fixed width; longer ones are written as text is.

typedef struct key_writer {
    arena *memory;
    uint8_t *data;
    size_t size, capacity;
    bool is_full; // Or stopped.
    cancel_watch watch;
} key_writer;

static void put_masked(key_writer *self, const uint8_t *data, size_t size, uint8_t mask) {
    uint8_t *out = self->data + self->size;
    for (size_t at = 0; at < size && !self->is_full; at += CANCEL_COPY_STEP) {
        const size_t end = size - at < CANCEL_COPY_STEP ? size : at + CANCEL_COPY_STEP;
        for (size_t i = at; i < end; i++) {
            out[i] = data[i] ^ mask;
        }
        self->is_full = cancel_watch_is_raised(&self->watch, (end - at) / BYTES_PER_WORK);
    }
}

static void put(key_writer *self, const uint8_t *data, size_t size, uint8_t mask) {
    if (size > self->capacity - self->size) {
        size_t capacity = self->capacity * 2 + 256;
        capacity = capacity < self->size + size ? self->size + size : capacity;
        uint8_t *grown = ARENA_NEW(self->memory, uint8_t, capacity);
        if (grown == NULL || !cancel_copy(self->watch.cancel, grown, self->data, self->size)) {
            self->is_full = true;
            return;
        }
        self->data = grown;
        self->capacity = capacity;
    }
    if (mask != 0) {
        put_masked(self, data, size, mask);
    } else if (!cancel_copy(self->watch.cancel, self->data + self->size, data, size)) {
        self->is_full = true;
    }
    self->size += size;
}

static void put_byte(key_writer *self, uint8_t byte, uint8_t mask) {
    put(self, &byte, 1, mask);
}

// The highest `size` bytes first; `value` holds them lowest first.
static void put_big_endian(key_writer *self, const void *value, size_t size, bool is_signed,
                           uint8_t mask) {
    uint8_t in[32];
    uint8_t out[32];
    memcpy(in, value, size);
    for (size_t i = 0; i < size; i++) {
        out[i] = in[size - 1 - i];
    }
    if (is_signed) {
        out[0] ^= 0x80;
    }
    put(self, out, size, mask);
}

uint64_t sort_key_of_double(double value) {
    uint64_t bits;
    value += 0.0; // -0.0 + 0.0 is 0.0.
    memcpy(&bits, &value, sizeof bits);
    bits = isnan(value) ? UINT64_C(0x7ff8000000000000) : bits;
    return bits >> 63 != 0 ? ~bits : bits | UINT64_C(1) << 63;
}

static void put_double(key_writer *self, double value, uint8_t mask) {
    const uint64_t bits = sort_key_of_double(value);
    put_big_endian(self, &bits, sizeof bits, false, mask);
}

static double double_of_half(uint16_t half) {
    const int exponent = half >> 10 & 0x1f;
    const double fraction = half & 0x3ff;
    const double sign = (half & 0x8000) != 0 ? -1 : 1;
    if (exponent == 0x1f) {
        return fraction > 0 ? (double)NAN : sign * (double)INFINITY;
    }
    return sign * (exponent == 0 ? ldexp(fraction, -24) : ldexp(fraction + 1024, exponent - 25));
}

static void put_text(key_writer *self, text value, uint8_t mask) {
    static const uint8_t escaped[2] = {0x00, 0xff};
    static const uint8_t end[2] = {0x00, 0x00};
    const char *from = value.data;
    const char *behind = value.data + value.size;
    while (from < behind && !self->is_full) {
        const char *zero = memchr(from, '\0', (size_t)(behind - from));
        const char *until = zero == NULL ? behind : zero;
        if (until > from) {
            put(self, (const uint8_t *)from, (size_t)(until - from), mask);
        }
        if (zero != NULL) {
            put(self, escaped, 2, mask);
        }
        from = until + (zero != NULL);
    }
    put(self, end, 2, mask);
}

static void put_row(key_writer *self, const column *value, uint32_t row, uint8_t mask);

static void put_list(key_writer *self, const column *value, list_value slice, uint8_t mask) {
    for (uint32_t i = 0; i < slice.size && !self->is_full; i++) {
        self->is_full |= cancel_watch_is_raised(&self->watch, 1);
        put_byte(self, 1, mask);
        for (uint32_t child = 0; child < value->type->child_count; child++) {
            put_row(self, &value->children[child], slice.offset + i, mask);
        }
    }
    put_byte(self, 0, mask);
}

#define FIXED_CASE(NAME, c_type, is_signed)                                                        \
    case PHYSICAL_##NAME:                                                                          \
        put_big_endian(self, &COLUMN_VALUES(value, c_type)[lane], sizeof(c_type), is_signed,       \
                       mask);                                                                      \
        break;

static void put_lane(key_writer *self, const column *value, uint32_t lane, uint8_t mask) {
    switch (type_physical(value->type)) {
        FIXED_CASE(I8, int8_t, true)
        FIXED_CASE(I16, int16_t, true)
        FIXED_CASE(I32, int32_t, true)
        FIXED_CASE(I64, int64_t, true)
        FIXED_CASE(U8, uint8_t, false)
        FIXED_CASE(U16, uint16_t, false)
        FIXED_CASE(U32, uint32_t, false)
        FIXED_CASE(U64, uint64_t, false)
        FIXED_CASE(I128, i128, true)
        FIXED_CASE(I256, i256, true)
    case PHYSICAL_F16:
        put_double(self, double_of_half(COLUMN_VALUES(value, uint16_t)[lane]), mask);
        break;
    case PHYSICAL_F32:
        put_double(self, (double)COLUMN_VALUES(value, float)[lane], mask);
        break;
    case PHYSICAL_F64:
        put_double(self, COLUMN_VALUES(value, double)[lane], mask);
        break;
    case PHYSICAL_BIT:
        put_byte(self, bitmap_get(value->values, lane) ? 1 : 0, mask);
        break;
    case PHYSICAL_STRING:
        put_text(self, string_text(&COLUMN_VALUES(value, string_value)[lane]), mask);
        break;
    case PHYSICAL_INTERVAL: {
        const i128 length = interval_length(COLUMN_VALUES(value, interval_value)[lane]);
        put_big_endian(self, &length, sizeof length, true, mask);
        break;
    }
    case PHYSICAL_LIST:
        put_list(self, value, COLUMN_VALUES(value, list_value)[lane], mask);
        break;
    case PHYSICAL_STRUCT:
        for (uint32_t child = 0; child < value->type->child_count; child++) {
            put_row(self, &value->children[child], lane, mask);
        }
        break;
    case PHYSICAL_NONE:
    case PHYSICAL_COUNT:
        break;
    }
}

// An element or field: NULL is above every value.
static void put_row(key_writer *self, const column *value, uint32_t row, uint8_t mask) {
    const bool is_valid = column_is_valid(value, row);
    put_byte(self, is_valid ? 0 : 1, mask);
    if (is_valid) {
        const column *flat = value->form == FORM_DICTIONARY ? value->dictionary->values : value;
        put_lane(self, flat, column_lane(value, row), mask);
    }
}

static void put_key(key_writer *self, const column *key, const sort_order *order, uint32_t row) {
    const bool is_valid = column_is_valid(key, row);
    put_byte(self, is_valid == order->nulls_first ? 1 : 0, 0);
    if (is_valid) {
        const column *flat = key->form == FORM_DICTIONARY ? key->dictionary->values : key;
        put_lane(self, flat, column_lane(key, row), order->is_descending ? 0xff : 0);
    }
}

// About how many bytes a key takes for all rows of a batch, so that the writer need not grow.
static size_t guess_bytes(const column *key, const batch *rows) {
    const column *flat = key->form == FORM_DICTIONARY ? key->dictionary->values : key;
    size_t size = (size_t)rows->selected_count * 20;
    if (type_physical(key->type) == PHYSICAL_STRING) {
        const string_value *values = COLUMN_VALUES(flat, string_value);
        for (uint32_t k = 0; k < rows->selected_count; k++) {
            const uint32_t row = batch_row(rows, k);
            size += column_is_valid(key, row) ? values[column_lane(key, row)].size : 0;
        }
    }
    return size;
}

static void open_writer(key_writer *self, const column *keys, uint32_t key_count,
                        const batch *rows) {
    size_t size = 0;
    for (uint32_t i = 0; i < key_count; i++) {
        size += guess_bytes(&keys[i], rows);
    }
    self->data = ARENA_NEW(self->memory, uint8_t, size + 1);
    self->capacity = self->data == NULL ? 0 : size;
}

// Where a row's key lies in the writer.
typedef struct written_key {
    size_t from;
    uint32_t size;
} written_key;

// Rows that have their keys in common: of one that is a dictionary by code, else neighbours.
typedef struct shared_keys {
    const column *keys;
    uint32_t key_count;
    const batch *rows;
    uint32_t *first; // By code: the number of the first row that has it + 1. NULL: not by code.
    bool has_wide;   // May it pay to look at neighbours?
} shared_keys;

static firn_status open_shared(shared_keys *self, arena *memory, firn_error *err) {
    const column *key = &self->keys[0];
    if (self->key_count == 1 && key->form == FORM_DICTIONARY &&
        key->dictionary->size <= self->rows->selected_count) {
        self->first = ARENA_NEW(memory, uint32_t, key->dictionary->size + 1);
        if (self->first == NULL) {
            return ARENA_FULL(memory, err);
        }
        memset(self->first, 0, key->dictionary->size * sizeof *self->first);
    }
    for (uint32_t i = 0; i < self->key_count; i++) {
        self->has_wide |=
            self->keys[i].form == FORM_DICTIONARY || type_is_nested(self->keys[i].type);
    }
    return FIRN_OK;
}

// The number of a row before the k-th that has the same keys; k: none is known.
static uint32_t find_same(const shared_keys *self, uint32_t k) {
    const uint32_t row = batch_row(self->rows, k);
    if (self->first != NULL) {
        if (!column_is_valid(&self->keys[0], row)) {
            return k;
        }
        uint32_t *first = &self->first[((const uint32_t *)self->keys[0].values)[row]];
        *first = *first == 0 ? k + 1 : *first;
        return *first - 1;
    }
    bool is_same = self->has_wide && k > 0;
    for (uint32_t i = 0; i < self->key_count && is_same; i++) {
        is_same = column_rows_alike(&self->keys[i], batch_row(self->rows, k - 1), row);
    }
    return is_same ? k - 1 : k;
}

firn_status sort_keys_encode(const column *keys, const sort_order *orders, uint32_t key_count,
                             const batch *rows, arena *memory, column *out, firn_error *err) {
    key_writer writer = {.memory = memory, .watch = {.cancel = memory->cancel}};
    written_key *written = ARENA_NEW(memory, written_key, (size_t)rows->selected_count + 1);
    if (written == NULL) {
        return ARENA_FULL(memory, err);
    }
    shared_keys shared = {.keys = keys, .key_count = key_count, .rows = rows};
    TRY(open_shared(&shared, memory, err));
    TRY(column_new(memory, TYPE_OF(BINARY), rows->row_count, out, err));
    open_writer(&writer, keys, key_count, rows);
    for (uint32_t k = 0; k < rows->selected_count; k++) {
        const uint32_t row = batch_row(rows, k);
        const uint32_t same = find_same(&shared, k);
        if (same < k) {
            written[k] = written[same];
            continue;
        }
        const size_t from = writer.size;
        for (uint32_t i = 0; i < key_count; i++) {
            put_key(&writer, &keys[i], &orders[i], row);
        }
        if (writer.is_full) {
            return ARENA_FULL(memory, err);
        }
        if (writer.size - from > UINT32_MAX) {
            return FAIL(err, FIRN_NO_MEMORY, "a sort key takes %zu bytes, at most %u are allowed",
                        writer.size - from, UINT32_MAX);
        }
        written[k] = (written_key){.from = from, .size = (uint32_t)(writer.size - from)};
    }
    for (uint32_t k = 0; k < rows->selected_count; k++) {
        COLUMN_OUT(out, string_value)
        [batch_row(rows, k)] =
            string_of((const char *)writer.data + written[k].from, written[k].size);
    }
    return FIRN_OK;
}

// ---- Keys of fixed width -----------------------------------------------------------------------

// Bytes of a value in a key; UINT32_MAX: it depends on the value.
static uint32_t fixed_width(physical kind) {
    switch ((int)kind) {
    case PHYSICAL_BIT:
        return 1;
    case PHYSICAL_F16:
    case PHYSICAL_F32:
        return sizeof(double);
    case PHYSICAL_STRING:
    case PHYSICAL_LIST:
    case PHYSICAL_STRUCT:
        return UINT32_MAX;
    default:
        return physical_size(kind);
    }
}

uint32_t sort_keys_fixed_size(const type *const *types, uint32_t count) {
    uint32_t size = 0;
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t width = fixed_width(type_physical(types[i]));
        if (width > FIXED_SIZE_MAX - 1 || size > FIXED_SIZE_MAX - 1 - width) {
            return 0;
        }
        size += 1 + width;
    }
    return (size + 7) / 8 * 8;
}

uint32_t sort_key_offset(const type *const *types, uint32_t i) {
    uint32_t offset = 0;
    for (uint32_t k = 0; k < i; k++) {
        offset += 1 + fixed_width(type_physical(types[k]));
    }
    return offset;
}

// One key of all rows: of row k at out + k * stride, first whether it is NULL.
typedef struct fixed_key {
    const column *key;
    const batch *rows;
    const column *flat; // What lanes are numbers of.
    const uint32_t *lanes;
    uint32_t count;
    uint32_t stride;
    bool is_descending;
    uint8_t *out;
} fixed_key;

// Integers: `width` and `is_signed` are constants where this is inlined.
static inline void encode_integers(const fixed_key *self, uint32_t width, bool is_signed) {
    const uint8_t *values = self->flat->values;
    const uint32_t above = 64 - width * 8;
    const uint64_t sign = is_signed ? UINT64_C(1) << 63 : 0;
    const uint64_t flip = self->is_descending ? ~sign : sign;
    for (uint32_t k = 0; k < self->count; k++) {
        uint64_t value = 0;
        memcpy(&value, values + (size_t)self->lanes[k] * width, width);
        value = __builtin_bswap64(value << above ^ flip);
        memcpy(self->out + (size_t)k * self->stride + 1, &value, width);
    }
}

static void encode_doubles(const fixed_key *self) {
    const double *values = COLUMN_VALUES(self->flat, double);
    const uint64_t flip = self->is_descending ? UINT64_MAX : 0;
    for (uint32_t k = 0; k < self->count; k++) {
        const uint64_t bits = sort_key_of_double(values[self->lanes[k]]);
        const uint64_t value = __builtin_bswap64(bits ^ flip);
        memcpy(self->out + (size_t)k * self->stride + 1, &value, sizeof value);
    }
}

static void encode_others(const fixed_key *self, uint32_t width) {
    for (uint32_t k = 0; k < self->count; k++) {
        key_writer writer = {.data = self->out + (size_t)k * self->stride + 1, .capacity = width};
        if (column_is_valid(self->key, batch_row(self->rows, k))) {
            put_lane(&writer, self->flat, self->lanes[k], self->is_descending ? 0xff : 0);
            assert(writer.size == width);
        }
    }
}

static void encode_values(const fixed_key *self) {
    const physical kind = type_physical(self->flat->type);
    switch ((int)kind) {
    case PHYSICAL_I8:
        encode_integers(self, 1, true);
        break;
    case PHYSICAL_I16:
        encode_integers(self, 2, true);
        break;
    case PHYSICAL_I32:
        encode_integers(self, 4, true);
        break;
    case PHYSICAL_I64:
        encode_integers(self, 8, true);
        break;
    case PHYSICAL_U8:
        encode_integers(self, 1, false);
        break;
    case PHYSICAL_U16:
        encode_integers(self, 2, false);
        break;
    case PHYSICAL_U32:
        encode_integers(self, 4, false);
        break;
    case PHYSICAL_U64:
        encode_integers(self, 8, false);
        break;
    case PHYSICAL_F64:
        encode_doubles(self);
        break;
    default:
        encode_others(self, fixed_width(kind));
        break;
    }
}

static void encode_key(fixed_key *self, const sort_order *order, uint32_t *lanes) {
    const column *key = self->key;
    const batch *rows = self->rows;
    const bool is_encoded = key->form == FORM_DICTIONARY;
    const uint32_t mask = key->form == FORM_CONSTANT ? 0 : UINT32_MAX;
    const uint32_t *codes = is_encoded ? COLUMN_VALUES(key, uint32_t) : NULL;
    for (uint32_t k = 0; k < self->count; k++) {
        const uint32_t row = batch_row(rows, k) & mask;
        lanes[k] = is_encoded ? codes[row] : row;
        self->out[(size_t)k * self->stride] = order->nulls_first;
    }
    self->flat = is_encoded ? key->dictionary->values : key;
    encode_values(self);
    if (key->validity == NULL && self->flat->validity == NULL && key->type->id != TYPE_NULL) {
        return;
    }
    const uint32_t width = fixed_width(type_physical(key->type));
    for (uint32_t k = 0; k < self->count; k++) {
        if (!column_is_valid(key, batch_row(rows, k))) {
            uint8_t *out = self->out + (size_t)k * self->stride;
            out[0] = !order->nulls_first;
            memset(out + 1, 0, width);
        }
    }
}

void sort_keys_encode_fixed(const column *keys, const sort_order *orders, uint32_t key_count,
                            const batch *rows, uint32_t size, uint32_t *lanes, uint8_t *out) {
    const uint32_t count = rows->selected_count;
    uint32_t at = 0;
    for (uint32_t k = 0; k < count; k++) { // What fills a key up lies in its last 8 bytes.
        memset(out + (size_t)(k + 1) * size - sizeof(uint64_t), 0, sizeof(uint64_t));
    }
    for (uint32_t i = 0; i < key_count; i++) {
        fixed_key key = {.key = &keys[i],
                         .rows = rows,
                         .lanes = lanes,
                         .count = count,
                         .stride = size,
                         .is_descending = orders[i].is_descending,
                         .out = out + at};
        encode_key(&key, &orders[i], lanes);
        at += 1 + fixed_width(type_physical(keys[i].type));
    }
    assert(at <= size);
}

// ---- Parts of keys ------------------------------------------------------------------------------

uint64_t sort_key_prefix(text key) {
    uint8_t head[9] = {0};
    memcpy(head, key.data, key.size < sizeof head ? key.size : sizeof head);
    uint64_t behind;
    memcpy(&behind, head + 1, sizeof behind);
    return (uint64_t)(head[0] & 1) << 63 | __builtin_bswap64(behind) >> 1;
}

uint64_t sort_key_part(text key, uint32_t level) {
    const size_t from = (size_t)level * sizeof(uint64_t);
    const size_t left = from < key.size ? key.size - from : 0;
    uint64_t part = 0;
    if (left > 0) {
        memcpy(&part, key.data + from, left < sizeof part ? left : sizeof part);
    }
    return __builtin_bswap64(part);
}
