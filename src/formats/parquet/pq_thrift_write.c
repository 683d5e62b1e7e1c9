// The writing half of pq_thrift.h.
#include <assert.h>
#include <string.h>

#include "formats/parquet/pq_thrift.h"

#define LIST_SIZE_SHORT_MAX 14
#define FIELD_STEP_MAX 15

static firn_status put(byte_output *self, const void *data, size_t size, firn_error *err) {
    return byte_output_put(self, (bytes){.data = data, .size = size}) ? FIRN_OK
                                                                      : BYTE_OUTPUT_FULL(self, err);
}

static firn_status put_byte(byte_output *self, uint32_t byte, firn_error *err) {
    const uint8_t one = (uint8_t)byte;
    return put(self, &one, 1, err);
}

static firn_status put_varint(byte_output *self, uint64_t value, firn_error *err) {
    return byte_output_varint(self, value) ? FIRN_OK : BYTE_OUTPUT_FULL(self, err);
}

static firn_status put_signed(byte_output *self, int64_t value, firn_error *err) {
    return byte_output_zigzag(self, value) ? FIRN_OK : BYTE_OUTPUT_FULL(self, err);
}

static firn_status put_binary(byte_output *self, bytes value, firn_error *err) {
    TRY(put_varint(self, value.size, err));
    return put(self, value.data, value.size, err);
}

// One number or string, as a field or as an element. Flags differ between the two: see the callers.
static firn_status put_value(byte_output *self, pq_thrift_kind kind, const uint8_t *value,
                             firn_error *err) {
    int16_t i16;
    int32_t i32;
    int64_t i64;
    bytes raw;
    switch (kind) {
    case PQ_THRIFT_I8:
        return put_byte(self, *value, err);
    case PQ_THRIFT_I16:
        memcpy(&i16, value, sizeof i16);
        return put_signed(self, i16, err);
    case PQ_THRIFT_I32:
        memcpy(&i32, value, sizeof i32);
        return put_signed(self, i32, err);
    case PQ_THRIFT_I64:
        memcpy(&i64, value, sizeof i64);
        return put_signed(self, i64, err);
    case PQ_THRIFT_DOUBLE:
        return put(self, value, sizeof(double), err);
    case PQ_THRIFT_BINARY:
        memcpy(&raw, value, sizeof raw);
        return put_binary(self, raw, err);
    case PQ_THRIFT_BOOL: // As an element.
        return put_byte(self, *value != 0 ? 1 : 2, err);
    case PQ_THRIFT_MARK: // An empty structure.
        return put_byte(self, 0, err);
    case PQ_THRIFT_NONE:
    case PQ_THRIFT_GROUP:
    case PQ_THRIFT_RARE:
    case PQ_THRIFT_VALUES:
    case PQ_THRIFT_GROUPS:
    case PQ_THRIFT_LAZY:
    case PQ_THRIFT_UNREAD:
        break;
    }
    return FAIL(err, FIRN_INTERNAL, "metadata value of kind %d", (int)kind);
}

static size_t kind_size(pq_thrift_kind kind) {
    return kind == PQ_THRIFT_BOOL  ? sizeof(bool)
           : kind == PQ_THRIFT_I32 ? sizeof(int32_t)
           : kind == PQ_THRIFT_I64 ? sizeof(int64_t)
                                   : sizeof(bytes);
}

static uint32_t kind_wire(pq_thrift_kind kind) {
    return kind == PQ_THRIFT_BOOL ? 1 : kind == PQ_THRIFT_I32 ? 5 : kind == PQ_THRIFT_I64 ? 6 : 8;
}

static firn_status put_list_head(byte_output *self, size_t count, uint32_t wire, firn_error *err) {
    if (count <= LIST_SIZE_SHORT_MAX) {
        return put_byte(self, (uint32_t)count << 4 | wire, err);
    }
    TRY(put_byte(self, 0xf0 | wire, err));
    return put_varint(self, count, err);
}

// Recursion is bounded by the nesting of the tables.
static firn_status put_struct(byte_output *self, const pq_thrift_struct *type, const uint8_t *value,
                              firn_error *err);

static firn_status put_list(byte_output *self, const pq_thrift_field *field, const uint8_t *member,
                            firn_error *err) {
    struct {
        size_t count;
        const uint8_t *items;
    } list;
    memcpy(&list, member, sizeof list);
    if (field->kind == PQ_THRIFT_GROUPS) {
        TRY(put_list_head(self, list.count, 12, err));
        for (size_t i = 0; i < list.count; i++) {
            TRY(put_struct(self, field->nested, list.items + i * field->nested->size, err));
        }
        return FIRN_OK;
    }
    const pq_thrift_kind kind = (pq_thrift_kind)field->item;
    TRY(put_list_head(self, list.count, kind_wire(kind), err));
    for (size_t i = 0; i < list.count; i++) {
        TRY(put_value(self, kind, list.items + i * kind_size(kind), err));
    }
    return FIRN_OK;
}

static firn_status put_member(byte_output *self, const pq_thrift_field *field,
                              const uint8_t *member, firn_error *err) {
    const uint8_t *nested;
    bytes lazy;
    switch ((pq_thrift_kind)field->kind) {
    case PQ_THRIFT_BOOL: // The field's type is the value.
        return FIRN_OK;
    case PQ_THRIFT_GROUP:
        return put_struct(self, field->nested, member, err);
    case PQ_THRIFT_RARE:
        memcpy(&nested, member, sizeof nested);
        return put_struct(self, field->nested, nested, err);
    case PQ_THRIFT_VALUES:
    case PQ_THRIFT_GROUPS:
        return put_list(self, field, member, err);
    case PQ_THRIFT_LAZY:
        memcpy(&lazy, member, sizeof lazy);
        return put(self, lazy.data, lazy.size, err);
    case PQ_THRIFT_UNREAD:
        return put_list_head(self, 0, kind_wire(PQ_THRIFT_BINARY), err);
    case PQ_THRIFT_NONE:
    case PQ_THRIFT_I8:
    case PQ_THRIFT_I16:
    case PQ_THRIFT_I32:
    case PQ_THRIFT_I64:
    case PQ_THRIFT_DOUBLE:
    case PQ_THRIFT_BINARY:
    case PQ_THRIFT_MARK:
        break;
    }
    return put_value(self, (pq_thrift_kind)field->kind, member, err);
}

static firn_status put_struct(byte_output *self, const pq_thrift_struct *type, const uint8_t *value,
                              firn_error *err) {
    uint32_t present;
    memcpy(&present, value, sizeof present);
    assert((type->required & ~present) == 0);
    uint32_t before = 0;
    for (uint32_t id = 0; id < type->field_count; id++) {
        const pq_thrift_field *field = &type->fields[id];
        if (field->kind == PQ_THRIFT_NONE || (present >> id & 1) == 0) {
            continue;
        }
        const uint8_t *member = value + field->offset;
        const bool is_false = field->kind == PQ_THRIFT_BOOL && *member == 0;
        const uint32_t wire = is_false ? 2 : field->wire;
        // A gap that is too large for the head is written as a whole number behind it.
        const bool is_near = id - before <= FIELD_STEP_MAX;
        TRY(put_byte(self, (is_near ? (id - before) << 4 : 0) | wire, err));
        if (!is_near) {
            TRY(put_signed(self, (int64_t)id, err));
        }
        TRY(put_member(self, field, member, err));
        before = id;
    }
    return put_byte(self, 0, err);
}

firn_status pq_thrift_write(byte_output *out, const pq_thrift_struct *type, const void *value,
                            firn_error *err) {
    return put_struct(out, type, value, err);
}
