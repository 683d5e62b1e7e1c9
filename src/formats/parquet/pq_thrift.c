#include "formats/parquet/pq_thrift.h"

#include <assert.h>
#include <string.h>

#include "base/checked.h"

// Compact types on the wire.
enum {
    WIRE_STOP = 0,
    WIRE_TRUE = 1,
    WIRE_FALSE = 2,
    WIRE_I8 = 3,
    WIRE_I16 = 4,
    WIRE_I32 = 5,
    WIRE_I64 = 6,
    WIRE_DOUBLE = 7,
    WIRE_BINARY = 8,
    WIRE_LIST = 9,
    WIRE_SET = 10,
    WIRE_MAP = 11,
    WIRE_STRUCT = 12,
    WIRE_UUID = 13
};

#define VARINT_BYTES_MAX 10
#define UUID_BYTES 16

// Layout shared by all list members; see PQ_LIST_TYPE.
typedef struct any_list {
    size_t count;
    void *items;
} any_list;

// ---- Reading ------------------------------------------------------------------------------------

typedef struct reading {
    byte_reader in;
    arena *memory;
    uint32_t depth; // Structures, lists and maps entered and not left.
} reading;

static firn_status read_byte(reading *self, uint8_t *out, firn_error *err) {
    if (reader_left(&self->in) == 0) {
        return FAIL(err, FIRN_CORRUPT, "metadata is cut off");
    }
    *out = *self->in.at++;
    return FIRN_OK;
}

static firn_status read_long_varint(reading *self, uint64_t *out, firn_error *err) {
    uint64_t value = 0;
    for (uint32_t i = 0; i < VARINT_BYTES_MAX; i++) {
        uint8_t part;
        TRY(read_byte(self, &part, err));
        if (i == VARINT_BYTES_MAX - 1 && part > 1) {
            break;
        }
        value |= (uint64_t)(part & 0x7f) << (7 * i);
        if (part < 0x80) {
            *out = value;
            return FIRN_OK;
        }
    }
    return FAIL(err, FIRN_CORRUPT, "varint does not fit 64 bits");
}

static inline firn_status read_varint(reading *self, uint64_t *out, firn_error *err) {
    if (LIKELY(reader_left(&self->in) > 0 && *self->in.at < 0x80)) {
        *out = *self->in.at++;
        return FIRN_OK;
    }
    return read_long_varint(self, out, err);
}

static inline firn_status read_signed(reading *self, int64_t low, int64_t high, int64_t *out,
                                      firn_error *err) {
    uint64_t raw;
    TRY(read_varint(self, &raw, err));
    const int64_t half = (int64_t)(raw >> 1);
    const int64_t value = (raw & 1) == 0 ? half : -half - 1;
    if (value < low || value > high) {
        return FAIL(err, FIRN_CORRUPT, "number %lld, %lld to %lld are allowed", (long long)value,
                    (long long)low, (long long)high);
    }
    *out = value;
    return FIRN_OK;
}

static firn_status read_binary(reading *self, bytes *out, firn_error *err) {
    uint64_t size;
    TRY(read_varint(self, &size, err));
    if (size > reader_left(&self->in)) {
        return FAIL(err, FIRN_CORRUPT, "text of %llu bytes, %zu are left", (unsigned long long)size,
                    reader_left(&self->in));
    }
    return reader_take(&self->in, (size_t)size, out, err);
}

static firn_status enter(reading *self, firn_error *err) {
    if (self->depth == PQ_THRIFT_DEPTH_MAX) {
        return FAIL(err, FIRN_CORRUPT, "metadata nested deeper than %d", PQ_THRIFT_DEPTH_MAX);
    }
    self->depth += 1;
    return FIRN_OK;
}

static void leave(reading *self) {
    assert(self->depth > 0);
    self->depth -= 1;
}

// The head of a list or set. Every element takes at least `bytes_min` bytes, which bounds the count
// before anybody allocates for it.
static firn_status read_list_head(reading *self, uint32_t bytes_min, size_t *count, uint8_t *wire,
                                  firn_error *err) {
    uint8_t head;
    TRY(read_byte(self, &head, err));
    uint64_t size = head >> 4;
    if (size == 15) {
        TRY(read_varint(self, &size, err));
    }
    if (size > reader_left(&self->in) / bytes_min) {
        return FAIL(err, FIRN_CORRUPT, "list of %llu elements in %zu bytes",
                    (unsigned long long)size, reader_left(&self->in));
    }
    *count = (size_t)size;
    *wire = head & 0x0f;
    return FIRN_OK;
}

