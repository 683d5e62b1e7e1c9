#include "formats/parquet/pq_arrow_hint.h"

#include <stdint.h>

#include "base/base64.h"

#define DEPTH_MAX 64
#define CHILDREN_MAX (1 << 20)

// Members of unions and slots of tables, as numbered in Message.fbs and Schema.fbs.
enum {
    HEADER_SCHEMA = 1,
    TYPE_INT = 2,
    TYPE_TIMESTAMP = 10,
    TYPE_DURATION = 18,
    MESSAGE_HEADER_TYPE = 1,
    MESSAGE_HEADER = 2,
    SCHEMA_FIELDS = 1,
    FIELD_TYPE_KIND = 2,
    FIELD_TYPE = 3,
    FIELD_CHILDREN = 5,
    FIELD_METADATA = 6,
    INT_BITS = 0,
    INT_IS_SIGNED = 1,
    TIMESTAMP_ZONE = 1,
    PAIR_KEY = 0,
    PAIR_VALUE = 1
};

// ---- Flatbuffers -------------------------------------------------------------------------------
//
// A table begins with the distance back to its vtable: {size of it, size of the table, offset of
// field 0, of field 1, ...}, 16 bits each; 0 or beyond the end means the field is not there. An
// offset is 32 bits, counted from where it stands. A vector is a count and elements.

typedef struct flat {
    bytes data;
} flat;

static bool read_at(const flat *self, size_t at, size_t size, uint64_t *out) {
    if (at > self->data.size || size > self->data.size - at) {
        return false;
    }
    *out = 0;
    for (size_t i = 0; i < size; i++) {
        *out |= (uint64_t)self->data.data[at + i] << (8 * i);
    }
    return true;
}

// Where field `slot` of the table at `table` stands, 0 if it is not there.
static size_t field_at(const flat *self, size_t table, uint32_t slot) {
    uint64_t back;
    uint64_t vtable_size;
    uint64_t offset;
    if (!read_at(self, table, 4, &back)) {
        return 0;
    }
    const int64_t vtable = (int64_t)table - (int32_t)(uint32_t)back;
    if (vtable < 0 || !read_at(self, (size_t)vtable, 2, &vtable_size)) {
        return 0;
    }
    const size_t entry = 4 + 2 * (size_t)slot;
    if (entry + 2 > vtable_size || !read_at(self, (size_t)vtable + entry, 2, &offset)) {
        return 0;
    }
    return offset == 0 ? 0 : table + (size_t)offset;
}

static uint64_t field_number(const flat *self, size_t table, uint32_t slot, size_t size,
                             uint64_t otherwise) {
    const size_t at = field_at(self, table, slot);
    uint64_t value;
    return at != 0 && read_at(self, at, size, &value) ? value : otherwise;
}

// What an offset at `at` points to, 0 if nothing.
static size_t follow(const flat *self, size_t at) {
    uint64_t offset;
    if (at == 0 || !read_at(self, at, 4, &offset) || offset > self->data.size - at) {
        return 0;
    }
    return at + (size_t)offset;
}

// A vector of elements of 4 bytes (offsets) or bytes (text): its count and first element.
static size_t vector_at(const flat *self, size_t table, uint32_t slot, size_t element_size,
                        uint32_t *count) {
    const size_t at = follow(self, field_at(self, table, slot));
    uint64_t wanted;
    *count = 0;
    if (at == 0 || !read_at(self, at, 4, &wanted) ||
        wanted > (self->data.size - at - 4) / element_size) {
        return 0;
    }
    *count = (uint32_t)wanted;
    return at + 4;
}

static text text_at(const flat *self, size_t table, uint32_t slot) {
    uint32_t size;
    const size_t at = vector_at(self, table, slot, 1, &size);
    return at == 0 ? (text){.data = NULL}
                   : (text){.data = (const char *)self->data.data + at, .size = size};
}

// ---- Arrow's schema ----------------------------------------------------------------------------

static text extension_name(const flat *self, size_t field) {
    uint32_t count;
    const size_t pairs = vector_at(self, field, FIELD_METADATA, 4, &count);
    for (uint32_t i = 0; i < count; i++) {
        const size_t pair = follow(self, pairs + 4 * (size_t)i);
        if (pair != 0 && text_equal(text_at(self, pair, PAIR_KEY), TEXT("ARROW:extension:name"))) {
            return text_at(self, pair, PAIR_VALUE);
        }
    }
    return (text){.data = NULL};
}

