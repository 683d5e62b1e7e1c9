#include "tables/iceberg/iceberg_partition.h"

#include "tables/iceberg/iceberg_transform_column.h"

// ---- Where values come from --------------------------------------------------------------------

static bool find_inside(const field *fields, uint32_t count, int32_t id, ice_source *out,
                        uint32_t *depth) {
    for (uint32_t i = 0; i < count; i++) {
        const type *of = fields[i].type;
        const uint32_t at = *depth;
        if (at >= TYPE_DEPTH_MAX) {
            return false;
        }
        out->steps[at] = i;
        *depth = at + 1;
        if (fields[i].id == id) {
            out->type = of;
            return true;
        }
        if (of->id == TYPE_STRUCT && find_inside(of->children, of->child_count, id, out, depth)) {
            return true;
        }
        *depth = at;
    }
    return false;
}

firn_status ice_source_find(const schema *columns, int32_t field_id, arena *memory, ice_source *out,
                            bool *is_found, firn_error *err) {
    uint32_t depth = 0;
    *out = (ice_source){.type = NULL};
    *is_found = find_inside(columns->fields, columns->count, field_id, out, &depth);
    if (!*is_found) {
        return FIRN_OK;
    }
    out->column = out->steps[0];
    text *path = ARENA_NEW(memory, text, depth);
    if (path == NULL) {
        return ARENA_FULL(memory, err);
    }
    const type *at = columns->fields[out->column].type;
    text_builder name = text_builder_open(memory);
    text_append(&name, columns->fields[out->column].name);
    for (uint32_t i = 1; i < depth; i++) {
        const field *child = &at->children[out->steps[i]];
        path[out->path_count++] = child->name;
        text_append_char(&name, '.');
        text_append(&name, child->name);
        out->steps[i - 1] = out->steps[i];
        at = child->type;
    }
    out->path = path;
    return text_builder_finish(&name, &out->name, err);
}

