#include "formats/ipc/ipc_write.h"

#include "column/arrow.h"
#include "formats/ipc/ipc_flat.h"

#define VERSION_5 4
#define BODY_ALIGNMENT 64
#define PREFIX_SIZE 8 // Continuation and size.

// Numbers of Message.fbs and Schema.fbs.
enum { MESSAGE_SCHEMA = 1, MESSAGE_RECORD_BATCH = 3 };
enum {
    ARROW_NULL = 1,
    ARROW_INT = 2,
    ARROW_FLOAT = 3,
    ARROW_BINARY = 4,
    ARROW_UTF8 = 5,
    ARROW_BOOL = 6,
    ARROW_DECIMAL = 7,
    ARROW_DATE = 8,
    ARROW_TIME = 9,
    ARROW_TIMESTAMP = 10,
    ARROW_INTERVAL = 11,
    ARROW_LIST = 12,
    ARROW_STRUCT = 13,
    ARROW_FIXED_BINARY = 15,
    ARROW_MAP = 17,
};
enum { INTERVAL_MONTH_DAY_NANO = 2 };

static const char magic[] = "ARROW1";

// ---- The schema --------------------------------------------------------------------------------

// Members of a type's table: up to three numbers in slots 0, 1, 2, of `sizes` bytes (0: none).
typedef struct type_table {
    uint8_t kind;
    uint64_t values[3];
    size_t sizes[3];
} type_table;

static type_table table_of(const type *of) {
    const uint64_t bits = (uint64_t)physical_size(type_physical(of)) * 8;
    switch ((int)of->id) {
    case TYPE_NULL:
        return (type_table){.kind = ARROW_NULL};
    case TYPE_BOOLEAN:
        return (type_table){.kind = ARROW_BOOL};
    case TYPE_TINYINT:
    case TYPE_SMALLINT:
    case TYPE_INTEGER:
    case TYPE_BIGINT:
        return (type_table){ARROW_INT, {bits, 1}, {4, 1}};
    case TYPE_UTINYINT:
    case TYPE_USMALLINT:
    case TYPE_UINTEGER:
    case TYPE_UBIGINT:
        return (type_table){ARROW_INT, {bits, 0}, {4, 1}};
    case TYPE_FLOAT16:
    case TYPE_REAL:
    case TYPE_DOUBLE:
        return (type_table){ARROW_FLOAT, {(uint64_t)(of->id - TYPE_FLOAT16)}, {2}};
    case TYPE_DECIMAL:
        return (type_table){
            ARROW_DECIMAL,
            {of->precision, of->scale, of->precision <= DECIMAL_PRECISION_I128 ? 128 : 256},
            {4, 4, 4}};
    case TYPE_DATE:
        return (type_table){ARROW_DATE, {0}, {2}};
    case TYPE_TIME:
        return (type_table){ARROW_TIME, {of->unit, bits}, {2, 4}};
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMPTZ:
        return (type_table){ARROW_TIMESTAMP, {of->unit}, {2}};
    case TYPE_INTERVAL:
        return (type_table){ARROW_INTERVAL, {INTERVAL_MONTH_DAY_NANO}, {2}};
    case TYPE_VARCHAR:
    case TYPE_JSON:
        return (type_table){.kind = ARROW_UTF8};
    case TYPE_BINARY:
    case TYPE_UUID:
        return of->width > 0 || of->id == TYPE_UUID
                   ? (type_table){ARROW_FIXED_BINARY, {of->id == TYPE_UUID ? 16 : of->width}, {4}}
                   : (type_table){.kind = ARROW_BINARY};
    case TYPE_LIST:
        return (type_table){.kind = ARROW_LIST};
    case TYPE_MAP:
        return (type_table){ARROW_MAP, {0}, {1}};
    default:
        return (type_table){.kind = ARROW_STRUCT};
    }
}

static ipc_place put_type(ipc_flat *flat, const type_table *table, const type *of) {
    const ipc_place zone = of->id == TYPE_TIMESTAMPTZ ? ipc_flat_string(flat, TEXT("UTC")) : 0;
    ipc_flat_begin(flat);
    for (size_t slot = 0; slot < 3; slot++) {
        if (table->sizes[slot] > 0) {
            ipc_flat_field(flat, slot, table->values[slot], table->sizes[slot]);
        }
    }
    ipc_flat_reference(flat, 1, zone);
    return ipc_flat_end(flat);
}