static pq_arrow_hint hint_of(const flat *self, size_t field) {
    pq_arrow_hint out = {.kind = PQ_HINT_OTHER, .extension = extension_name(self, field)};
    const size_t type = follow(self, field_at(self, field, FIELD_TYPE));
    if (type == 0) {
        return out;
    }
    switch (field_number(self, field, FIELD_TYPE_KIND, 1, 0)) {
    case TYPE_INT:
        out.kind = PQ_HINT_INTEGER;
        out.bits = (uint8_t)(field_number(self, type, INT_BITS, 4, 0) & 0xff);
        out.is_signed = field_number(self, type, INT_IS_SIGNED, 1, 0) != 0;
        break;
    case TYPE_TIMESTAMP:
        out.kind = PQ_HINT_TIMESTAMP;
        out.has_zone = text_at(self, type, TIMESTAMP_ZONE).size > 0;
        break;
    case TYPE_DURATION:
        out.kind = PQ_HINT_DURATION;
        break;
    default:
        break;
    }
    return out;
}

// Reads a vector of fields. A flatbuffer may point back to where it came from, so besides the depth
// the number of all fields is bounded.
static bool read_fields(const flat *self, size_t table, uint32_t slot, pq_arrow_hint *parent,
                        arena *memory, uint32_t depth, uint32_t *budget) {
    uint32_t count;
    const size_t fields = vector_at(self, table, slot, 4, &count);
    if (count == 0) {
        return true;
    }
    if (depth == DEPTH_MAX || count > *budget) {
        return false;
    }
    *budget -= count;
    parent->children = ARENA_NEW(memory, pq_arrow_hint, count);
    if (parent->children == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        const size_t field = follow(self, fields + 4 * (size_t)i);
        if (field == 0) {
            return false;
        }
        parent->children[i] = hint_of(self, field);
        if (!read_fields(self, field, FIELD_CHILDREN, &parent->children[i], memory, depth + 1,
                         budget)) {
            return false;
        }
    }
    parent->child_count = count;
    return true;
}

// ---- Base64 ------------------------------------------------------------------------------------

static bool decode_base64(text input, arena *memory, bytes *out) {
    uint8_t *data = ARENA_NEW(memory, uint8_t, input.size / 4 * 3 + 3);
    if (data == NULL) {
        return false;
    }
    size_t size = 0;
    uint32_t bits = 0;
    uint32_t bit_count = 0;
    for (size_t i = 0; i < input.size && input.data[i] != '='; i++) {
        const int32_t value = base64_value(input.data[i]);
        if (value < 0) {
            return false;
        }
        bits = (bits << 6 | (uint32_t)value) & 0xffffff;
        bit_count += 6;
        if (bit_count >= 8) {
            bit_count -= 8;
            data[size++] = (uint8_t)(bits >> bit_count & 0xff);
        }
    }
    *out = (bytes){.data = data, .size = size};
    return true;
}

// The flatbuffer behind the message's length, with or without the marker that newer writers put
// before it.
static bool enter_message(bytes message, flat *out) {
    const flat whole = {.data = message};
    uint64_t word;
    size_t at = 4;
    if (!read_at(&whole, 0, 4, &word)) {
        return false;
    }
    if (word == UINT32_MAX) {
        at = 8;
    }
    if (message.size <= at) {
        return false;
    }
    *out = (flat){.data = {.data = message.data + at, .size = message.size - at}};
    return true;
}

const pq_arrow_hint *pq_arrow_hint_read(text base64, arena *memory) {
    bytes message;
    flat self;
    pq_arrow_hint *root = ARENA_NEW(memory, pq_arrow_hint, 1);
    if (root == NULL || base64.size == 0 || !decode_base64(base64, memory, &message) ||
        !enter_message(message, &self)) {
        return NULL;
    }
    *root = (pq_arrow_hint){.kind = PQ_HINT_OTHER};
    uint64_t start;
    if (!read_at(&self, 0, 4, &start) || start >= self.data.size ||
        field_number(&self, (size_t)start, MESSAGE_HEADER_TYPE, 1, 0) != HEADER_SCHEMA) {
        return NULL;
    }
    const size_t schema = follow(&self, field_at(&self, (size_t)start, MESSAGE_HEADER));
    uint32_t budget = CHILDREN_MAX;
    if (schema == 0 || !read_fields(&self, schema, SCHEMA_FIELDS, root, memory, 0, &budget)) {
        return NULL;
    }
    return root;
}
