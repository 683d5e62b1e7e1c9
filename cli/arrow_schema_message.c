#include "arrow_schema_message.h"

#include <stdlib.h>
#include <string.h>

enum { ARROW_VERSION_5 = 4, ARROW_CONTINUATION_SIZE = 8 };

// Numbers of Arrow's format definition, Schema.fbs.
typedef enum arrow_type {
    ARROW_NONE = 0,
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
    ARROW_FIXED_LIST = 16,
    ARROW_MAP = 17,
    ARROW_DURATION = 18,
    ARROW_LARGE_BINARY = 19,
    ARROW_LARGE_UTF8 = 20,
    ARROW_LARGE_LIST = 21,
    ARROW_BINARY_VIEW = 23,
    ARROW_UTF8_VIEW = 24,
    ARROW_LIST_VIEW = 25,
    ARROW_LARGE_LIST_VIEW = 26,
} arrow_type;

/// Members of a type's table: up to three numbers in slots 0, 1, 2, of `sizes` bytes (0: none).
typedef struct type_table {
    arrow_type type; // ARROW_NONE: IPC does not have it.
    uint64_t values[3];
    size_t sizes[3];
} type_table;

static type_table integer_table(cell_kind kind) {
    const unsigned step = (unsigned)(kind - CELL_INT8);
    return (type_table){.type = ARROW_INT, .values = {8U << (step % 4), step < 4}, .sizes = {4, 1}};
}

static type_table moment_table(const cell_type *type) {
    const uint64_t unit = (uint64_t)type->digits / 3;
    switch ((int)type->kind) {
    case CELL_DATE_DAY:
    case CELL_DATE_MS:
        return (type_table){ARROW_DATE, {type->kind == CELL_DATE_MS}, {2}};
    case CELL_TIME_32:
    case CELL_TIME_64:
        return (type_table){ARROW_TIME, {unit, type->kind == CELL_TIME_32 ? 32 : 64}, {2, 4}};
    case CELL_TIMESTAMP:
        return (type_table){ARROW_TIMESTAMP, {unit}, {2}};
    case CELL_DURATION:
        return (type_table){ARROW_DURATION, {unit}, {2}};
    default: // Months, days and milliseconds, months and nanoseconds: 0, 1, 2.
        return (type_table){ARROW_INTERVAL, {(uint64_t)(type->kind - CELL_MONTHS)}, {2}};
    }
}

static type_table table_of(const cell_type *type, int64_t flags) {
    static const arrow_type plain[] = {
        [CELL_NULL] = ARROW_NULL,
        [CELL_BOOLEAN] = ARROW_BOOL,
        [CELL_TEXT] = ARROW_UTF8,
        [CELL_TEXT_LARGE] = ARROW_LARGE_UTF8,
        [CELL_TEXT_VIEW] = ARROW_UTF8_VIEW,
        [CELL_BINARY] = ARROW_BINARY,
        [CELL_BINARY_LARGE] = ARROW_LARGE_BINARY,
        [CELL_BINARY_VIEW] = ARROW_BINARY_VIEW,
        [CELL_LIST] = ARROW_LIST,
        [CELL_LIST_LARGE] = ARROW_LARGE_LIST,
        [CELL_LIST_VIEW] = ARROW_LIST_VIEW,
        [CELL_LIST_VIEW_LARGE] = ARROW_LARGE_LIST_VIEW,
        [CELL_STRUCT] = ARROW_STRUCT,
        [CELL_RUNS] = ARROW_NONE,
    };
    const cell_kind kind = type->kind;
    if (kind >= CELL_INT8 && kind <= CELL_UINT64) {
        return integer_table(kind);
    }
    if (kind >= CELL_FLOAT16 && kind <= CELL_FLOAT64) {
        return (type_table){ARROW_FLOAT, {(uint64_t)(kind - CELL_FLOAT16)}, {2}};
    }
    if (kind == CELL_DECIMAL) {
        return (type_table){
            ARROW_DECIMAL,
            {(uint32_t)type->precision, (uint32_t)type->scale, (uint32_t)type->bits},
            {4, 4, 4}};
    }
    if (kind >= CELL_DATE_DAY && kind <= CELL_MONTH_NANO) {
        return moment_table(type);
    }
    if (kind == CELL_FIXED || kind == CELL_LIST_FIXED) {
        return (type_table){kind == CELL_FIXED ? ARROW_FIXED_BINARY : ARROW_FIXED_LIST,
                            {(uint32_t)type->width},
                            {4}};
    }
    if (kind == CELL_MAP) {
        return (type_table){ARROW_MAP, {(flags & ARROW_FLAG_MAP_KEYS_SORTED) != 0}, {1}};
    }
    return (type_table){.type = plain[kind]};
}

static flat_place write_type(flat_buffer *builder, const type_table *table, const char *zone) {
    const flat_place zone_place = zone == NULL ? 0 : cli_flat_string(builder, zone, strlen(zone));
    cli_flat_begin(builder);
    for (size_t slot = 0; slot < 3; slot++) {
        if (table->sizes[slot] > 0) {
            cli_flat_field(builder, slot, table->values[slot], table->sizes[slot]);
        }
    }
    cli_flat_reference(builder, 1, zone_place);
    return cli_flat_end(builder);
}

