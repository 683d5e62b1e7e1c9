// The format `arrow`: an IPC stream (https://arrow.apache.org/docs/format/Columnar.html), which
// pyarrow, Polars and DuckDB read. Buffers are copied out of the arrays, slices made whole.
#include "results.h"

#include <stdlib.h>
#include <string.h>

#include "arrow_schema_message.h"

enum { ARROW_BUFFER_ALIGNMENT = 64 };

/// Nodes, buffers and body of the record batch that is being put together.
typedef struct batch_parts {
    cli_sink nodes;    // Pairs of int64: length, null count.
    cli_sink buffers;  // Pairs of int64: offset, size.
    cli_sink variadic; // int64: data buffers of each view column.
    cli_sink body;
} batch_parts;

typedef struct arrow_state {
    flat_buffer builder;
    batch_parts parts;
    cli_sink *dictionaries; // By id: the body last written, which need not be written again.
    size_t dictionary_count;
} arrow_state;

// ---- Bodies ------------------------------------------------------------------------------------

static void begin_buffer(batch_parts *parts) {
    const int64_t offset = (int64_t)parts->body.size;
    cli_sink_write(&parts->buffers, &offset, sizeof offset);
}

static void end_buffer(batch_parts *parts, size_t size) {
    const int64_t stored = (int64_t)size;
    cli_sink_write(&parts->buffers, &stored, sizeof stored);
    const size_t over = parts->body.size % ARROW_BUFFER_ALIGNMENT;
    cli_sink_fill(&parts->body, 0, over == 0 ? 0 : ARROW_BUFFER_ALIGNMENT - over);
}

static void add_buffer(batch_parts *parts, const void *data, size_t size) {
    begin_buffer(parts);
    cli_sink_write(&parts->body, data, size);
    end_buffer(parts, size);
}

/// Bits [first, first + count) moved to the front of a buffer.
static void add_bits(batch_parts *parts, const uint8_t *bits, int64_t first, int64_t count) {
    const size_t size = (size_t)(count + 7) / 8;
    begin_buffer(parts);
    uint8_t *to = (uint8_t *)cli_sink_reserve(&parts->body, size);
    memset(to, 0, size);
    for (int64_t i = 0; i < count; i++) {
        const int64_t at = first + i;
        to[i >> 3] = (uint8_t)(to[i >> 3] | (bits[at >> 3] >> (at & 7) & 1) << (i & 7));
    }
    parts->body.size += size;
    end_buffer(parts, size);
}

static int64_t count_nulls(const struct ArrowArray *array, int64_t first, int64_t count) {
    if (array->null_count == 0 || array->n_buffers == 0 || array->buffers[0] == NULL) {
        return 0;
    }
    const uint8_t *bits = array->buffers[0];
    int64_t nulls = 0;
    for (int64_t at = first; at < first + count; at++) {
        nulls += (bits[at >> 3] >> (at & 7) & 1) == 0;
    }
    return nulls;
}

static void add_offsets(batch_parts *parts, const void *offsets, int64_t first, int64_t count,
                        bool is_large) {
    begin_buffer(parts);
    const size_t width = is_large ? 8 : 4;
    for (int64_t i = 0; i <= count; i++) {
        int64_t value = 0;
        if (count > 0 && is_large) {
            value = ((const int64_t *)offsets)[first + i] - ((const int64_t *)offsets)[first];
        } else if (count > 0) {
            value = ((const int32_t *)offsets)[first + i] - ((const int32_t *)offsets)[first];
        }
        cli_sink_write(&parts->body, &value, width);
    }
    end_buffer(parts, (size_t)(count + 1) * width);
}

/// Bytes of a fixed-width value, 0 for kinds without.
static size_t fixed_width(const cell_type *type) {
    switch ((int)type->kind) {
    case CELL_INT8:
    case CELL_UINT8:
        return 1;
    case CELL_INT16:
    case CELL_UINT16:
    case CELL_FLOAT16:
        return 2;
    case CELL_INT32:
    case CELL_UINT32:
    case CELL_FLOAT32:
    case CELL_DATE_DAY:
    case CELL_TIME_32:
    case CELL_MONTHS:
        return 4;
    case CELL_INT64:
    case CELL_UINT64:
    case CELL_FLOAT64:
    case CELL_DATE_MS:
    case CELL_TIME_64:
    case CELL_TIMESTAMP:
    case CELL_DURATION:
    case CELL_DAY_TIME:
        return 8;
    case CELL_MONTH_NANO:
        return 16;
    case CELL_DECIMAL:
        return (size_t)type->bits / 8;
    case CELL_FIXED:
        return (size_t)type->width;
    default:
        return 0;
    }
}