static ipc_place put_pair(ipc_flat *flat, text key, text value) {
    const ipc_place key_place = ipc_flat_string(flat, key);
    const ipc_place value_place = ipc_flat_string(flat, value);
    ipc_flat_begin(flat);
    ipc_flat_reference(flat, 0, key_place);
    ipc_flat_reference(flat, 1, value_place);
    return ipc_flat_end(flat);
}

static ipc_place put_extension(ipc_flat *flat, const type *of) {
    if (of->id != TYPE_UUID && of->id != TYPE_JSON) {
        return 0;
    }
    const ipc_place pairs[] = {
        put_pair(flat, TEXT("ARROW:extension:name"),
                 of->id == TYPE_UUID ? TEXT("arrow.uuid") : TEXT("arrow.json")),
        put_pair(flat, TEXT("ARROW:extension:metadata"), TEXT("")),
    };
    return ipc_flat_vector(flat, pairs, 2);
}

static ipc_place put_fields(ipc_flat *flat, const field *fields, uint32_t count);

static ipc_place put_field(ipc_flat *flat, const field *self) {
    const type *of = self->type;
    const type_table table = table_of(of);
    // A map's keys and values lie in a struct "entries".
    const type pair = {.id = TYPE_STRUCT, .child_count = of->child_count, .children = of->children};
    const field entries = {.name = TEXT("entries"), .type = &pair, .id = -1};
    const ipc_place children = of->id == TYPE_MAP ? put_fields(flat, &entries, 1)
                                                  : put_fields(flat, of->children, of->child_count);
    const ipc_place metadata = put_extension(flat, of);
    const ipc_place type_place = put_type(flat, &table, of);
    const ipc_place name = ipc_flat_string(flat, self->name);
    ipc_flat_begin(flat);
    ipc_flat_reference(flat, 0, name);
    ipc_flat_reference(flat, 3, type_place);
    ipc_flat_reference(flat, 5, children);
    ipc_flat_reference(flat, 6, metadata);
    ipc_flat_field(flat, 1, self->is_nullable, 1);
    ipc_flat_field(flat, 2, table.kind, 1);
    return ipc_flat_end(flat);
}

static ipc_place put_fields(ipc_flat *flat, const field *fields, uint32_t count) {
    ipc_place *places = ARENA_NEW(flat->memory, ipc_place, (size_t)count + 1);
    if (places == NULL) {
        flat->is_full = true;
        return 0;
    }
    for (uint32_t i = 0; i < count; i++) {
        places[i] = put_field(flat, &fields[i]);
    }
    return ipc_flat_vector(flat, places, count);
}

static ipc_place put_schema(ipc_flat *flat, const schema *columns) {
    const ipc_place fields = put_fields(flat, columns->fields, columns->count);
    ipc_flat_begin(flat);
    ipc_flat_reference(flat, 1, fields);
    ipc_flat_field(flat, 0, 0, 2); // Little endian.
    return ipc_flat_end(flat);
}

// ---- Messages ----------------------------------------------------------------------------------

static void append_number(text_builder *out, uint32_t value) {
    char raw[sizeof value];
    memcpy(raw, &value, sizeof value);
    text_append(out, (text){.data = raw, .size = sizeof raw});
}

static void append_bytes(text_builder *out, bytes content) {
    text_append(out, (text){.data = (const char *)content.data, .size = content.size});
}

// A message without its body, which follows.
static firn_status put_message(ipc_flat *flat, uint8_t kind, ipc_place header, uint64_t body,
                               text_builder *out, uint32_t *prefix, firn_error *err) {
    bytes message;
    ipc_flat_begin(flat);
    ipc_flat_field(flat, 3, body, 8);
    ipc_flat_reference(flat, 2, header);
    ipc_flat_field(flat, 0, VERSION_5, 2);
    ipc_flat_field(flat, 1, kind, 1);
    TRY(ipc_flat_finish(flat, ipc_flat_end(flat), &message, err));
    append_number(out, UINT32_MAX);
    append_number(out, (uint32_t)message.size);
    append_bytes(out, message);
    *prefix = (uint32_t)message.size + PREFIX_SIZE;
    return FIRN_OK;
}