/// The metadata of the C interface as a vector of KeyValue tables; 0 if there is none.
static flat_place write_metadata(flat_buffer *builder, const char *metadata) {
    int32_t count = 0;
    if (metadata != NULL) {
        memcpy(&count, metadata, sizeof count);
    }
    if (count <= 0) {
        return 0;
    }
    flat_place *items = cli_allocate((size_t)count, sizeof *items);
    const char *at = metadata + sizeof count;
    for (int32_t i = 0; i < count; i++) {
        flat_place part[2] = {0};
        for (int side = 0; side < 2; side++) {
            int32_t size = 0;
            memcpy(&size, at, sizeof size);
            part[side] = cli_flat_string(builder, at + sizeof size, (size_t)size);
            at += sizeof size + (size_t)size;
        }
        cli_flat_begin(builder);
        cli_flat_reference(builder, 0, part[0]);
        cli_flat_reference(builder, 1, part[1]);
        items[i] = cli_flat_end(builder);
    }
    const flat_place vector = cli_flat_vector(builder, items, (size_t)count);
    free(items);
    return vector;
}

static flat_place write_dictionary(flat_buffer *builder, const struct ArrowSchema *schema,
                                   int64_t id) {
    cell_type index = {0};
    (void)cli_cell_format_read(schema->format, &index);
    const type_table table = table_of(&index, 0);
    const flat_place type = write_type(builder, &table, NULL);
    cli_flat_begin(builder);
    cli_flat_field(builder, 0, (uint64_t)id, 8);
    cli_flat_reference(builder, 1, type);
    cli_flat_field(builder, 2, (schema->flags & ARROW_FLAG_DICTIONARY_ORDERED) != 0, 1);
    return cli_flat_end(builder);
}

static flat_place write_fields(flat_buffer *builder, const struct ArrowSchema *parent, int64_t *id);

/// A field; 0 if its type can't be written. Dictionaries are numbered in the order of their fields.
static flat_place write_field(flat_buffer *builder, const struct ArrowSchema *schema, int64_t *id) {
    const struct ArrowSchema *value = schema->dictionary != NULL ? schema->dictionary : schema;
    cell_type type = {0};
    if (!cli_cell_format_read(value->format, &type)) {
        return 0;
    }
    const type_table table = table_of(&type, value->flags);
    const int64_t own_id = *id;
    *id += schema->dictionary != NULL ? 1 : 0;
    const flat_place children = write_fields(builder, value, id);
    if (table.type == ARROW_NONE || children == 0) {
        return 0;
    }
    const flat_place dictionary =
        schema->dictionary != NULL ? write_dictionary(builder, schema, own_id) : 0;
    const flat_place metadata = write_metadata(builder, schema->metadata);
    const char *zone = type.is_zoned ? strchr(value->format, ':') + 1 : NULL;
    const flat_place type_place = write_type(builder, &table, zone);
    const char *name = schema->name == NULL ? "" : schema->name;
    const flat_place name_place = cli_flat_string(builder, name, strlen(name));
    cli_flat_begin(builder);
    cli_flat_reference(builder, 0, name_place);
    cli_flat_reference(builder, 3, type_place);
    cli_flat_reference(builder, 4, dictionary);
    cli_flat_reference(builder, 5, children);
    cli_flat_reference(builder, 6, metadata);
    cli_flat_field(builder, 1, (schema->flags & ARROW_FLAG_NULLABLE) != 0, 1);
    cli_flat_field(builder, 2, table.type, 1);
    return cli_flat_end(builder);
}

static flat_place write_fields(flat_buffer *builder, const struct ArrowSchema *parent,
                               int64_t *id) {
    const size_t count = (size_t)parent->n_children;
    flat_place *items = cli_allocate(count, sizeof *items);
    flat_place vector = 0;
    size_t done = 0;
    while (done < count) {
        items[done] = write_field(builder, parent->children[done], id);
        if (items[done] == 0) {
            break;
        }
        done += 1;
    }
    if (done == count) {
        vector = cli_flat_vector(builder, items, count);
    }
    free(items);
    return vector;
}

void cli_arrow_message(cli_sink *out, flat_buffer *builder, arrow_header kind, flat_place header,
                       const char *body, size_t body_size) {
    cli_flat_begin(builder);
    cli_flat_field(builder, 3, body_size, 8);
    cli_flat_reference(builder, 2, header);
    cli_flat_field(builder, 0, ARROW_VERSION_5, 2);
    cli_flat_field(builder, 1, kind, 1);
    const uint8_t *message = cli_flat_finish(builder, cli_flat_end(builder));
    const uint32_t frame[2] = {UINT32_MAX, (uint32_t)builder->used};
    cli_sink_write(out, frame, ARROW_CONTINUATION_SIZE);
    cli_sink_write(out, message, builder->used);
    cli_sink_write(out, body, body_size);
    cli_flat_reset(builder);
}

bool cli_arrow_schema(cli_sink *out, flat_buffer *builder, const struct ArrowSchema *schema) {
    int64_t id = 0;
    const flat_place fields = write_fields(builder, schema, &id);
    if (fields == 0) {
        cli_flat_reset(builder);
        return false;
    }
    const flat_place metadata = write_metadata(builder, schema->metadata);
    cli_flat_begin(builder);
    cli_flat_reference(builder, 1, fields);
    cli_flat_reference(builder, 2, metadata);
    cli_flat_field(builder, 0, 0, 2); // Little endian.
    cli_arrow_message(out, builder, ARROW_SCHEMA, cli_flat_end(builder), NULL, 0);
    return true;
}