static void add_text(batch_parts *parts, const struct ArrowArray *array, int64_t first,
                     int64_t count, bool is_large) {
    add_offsets(parts, array->buffers[1], first, count, is_large);
    int64_t from = 0;
    int64_t until = 0;
    if (count > 0 && is_large) {
        from = ((const int64_t *)array->buffers[1])[first];
        until = ((const int64_t *)array->buffers[1])[first + count];
    } else if (count > 0) {
        from = ((const int32_t *)array->buffers[1])[first];
        until = ((const int32_t *)array->buffers[1])[first + count];
    }
    const char *data = array->buffers[2];
    add_buffer(parts, until > from ? data + from : NULL, (size_t)(until - from));
}

/// Views and all their data buffers, whose sizes are the array's last buffer.
static void add_views(batch_parts *parts, const struct ArrowArray *array, int64_t first,
                      int64_t count) {
    const int64_t data_count = array->n_buffers - 3;
    const int64_t *sizes = array->buffers[array->n_buffers - 1];
    add_buffer(parts, (const char *)array->buffers[1] + first * 16, (size_t)count * 16);
    for (int64_t i = 0; i < data_count; i++) {
        add_buffer(parts, array->buffers[2 + i], (size_t)sizes[i]);
    }
    cli_sink_write(&parts->variadic, &data_count, sizeof data_count);
}

static void add_array(batch_parts *parts, const struct ArrowSchema *schema,
                      const struct ArrowArray *array, int64_t first, int64_t count);

static void add_child(batch_parts *parts, const struct ArrowSchema *schema,
                      const struct ArrowArray *array, int64_t first, int64_t count) {
    add_array(parts, schema->children[0], array->children[0], array->children[0]->offset + first,
              count);
}

static void add_list(batch_parts *parts, const struct ArrowSchema *schema, const cell_type *type,
                     const struct ArrowArray *array, int64_t first, int64_t count) {
    const bool is_large = type->kind == CELL_LIST_LARGE || type->kind == CELL_LIST_VIEW_LARGE;
    if (type->kind == CELL_LIST_VIEW || type->kind == CELL_LIST_VIEW_LARGE) {
        const size_t width = is_large ? 8 : 4;
        for (int i = 1; i <= 2; i++) {
            add_buffer(parts, (const char *)array->buffers[i] + (size_t)first * width,
                       (size_t)count * width);
        }
        add_child(parts, schema, array, 0, array->children[0]->length);
        return;
    }
    if (type->kind == CELL_LIST_FIXED) {
        add_child(parts, schema, array, first * type->width, count * type->width);
        return;
    }
    add_offsets(parts, array->buffers[1], first, count, is_large);
    const void *offsets = array->buffers[1];
    int64_t from = 0;
    int64_t until = 0;
    if (count > 0) {
        from = is_large ? ((const int64_t *)offsets)[first] : ((const int32_t *)offsets)[first];
        until = is_large ? ((const int64_t *)offsets)[first + count]
                         : ((const int32_t *)offsets)[first + count];
    }
    add_child(parts, schema, array, from, until - from);
}

/// Rows [first, first + count) of an array, where `first` includes the array's offset.
static void add_array(batch_parts *parts, const struct ArrowSchema *schema,
                      const struct ArrowArray *array, int64_t first, int64_t count) {
    cell_type type = {0};
    (void)cli_cell_format_read(schema->format, &type);
    const bool is_null = type.kind == CELL_NULL;
    const int64_t nulls = is_null ? count : count_nulls(array, first, count);
    const int64_t node[2] = {count, nulls};
    cli_sink_write(&parts->nodes, node, sizeof node);
    if (is_null) {
        return;
    }
    if (nulls > 0) {
        add_bits(parts, array->buffers[0], first, count);
    } else {
        add_buffer(parts, NULL, 0);
    }
    const size_t width = fixed_width(&type);
    if (type.kind == CELL_BOOLEAN) {
        add_bits(parts, array->buffers[1], first, count);
    } else if (type.kind == CELL_TEXT || type.kind == CELL_BINARY) {
        add_text(parts, array, first, count, false);
    } else if (type.kind == CELL_TEXT_LARGE || type.kind == CELL_BINARY_LARGE) {
        add_text(parts, array, first, count, true);
    } else if (type.kind == CELL_TEXT_VIEW || type.kind == CELL_BINARY_VIEW) {
        add_views(parts, array, first, count);
    } else if (type.kind == CELL_STRUCT) {
        for (int64_t i = 0; i < array->n_children; i++) {
            const struct ArrowArray *child = array->children[i];
            add_array(parts, schema->children[i], child, child->offset + first, count);
        }
    } else if (cli_cell_is_list(type.kind) || type.kind == CELL_MAP) {
        add_list(parts, schema, &type, array, first, count);
    } else {
        add_buffer(parts, (const char *)array->buffers[1] + (size_t)first * width,
                   (size_t)count * width);
    }
}

// ---- Messages ----------------------------------------------------------------------------------

static void reset_parts(batch_parts *parts) {
    cli_sink_reset(&parts->nodes);
    cli_sink_reset(&parts->buffers);
    cli_sink_reset(&parts->variadic);
    cli_sink_reset(&parts->body);
}