// The head of a field; `*id` comes in as the number of the field before.
static firn_status read_field_head(reading *self, uint32_t *id, uint8_t *wire, firn_error *err) {
    uint8_t head;
    TRY(read_byte(self, &head, err));
    *wire = head & 0x0f;
    if (*wire == WIRE_STOP) {
        return FIRN_OK;
    }
    if (head >> 4 != 0) {
        *id += head >> 4;
        if (UNLIKELY(*id > INT16_MAX)) {
            return FAIL(err, FIRN_CORRUPT, "metadata field number %u", *id);
        }
        return FIRN_OK;
    }
    int64_t number;
    TRY(read_signed(self, 0, INT16_MAX, &number, err));
    *id = (uint32_t)number;
    return FIRN_OK;
}

static firn_status skip(reading *self, uint8_t wire, firn_error *err);

// Every element takes a byte at least, so the loops end with the input.
static firn_status skip_elements(reading *self, size_t count, uint8_t wire, firn_error *err) {
    for (size_t i = 0; i < count; i++) {
        if (wire == WIRE_TRUE || wire == WIRE_FALSE) { // In a list a flag is a byte.
            wire = WIRE_I8;
        }
        TRY(skip(self, wire, err));
    }
    return FIRN_OK;
}

static firn_status skip_map(reading *self, firn_error *err) {
    uint64_t count;
    TRY(read_varint(self, &count, err));
    if (count == 0) {
        return FIRN_OK;
    }
    uint8_t wires;
    TRY(read_byte(self, &wires, err));
    for (uint64_t i = 0; i < count; i++) {
        TRY(skip_elements(self, 1, wires >> 4, err));
        TRY(skip_elements(self, 1, wires & 0x0f, err));
    }
    return FIRN_OK;
}

static firn_status skip_struct(reading *self, firn_error *err) {
    uint32_t id = 0;
    for (;;) {
        uint8_t wire;
        TRY(read_field_head(self, &id, &wire, err));
        if (wire == WIRE_STOP) {
            return FIRN_OK;
        }
        TRY(skip(self, wire, err));
    }
}

static firn_status skip_nested(reading *self, uint8_t wire, firn_error *err) {
    TRY(enter(self, err));
    if (wire == WIRE_STRUCT) {
        TRY(skip_struct(self, err));
    } else if (wire == WIRE_MAP) {
        TRY(skip_map(self, err));
    } else {
        size_t count;
        TRY(read_list_head(self, 1, &count, &wire, err));
        TRY(skip_elements(self, count, wire, err));
    }
    leave(self);
    return FIRN_OK;
}

// Passes over one value of a field.
static firn_status skip(reading *self, uint8_t wire, firn_error *err) {
    bytes ignored;
    uint64_t number;
    switch (wire) {
    case WIRE_TRUE:
    case WIRE_FALSE:
        return FIRN_OK;
    case WIRE_I8:
        return reader_take(&self->in, 1, &ignored, err);
    case WIRE_I16:
    case WIRE_I32:
    case WIRE_I64:
        return read_varint(self, &number, err);
    case WIRE_DOUBLE:
        return reader_take(&self->in, sizeof(double), &ignored, err);
    case WIRE_UUID:
        return reader_take(&self->in, UUID_BYTES, &ignored, err);
    case WIRE_BINARY:
        return read_binary(self, &ignored, err);
    case WIRE_LIST:
    case WIRE_SET:
    case WIRE_MAP:
    case WIRE_STRUCT:
        return skip_nested(self, wire, err);
    default:
        return FAIL(err, FIRN_CORRUPT, "metadata field of type %u", wire);
    }
}

// Fewest bytes a structure takes: the end, and a head and a byte per required field.
static uint32_t struct_bytes_min(const pq_thrift_struct *type) {
    return 1 + 2 * (uint32_t)__builtin_popcount(type->required);
}

static firn_status read_struct(reading *self, const pq_thrift_struct *type, void *out,
                               firn_error *err);