firn_status ipc_put_head(const schema *columns, ipc_kind kind, text_builder *out, firn_error *err) {
    ipc_flat flat = {.memory = out->memory};
    uint32_t prefix;
    if (kind == IPC_FILE) {
        text_append(out, (text){.data = "ARROW1\0", .size = 8});
    }
    const ipc_place header = put_schema(&flat, columns);
    return put_message(&flat, MESSAGE_SCHEMA, header, 0, out, &prefix, err);
}

firn_status ipc_put_foot(const schema *columns, ipc_kind kind, const ipc_blocks *blocks,
                         text_builder *out, firn_error *err) {
    append_number(out, UINT32_MAX);
    append_number(out, 0);
    if (kind == IPC_STREAM) {
        return FIRN_OK;
    }
    ipc_flat flat = {.memory = out->memory};
    bytes footer;
    const ipc_place columns_place = put_schema(&flat, columns);
    const ipc_place dictionaries = ipc_flat_structs(&flat, NULL, 0, sizeof(ipc_block));
    const ipc_place batches =
        ipc_flat_structs(&flat, blocks->items, blocks->count, sizeof(ipc_block));
    ipc_flat_begin(&flat);
    ipc_flat_reference(&flat, 1, columns_place);
    ipc_flat_reference(&flat, 2, dictionaries);
    ipc_flat_reference(&flat, 3, batches);
    ipc_flat_field(&flat, 0, VERSION_5, 2);
    TRY(ipc_flat_finish(&flat, ipc_flat_end(&flat), &footer, err));
    append_bytes(out, footer);
    append_number(out, (uint32_t)footer.size);
    text_append(out, (text){.data = magic, .size = sizeof magic - 1});
    return FIRN_OK;
}

// ---- Record batches ----------------------------------------------------------------------------

typedef struct node_entry {
    int64_t length;
    int64_t null_count;
} node_entry;

typedef struct buffer_entry {
    int64_t offset;
    int64_t size;
} buffer_entry;

typedef struct record {
    uint32_t node_count;
    uint32_t buffer_count;
    node_entry *nodes;
    buffer_entry *buffers;
    const void **data; // Of each buffer; NULL with a size: zeros.
    uint64_t size;
} record;

static uint32_t node_count_of(const type *of) {
    uint32_t count = of->id == TYPE_MAP ? 2 : 1; // Its entries.
    for (uint32_t i = 0; i < of->child_count; i++) {
        count += node_count_of(of->children[i].type);
    }
    return count;
}

static void add_buffer(record *self, const void *data, uint64_t size) {
    self->data[self->buffer_count] = data;
    self->buffers[self->buffer_count++] =
        (buffer_entry){.offset = (int64_t)self->size, .size = (int64_t)size};
    self->size += (size + BODY_ALIGNMENT - 1) / BODY_ALIGNMENT * BODY_ALIGNMENT;
}

static uint64_t bits_size(int64_t count) {
    return ((uint64_t)count + 7) / 8;
}

// Offsets of an array of no rows are one zero.
static int32_t add_offsets(record *self, const struct ArrowArray *array) {
    const int32_t *offsets = array->length > 0 ? array->buffers[1] : NULL;
    add_buffer(self, offsets, ((uint64_t)array->length + 1) * sizeof(int32_t));
    return offsets == NULL ? 0 : offsets[array->length];
}

static void add_array(record *self, const type *of, const struct ArrowArray *array);

static void add_node(record *self, const struct ArrowArray *array, bool has_validity) {
    self->nodes[self->node_count++] =
        (node_entry){.length = array->length, .null_count = array->null_count};
    if (has_validity) {
        const bool has_nulls = array->null_count > 0;
        add_buffer(self, has_nulls ? array->buffers[0] : NULL,
                   has_nulls ? bits_size(array->length) : 0);
    }
}

