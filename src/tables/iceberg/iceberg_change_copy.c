// Copies of what steps were wanted with: they are played again long after the statement.
#include "tables/iceberg/iceberg_change_private.h"

static firn_status copy_texts(text_list from, arena *memory, text_list *out, firn_error *err) {
    *out = (text_list){.items = ARENA_NEW(memory, text, (size_t)from.count + 1)};
    if (out->items == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (; out->count < from.count; out->count++) {
        TRY(text_copy(memory, from.items[out->count], &out->items[out->count], err));
    }
    return FIRN_OK;
}

static firn_status copy_partition(const partition_field *from, arena *memory, partition_field *out,
                                  firn_error *err) {
    TRY(copy_texts(from->path, memory, &out->path, err));
    TRY(text_copy(memory, from->transform, &out->transform, err));
    return text_copy(memory, from->name, &out->name, err);
}

static firn_status copy_order(uint32_t count, const order_key *from, arena *memory,
                              const order_key **out, firn_error *err) {
    order_key *made = ARENA_NEW(memory, order_key, (size_t)count + 1);
    if (made == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t i = 0; i < count; i++) {
        made[i] = from[i];
        TRY(copy_texts(from[i].path, memory, &made[i].path, err));
        TRY(text_copy(memory, from[i].transform, &made[i].transform, err));
    }
    *out = made;
    return FIRN_OK;
}

static firn_status copy_options(size_t count, const firn_option *from, arena *memory,
                                const firn_option **out, firn_error *err) {
    firn_option *made = ARENA_NEW(memory, firn_option, count + 1);
    if (made == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (size_t i = 0; i < count; i++) {
        text key;
        text value;
        TRY(text_copy(memory, text_of(from[i].key), &key, err));
        TRY(text_copy(memory, text_of(from[i].value), &value, err));
        made[i] = (firn_option){.key = key.data, .value = value.data};
    }
    *out = made;
    return FIRN_OK;
}

static firn_status copy_notes(uint32_t count, const column_note *from, arena *memory,
                              const column_note **out, firn_error *err) {
    column_note *made = ARENA_NEW(memory, column_note, (size_t)count + 1);
    if (made == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t i = 0; i < count; i++) {
        made[i].children = NULL; // What is inside of columns is commented by alterations.
        TRY(text_copy(memory, from[i].default_value, &made[i].default_value, err));
        TRY(text_copy(memory, from[i].comment, &made[i].comment, err));
    }
    *out = made;
    return FIRN_OK;
}

firn_status ice_definition_copy(const table_definition *from, arena *memory,
                                const table_definition **out, firn_error *err) {
    table_definition *made = ARENA_NEW(memory, table_definition, 1);
    partition_field *fields = ARENA_NEW(memory, partition_field, (size_t)from->partition_count + 1);
    if (made == NULL || fields == NULL) {
        return ARENA_FULL(memory, err);
    }
    *made = *from;
    TRY(text_copy(memory, from->format, &made->format, err));
    TRY(schema_copy(memory, &from->columns, &made->columns, err));
    TRY(from->notes == NULL
            ? FIRN_OK
            : copy_notes(from->columns.count, from->notes, memory, &made->notes, err));
    TRY(text_copy(memory, from->comment, &made->comment, err));
    TRY(text_copy(memory, from->location, &made->location, err));
    for (uint32_t i = 0; i < from->partition_count; i++) {
        TRY(copy_partition(&from->partitions[i], memory, &fields[i], err));
    }
    made->partitions = fields;
    TRY(copy_order(from->order_count, from->order, memory, &made->order, err));
    TRY(copy_options(from->property_count, from->properties, memory, &made->properties, err));
    *out = made;
    return FIRN_OK;
}

firn_status ice_alteration_copy(const alteration *from, arena *memory, const alteration **out,
                                firn_error *err) {
    alteration *made = ARENA_NEW(memory, alteration, 1);
    int64_t *ids = ARENA_NEW(memory, int64_t, (size_t)from->snapshot_id_count + 1);
    if (made == NULL || ids == NULL) {
        return ARENA_FULL(memory, err);
    }
    *made = *from;
    TRY(copy_texts(from->path, memory, &made->path, err));
    TRY(text_copy(memory, from->name, &made->name, err));
    TRY(text_copy(memory, from->comment, &made->comment, err));
    TRY(text_copy(memory, from->place.beside, &made->place.beside, err));
    TRY(from->type == NULL ? FIRN_OK : type_copy(memory, from->type, &made->type, err));
    TRY(copy_partition(&from->partition, memory, &made->partition, err));
    TRY(copy_partition(&from->replacement, memory, &made->replacement, err));
    TRY(copy_order(from->order_count, from->order, memory, &made->order, err));
    for (uint32_t i = 0; i < from->snapshot_id_count; i++) {
        ids[i] = from->snapshot_ids[i];
    }
    made->snapshot_ids = ids;
    *out = made;
    return FIRN_OK;
}

// ---- Rows --------------------------------------------------------------------------------------

static firn_status copy_paths(uint32_t count, const text *from, arena *memory, const text **out,
                              firn_error *err) {
    text *made = ARENA_NEW(memory, text, (size_t)count + 1);
    if (made == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t i = 0; i < count; i++) {
        TRY(text_copy(memory, from[i], &made[i], err));
    }
    *out = made;
    return FIRN_OK;
}

static firn_status copy_filters(const expr_list *from, arena *memory, const expr_list **out,
                                firn_error *err) {
    expr_list *made = ARENA_NEW(memory, expr_list, 1);
    expr **items = ARENA_NEW(memory, expr *, (size_t)from->count + 1);
    if (made == NULL || items == NULL) {
        return ARENA_FULL(memory, err);
    }
    *made = (expr_list){.count = from->count, .items = items};
    for (uint32_t i = 0; i < from->count; i++) {
        items[i] = expr_copy(memory, from->items[i]);
        if (items[i] == NULL) {
            return ARENA_FULL(memory, err);
        }
    }
    *out = made;
    return FIRN_OK;
}

firn_status ice_row_step_copy(const ice_row_step *from, arena *memory, ice_row_step *out,
                              firn_error *err) {
    *out = *from;
    TRY(text_copy(memory, from->branch, &out->branch, err));
    out->added_count = 0;
    out->added = NULL;
    TRY(copy_paths(from->removed_count, from->removed, memory, &out->removed, err));
    TRY(copy_paths(from->referenced_count, from->referenced, memory, &out->referenced, err));
    return from->filters == NULL ? FIRN_OK
                                 : copy_filters(from->filters, memory, &out->filters, err);
}