// What is to be read later; that it is well-formed is known now.
static firn_status read_lazy(reading *self, uint8_t wire, void *out, firn_error *err) {
    bytes *lazy = out;
    lazy->data = self->in.at;
    TRY(skip(self, wire, err));
    lazy->size = (size_t)(self->in.at - lazy->data);
    return FIRN_OK;
}

static firn_status read_groups(reading *self, const pq_thrift_field *field, any_list *out,
                               firn_error *err) {
    uint8_t wire;
    TRY(read_list_head(self, struct_bytes_min(field->nested), &out->count, &wire, err));
    if (out->count == 0) {
        return FIRN_OK;
    }
    if (wire != WIRE_STRUCT) {
        return FAIL(err, FIRN_CORRUPT, "list \"%s\" of type %u instead of structures", field->name,
                    wire);
    }
    uint8_t *items = arena_alloc(self->memory, out->count, field->nested->size);
    if (items == NULL) {
        return ARENA_FULL(self->memory, err);
    }
    for (size_t i = 0; i < out->count; i++) {
        TRY(read_struct(self, field->nested, items + i * field->nested->size, err));
    }
    out->items = items;
    return FIRN_OK;
}

static firn_status read_integers(reading *self, bool is_long, any_list *out, firn_error *err) {
    const int64_t low = is_long ? INT64_MIN : INT32_MIN;
    const int64_t high = is_long ? INT64_MAX : INT32_MAX;
    const size_t size = is_long ? sizeof(int64_t) : sizeof(int32_t);
    uint8_t *items = arena_alloc(self->memory, out->count, size);
    if (items == NULL) {
        return ARENA_FULL(self->memory, err);
    }
    for (size_t i = 0; i < out->count; i++) {
        int64_t value;
        TRY(read_signed(self, low, high, &value, err));
        if (is_long) {
            ((int64_t *)(void *)items)[i] = value;
        } else {
            ((int32_t *)(void *)items)[i] = (int32_t)value;
        }
    }
    out->items = items;
    return FIRN_OK;
}

static firn_status read_flags(reading *self, any_list *out, firn_error *err) {
    bytes raw;
    TRY(reader_take(&self->in, out->count, &raw, err));
    bool *items = ARENA_NEW(self->memory, bool, out->count);
    if (items == NULL) {
        return ARENA_FULL(self->memory, err);
    }
    for (size_t i = 0; i < out->count; i++) {
        items[i] = raw.data[i] == WIRE_TRUE;
    }
    out->items = items;
    return FIRN_OK;
}

static firn_status read_binaries(reading *self, any_list *out, firn_error *err) {
    bytes *items = ARENA_NEW(self->memory, bytes, out->count);
    if (items == NULL) {
        return ARENA_FULL(self->memory, err);
    }
    for (size_t i = 0; i < out->count; i++) {
        TRY(read_binary(self, &items[i], err));
    }
    out->items = items;
    return FIRN_OK;
}

static firn_status read_values(reading *self, const pq_thrift_field *field, any_list *out,
                               firn_error *err) {
    uint8_t wire;
    TRY(read_list_head(self, 1, &out->count, &wire, err));
    if (out->count == 0) {
        return FIRN_OK;
    }
    if (field->item == PQ_THRIFT_BOOL && (wire == WIRE_TRUE || wire == WIRE_FALSE)) {
        return read_flags(self, out, err);
    }
    if (field->item == PQ_THRIFT_BINARY && wire == WIRE_BINARY) {
        return read_binaries(self, out, err);
    }
    const bool is_long = field->item == PQ_THRIFT_I64;
    if ((is_long || field->item == PQ_THRIFT_I32) && (wire == WIRE_I32 || wire == WIRE_I64)) {
        return read_integers(self, is_long, out, err);
    }
    return FAIL(err, FIRN_CORRUPT, "list \"%s\" of type %u", field->name, wire);
}

// Stores an integer of `size` bytes.
static firn_status read_integer(reading *self, uint32_t bits, void *out, firn_error *err) {
    const int64_t high = INT64_MAX >> (64 - bits);
    int64_t value;
    TRY(read_signed(self, -high - 1, high, &value, err));
    memcpy(out, &value, bits / 8); // Little-endian: the low bytes come first.
    return FIRN_OK;
}