// NULL where `outer` is, too. Both flat.
static firn_status mask_rows(const column *outer, column *inner, arena *memory, firn_error *err) {
    if (outer->validity == NULL) {
        return FIRN_OK;
    }
    const size_t words = BITMAP_WORDS(inner->length);
    uint64_t *both = ARENA_NEW(memory, uint64_t, words + 1);
    if (both == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (size_t i = 0; i < words; i++) {
        both[i] = outer->validity[i] & (inner->validity == NULL ? UINT64_MAX : inner->validity[i]);
    }
    inner->validity = both;
    return FIRN_OK;
}

firn_status ice_source_column(const ice_source *self, const column *columns, arena *memory,
                              column *out, firn_error *err) {
    const column *source = &columns[self->column];
    if (self->path_count == 0 && source->form == FORM_CONSTANT) {
        *out = *source;
        return FIRN_OK;
    }
    TRY(column_flatten(memory, source, out, err));
    for (uint32_t i = 0; i < self->path_count; i++) {
        const column outer = *out;
        TRY(column_flatten(memory, &outer.children[self->steps[i]], out, err));
        TRY(mask_rows(&outer, out, memory, err));
    }
    return FIRN_OK;
}

// ---- Opening -----------------------------------------------------------------------------------

static firn_status open_field(const schema *columns, const ice_partition_field *of, arena *memory,
                              ice_source *source, const type **result, firn_error *err) {
    bool is_found;
    *result = TYPE_OF(INTEGER);
    *source = (ice_source){.type = NULL};
    if (of->transform.kind == ICE_VOID) {
        return FIRN_OK;
    }
    if (of->transform.kind == ICE_UNKNOWN) {
        return FAIL(err, FIRN_UNSUPPORTED,
                    "the table is partitioned by \"%.*s\", whose transform is not known",
                    TEXT_ARGS(of->name));
    }
    TRY(ice_source_find(columns, of->source_id, memory, source, &is_found, err));
    if (!is_found) {
        return FAIL(err, FIRN_INVALID,
                    "the table is partitioned by \"%.*s\", whose column %d it lacks",
                    TEXT_ARGS(of->name), of->source_id);
    }
    *result = ice_transform_result(&of->transform, source->type);
    if (*result == NULL) {
        const text is = type_text(source->type, memory);
        const text word = ice_transform_name(&of->transform);
        return FAIL(err, FIRN_UNSUPPORTED,
                    "the table is partitioned by \"%.*s\": type %.*s has no transform \"%.*s\"",
                    TEXT_ARGS(of->name), TEXT_ARGS(is), TEXT_ARGS(word));
    }
    return FIRN_OK;
}

firn_status ice_partitioner_open(const schema *columns, const ice_spec *spec, arena *memory,
                                 ice_partitioner *out, firn_error *err) {
    ice_source *sources = ARENA_NEW(memory, ice_source, (size_t)spec->count + 1);
    const type **results = ARENA_NEW(memory, const type *, (size_t)spec->count + 1);
    if (sources == NULL || results == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t i = 0; i < spec->count; i++) {
        TRY(open_field(columns, &spec->fields[i], memory, &sources[i], &results[i], err));
    }
    *out = (ice_partitioner){.spec = spec, .sources = sources, .results = results};
    return FIRN_OK;
}

// ---- Rows --------------------------------------------------------------------------------------

static firn_status values_of(const ice_partitioner *self, uint32_t index, const batch *rows,
                             arena *memory, column *out, firn_error *err) {
    const ice_partition_field *of = &self->spec->fields[index];
    if (of->transform.kind == ICE_VOID) {
        return column_new_null(memory, self->results[index], rows->row_count, out, err);
    }
    column source;
    TRY(ice_source_column(&self->sources[index], rows->columns, memory, &source, err));
    const text name = self->sources[index].name;
    const firn_status status =
        ice_transform_column(&of->transform, &source, name, memory, out, err);
    if (status != FIRN_OK) {
        err_while(err, "finding the partition \"%.*s\" of rows", TEXT_ARGS(of->name));
    }
    return status;
}

firn_status ice_partition_columns(const ice_partitioner *self, const batch *rows, arena *memory,
                                  const column **out, firn_error *err) {
    column *made = ARENA_NEW(memory, column, (size_t)self->spec->count + 1);
    if (made == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t i = 0; i < self->spec->count; i++) {
        TRY(values_of(self, i, rows, memory, &made[i], err));
    }
    *out = made;
    return FIRN_OK;
}

// ---- Keys --------------------------------------------------------------------------------------

static void put_raw(text_builder *out, const void *value, size_t size) {
    text_append(out, (text){.data = value, .size = size});
}

static void put_scalar(text_builder *out, const ice_scalar *value) {
    text_append_char(out, (char)('a' + (int)value->kind));
    if (value->kind == ICE_SCALAR_NUMBER) {
        put_raw(out, &value->number, sizeof value->number);
    } else if (value->kind == ICE_SCALAR_REAL) {
        const double real = value->real == 0 ? 0 : value->real; // One zero.
        put_raw(out, &real, sizeof real);
    } else if (value->kind == ICE_SCALAR_BYTES) {
        put_raw(out, &value->data.size, sizeof value->data.size);
        put_raw(out, value->data.data, value->data.size);
    }
}

firn_status ice_partition_pack(const ice_partitioner *self, const column *values, uint32_t row,
                               arena *memory, text *out, firn_error *err) {
    text_builder key = text_builder_open(memory);
    for (uint32_t i = 0; i < self->spec->count; i++) {
        const ice_scalar value = ice_scalar_of_column(&values[i], row);
        put_scalar(&key, &value);
    }
    return text_builder_finish(&key, out, err);
}

static void take_raw(text *key, void *out, size_t size) {
    assert(key->size >= size);
    memcpy(out, key->data, size);
    *key = text_slice(*key, size, key->size);
}

static firn_status take_scalar(text *key, arena *memory, ice_scalar *out, firn_error *err) {
    char kind;
    take_raw(key, &kind, sizeof kind);
    *out = (ice_scalar){.kind = (ice_scalar_kind)(kind - 'a')};
    if (out->kind == ICE_SCALAR_NUMBER) {
        take_raw(key, &out->number, sizeof out->number);
    } else if (out->kind == ICE_SCALAR_REAL) {
        take_raw(key, &out->real, sizeof out->real);
    } else if (out->kind == ICE_SCALAR_BYTES) {
        size_t size;
        take_raw(key, &size, sizeof size);
        assert(key->size >= size);
        TRY(bytes_copy(memory, (bytes){.data = (const uint8_t *)key->data, .size = size},
                       &out->data, err));
        *key = text_slice(*key, size, key->size);
    }
    return FIRN_OK;
}

firn_status ice_partition_unpack(const ice_partitioner *self, text key, arena *memory,
                                 const ice_scalar **out, firn_error *err) {
    ice_scalar *made = ARENA_NEW(memory, ice_scalar, (size_t)self->spec->count + 1);
    if (made == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t i = 0; i < self->spec->count; i++) {
        TRY(take_scalar(&key, memory, &made[i], err));
    }
    *out = made;
    return FIRN_OK;
}