static void add_children(record *self, const type *of, const struct ArrowArray *array) {
    for (uint32_t i = 0; i < of->child_count; i++) {
        add_array(self, of->children[i].type, array->children[i]);
    }
}

static void add_array(record *self, const type *of, const struct ArrowArray *array) {
    const type_table table = table_of(of);
    add_node(self, array, table.kind != ARROW_NULL);
    switch ((int)table.kind) {
    case ARROW_NULL:
        break;
    case ARROW_BOOL:
        add_buffer(self, array->buffers[1], bits_size(array->length));
        break;
    case ARROW_UTF8:
    case ARROW_BINARY: {
        const int32_t size = add_offsets(self, array);
        add_buffer(self, array->buffers[2], (uint64_t)size);
        break;
    }
    case ARROW_LIST:
        (void)add_offsets(self, array);
        add_children(self, of, array);
        break;
    case ARROW_MAP:
        (void)add_offsets(self, array);
        add_node(self, array->children[0], true);
        add_children(self, of, array->children[0]);
        break;
    case ARROW_STRUCT:
        add_children(self, of, array);
        break;
    default: {
        uint64_t width = physical_size(type_physical(of));
        width = table.kind == ARROW_FIXED_BINARY ? table.values[0] : width;
        width = table.kind == ARROW_DECIMAL ? table.values[2] / 8 : width;
        add_buffer(self, array->buffers[1], (uint64_t)array->length * width);
    }
    }
}

static firn_status put_batch(const schema *columns, const struct ArrowArray *array,
                             text_builder *out, uint32_t *prefix, firn_error *err) {
    static const char zeros[BODY_ALIGNMENT] = {0};
    arena *memory = out->memory;
    size_t count = 1;
    for (uint32_t i = 0; i < columns->count; i++) {
        count += node_count_of(columns->fields[i].type);
    }
    record self = {.nodes = ARENA_NEW(memory, node_entry, count),
                   .buffers = ARENA_NEW(memory, buffer_entry, count * 3),
                   .data = ARENA_NEW(memory, const void *, count * 3)};
    if (self.nodes == NULL || self.buffers == NULL || self.data == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t i = 0; i < columns->count; i++) {
        add_array(&self, columns->fields[i].type, array->children[i]);
    }
    ipc_flat flat = {.memory = memory};
    const ipc_place nodes =
        ipc_flat_structs(&flat, self.nodes, self.node_count, sizeof(node_entry));
    const ipc_place buffers =
        ipc_flat_structs(&flat, self.buffers, self.buffer_count, sizeof(buffer_entry));
    ipc_flat_begin(&flat);
    ipc_flat_field(&flat, 0, (uint64_t)array->length, 8);
    ipc_flat_reference(&flat, 1, nodes);
    ipc_flat_reference(&flat, 2, buffers);
    const ipc_place header = ipc_flat_end(&flat);
    TRY(put_message(&flat, MESSAGE_RECORD_BATCH, header, self.size, out, prefix, err));
    for (uint32_t i = 0; i < self.buffer_count; i++) {
        const size_t size = (size_t)self.buffers[i].size;
        const char *data = self.data[i] == NULL && size > 0 ? zeros : self.data[i];
        text_append(out, (text){.data = data, .size = size});
        text_append(out, (text){.data = zeros,
                                .size = (BODY_ALIGNMENT - size % BODY_ALIGNMENT) % BODY_ALIGNMENT});
    }
    return FIRN_OK;
}

firn_status ipc_put_rows(const schema *columns, const batch *rows, struct pool *pool,
                         const cancel_flag *cancel, text_builder *out, uint32_t *prefix,
                         firn_error *err) {
    const arrow_options options = {.batch_rows = BATCH_ROWS, .cancel = cancel};
    arrow_builder *builder;
    struct ArrowArray array = {0};
    TRY(arrow_builder_open(columns, &options, pool, &builder, err));
    firn_status status = arrow_builder_push(builder, rows, err);
    if (status == FIRN_OK) {
        status = arrow_builder_finish(builder, &array, err);
    }
    arrow_builder_close(builder);
    TRY(status);
    status = put_batch(columns, &array, out, prefix, err);
    array.release(&array);
    return status;
}