static firn_status read_rare(reading *self, const pq_thrift_field *field, void *out,
                             firn_error *err) {
    void *nested = arena_alloc(self->memory, 1, field->nested->size);
    if (nested == NULL) {
        return ARENA_FULL(self->memory, err);
    }
    TRY(read_struct(self, field->nested, nested, err));
    memcpy(out, &nested, sizeof nested);
    return FIRN_OK;
}

// Reads the value of a field whose type on the wire is the expected one into its member.
static firn_status read_member(reading *self, const pq_thrift_field *field, uint8_t wire,
                               uint8_t *member, firn_error *err) {
    bytes raw;
    switch ((pq_thrift_kind)field->kind) {
    case PQ_THRIFT_I32:
        return read_integer(self, 32, member, err);
    case PQ_THRIFT_I64:
        return read_integer(self, 64, member, err);
    case PQ_THRIFT_BINARY:
        return read_binary(self, (bytes *)(void *)member, err);
    case PQ_THRIFT_GROUP:
        return read_struct(self, field->nested, member, err);
    case PQ_THRIFT_GROUPS:
        return read_groups(self, field, (any_list *)(void *)member, err);
    case PQ_THRIFT_VALUES:
        return read_values(self, field, (any_list *)(void *)member, err);
    case PQ_THRIFT_RARE:
        return read_rare(self, field, member, err);
    case PQ_THRIFT_BOOL:
        *(bool *)member = wire == WIRE_TRUE;
        return FIRN_OK;
    case PQ_THRIFT_I8:
        return read_byte(self, member, err);
    case PQ_THRIFT_I16:
        return read_integer(self, 16, member, err);
    case PQ_THRIFT_DOUBLE:
        TRY(reader_take(&self->in, sizeof(double), &raw, err));
        memcpy(member, raw.data, sizeof(double));
        return FIRN_OK;
    case PQ_THRIFT_MARK:
    case PQ_THRIFT_UNREAD:
        return skip(self, wire, err);
    case PQ_THRIFT_LAZY:
        return read_lazy(self, wire, member, err);
    case PQ_THRIFT_NONE:
        break;
    }
    return FAIL(err, FIRN_INTERNAL, "metadata field \"%s\" of kind %u", field->name, field->kind);
}

static firn_status read_struct(reading *self, const pq_thrift_struct *type, void *out,
                               firn_error *err) {
    TRY(enter(self, err));
    memset(out, 0, type->size);
    uint32_t present = 0;
    uint32_t id = 0;
    for (;;) {
        uint8_t wire;
        TRY(read_field_head(self, &id, &wire, err));
        if (wire == WIRE_STOP) {
            break;
        }
        const pq_thrift_field *field = id < type->field_count ? &type->fields[id] : NULL;
        if (field != NULL &&
            (wire == field->wire || (wire == WIRE_FALSE && field->wire == WIRE_TRUE))) {
            TRY(read_member(self, field, wire, (uint8_t *)out + field->offset, err));
            present |= UINT32_C(1) << id;
        } else {
            TRY(skip(self, wire, err));
        }
    }
    const uint32_t missing = type->required & ~present;
    if (missing != 0) {
        return FAIL(err, FIRN_CORRUPT, "field \"%s\" of \"%s\" is missing",
                    type->fields[__builtin_ctz(missing)].name, type->name);
    }
    memcpy(out, &present, sizeof present);
    leave(self);
    return FIRN_OK;
}

firn_status pq_thrift_read(byte_reader *in, const pq_thrift_struct *type, void *out, arena *memory,
                           firn_error *err) {
    reading self = {.in = *in, .memory = memory};
    TRY(read_struct(&self, type, out, err));
    assert(self.depth == 0);
    *in = self.in;
    return FIRN_OK;
}

firn_status pq_thrift_read_list(bytes input, const pq_thrift_struct *type, arena *memory,
                                void **items, size_t *count, firn_error *err) {
    reading self = {.in = reader_open(input), .memory = memory};
    const pq_thrift_field field = {.name = type->name, .nested = type};
    any_list list = {.count = 0};
    TRY(read_groups(&self, &field, &list, err));
    *items = list.items;
    *count = list.count;
    return FIRN_OK;
}