static flat_place write_record_batch(arrow_state *state, int64_t row_count) {
    flat_buffer *builder = &state->builder;
    const batch_parts *parts = &state->parts;
    const flat_place nodes =
        cli_flat_structs(builder, parts->nodes.data, parts->nodes.size / 16, 16);
    const flat_place buffers =
        cli_flat_structs(builder, parts->buffers.data, parts->buffers.size / 16, 16);
    const flat_place variadic =
        parts->variadic.size == 0
            ? 0
            : cli_flat_structs(builder, parts->variadic.data, parts->variadic.size / 8, 8);
    cli_flat_begin(builder);
    cli_flat_field(builder, 0, (uint64_t)row_count, 8);
    cli_flat_reference(builder, 1, nodes);
    cli_flat_reference(builder, 2, buffers);
    cli_flat_reference(builder, 4, variadic);
    return cli_flat_end(builder);
}

static cli_sink *last_dictionary(arrow_state *state, size_t id) {
    while (state->dictionary_count <= id) {
        state->dictionaries = cli_reallocate(state->dictionaries, state->dictionary_count + 1,
                                             sizeof *state->dictionaries);
        state->dictionaries[state->dictionary_count] = CLI_SINK_MEMORY;
        state->dictionary_count += 1;
    }
    return &state->dictionaries[id];
}

/// Writes the dictionaries below a field that differ from the ones last written, inner ones first.
static void write_dictionaries(cli_results *self, const struct ArrowSchema *schema,
                               const struct ArrowArray *array, size_t *id) {
    arrow_state *state = self->state;
    const bool is_encoded = schema->dictionary != NULL;
    const struct ArrowSchema *value = is_encoded ? schema->dictionary : schema;
    const struct ArrowArray *values = is_encoded ? array->dictionary : array;
    const size_t own_id = *id;
    *id += is_encoded ? 1 : 0;
    for (int64_t i = 0; i < value->n_children; i++) {
        write_dictionaries(self, value->children[i], values->children[i], id);
    }
    if (!is_encoded) {
        return;
    }
    reset_parts(&state->parts);
    add_array(&state->parts, value, values, values->offset, values->length);
    cli_sink *last = last_dictionary(state, own_id);
    const cli_sink *body = &state->parts.body;
    if (last->capacity > 0 && last->size == body->size &&
        memcmp(last->data, body->data, body->size) == 0) {
        return;
    }
    cli_sink_reset(last);
    (void)cli_sink_reserve(last, 1); // An empty dictionary too has been written.
    cli_sink_write(last, body->data, body->size);
    const flat_place batch = write_record_batch(state, values->length);
    cli_flat_begin(&state->builder);
    cli_flat_field(&state->builder, 0, own_id, 8);
    cli_flat_reference(&state->builder, 1, batch);
    cli_arrow_message(&self->out, &state->builder, ARROW_DICTIONARY_BATCH,
                      cli_flat_end(&state->builder), body->data, body->size);
}

static void arrow_begin(cli_results *self) {
    arrow_state *state = cli_allocate(1, sizeof *state);
    state->parts =
        (batch_parts){CLI_SINK_MEMORY, CLI_SINK_MEMORY, CLI_SINK_MEMORY, CLI_SINK_MEMORY};
    self->state = state;
    if (!cli_arrow_schema(&self->out, &state->builder, self->schema)) {
        self->fault = "the format \"arrow\" can't write run-end encoded columns";
    }
}

static void arrow_batch(cli_results *self, const struct ArrowArray *batch) {
    arrow_state *state = self->state;
    size_t id = 0;
    for (int64_t i = 0; i < batch->n_children; i++) {
        write_dictionaries(self, self->schema->children[i], batch->children[i], &id);
    }
    reset_parts(&state->parts);
    for (int64_t i = 0; i < batch->n_children; i++) {
        const struct ArrowArray *column = batch->children[i];
        add_array(&state->parts, self->schema->children[i], column, column->offset + batch->offset,
                  batch->length);
    }
    cli_arrow_message(&self->out, &state->builder, ARROW_RECORD_BATCH,
                      write_record_batch(state, batch->length), state->parts.body.data,
                      state->parts.body.size);
}

static void arrow_end(cli_results *self, bool is_whole) {
    arrow_state *state = self->state;
    if (is_whole) {
        static const uint32_t end[2] = {UINT32_MAX, 0};
        cli_sink_write(&self->out, end, sizeof end);
    }
    cli_sink_close(&state->parts.nodes);
    cli_sink_close(&state->parts.buffers);
    cli_sink_close(&state->parts.variadic);
    cli_sink_close(&state->parts.body);
    for (size_t i = 0; i < state->dictionary_count; i++) {
        cli_sink_close(&state->dictionaries[i]);
    }
    free(state->dictionaries);
    cli_flat_close(&state->builder);
    free(state);
    self->state = NULL;
}

const cli_format cli_format_arrow = {.name = "arrow",
                                     .takes_one = true,
                                     .is_binary = true,
                                     .begin = arrow_begin,
                                     .batch = arrow_batch,
                                     .end = arrow_end};
