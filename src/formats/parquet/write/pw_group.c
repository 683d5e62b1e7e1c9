#include "formats/parquet/write/pw_group.h"

#define ENTRIES_AT_ONCE (UINT32_C(1) << 16)

firn_status pw_group_open(const pw_schema *schema, const pw_options *options, pool *owner,
                          pw_group **out, firn_error *err) {
    arena memory = arena_open_in(owner, SIZE_MAX);
    const uint32_t count = (uint32_t)schema->tree->leaf_count;
    pw_group *self = ARENA_NEW(&memory, pw_group, 1);
    pw_chunk **chunks = ARENA_NEW(&memory, pw_chunk *, (size_t)count + 1);
    const pw_chunk_result **results =
        ARENA_NEW(&memory, const pw_chunk_result *, (size_t)count + 1);
    if (self == NULL || chunks == NULL || results == NULL) {
        const firn_status status = ARENA_FULL(&memory, err);
        arena_close(&memory);
        return status;
    }
    *self = (pw_group){.memory = memory,
                       .schema = schema,
                       .options = options,
                       .chunks = chunks,
                       .results = results};
    firn_status status = FIRN_OK;
    while (self->leaf_count < count && status == FIRN_OK) {
        status = pw_chunk_open(schema, options, self->leaf_count, owner,
                               &self->chunks[self->leaf_count], err);
        self->leaf_count += status == FIRN_OK;
    }
    if (status != FIRN_OK) {
        pw_group_close(self);
        return status;
    }
    *out = self;
    return FIRN_OK;
}

void pw_group_close(pw_group *self) {
    if (self == NULL) {
        return;
    }
    for (uint32_t i = 0; i < self->leaf_count; i++) {
        pw_chunk_close(self->chunks[i]);
    }
    arena memory = self->memory; // The group lies in it.
    arena_close(&memory);
}

firn_status pw_group_put_column(pw_group *self, uint32_t column, const batch *rows, pw_worker *with,
                                firn_error *err) {
    const pq_node *node = &self->schema->tree->root.children[column];
    const arena_mark mark = arena_mark_take(&with->scratch);
    for (uint32_t from = 0; from < rows->selected_count;) {
        batch left;
        batch part;
        TRY(batch_part(&with->scratch, rows, from, rows->selected_count - from, &left, err));
        const uint32_t count = pw_shred_rows(self->schema, column, &left, ENTRIES_AT_ONCE);
        TRY(batch_part(&with->scratch, &left, 0, count, &part, err));
        pw_entries *entries = ARENA_NEW(&with->scratch, pw_entries, (size_t)node->leaf_count + 1);
        if (entries == NULL) {
            return ARENA_FULL(&with->scratch, err);
        }
        TRY(pw_shred(self->schema, column, &part, &with->scratch, entries, err));
        for (uint32_t i = 0; i < node->leaf_count; i++) {
            TRY(pw_chunk_put(self->chunks[node->first_leaf + i], &entries[i], with, err));
        }
        from += count;
        arena_rewind(&with->scratch, mark);
    }
    return FIRN_OK;
}

firn_status pw_group_put(pw_group *self, const batch *rows, pw_worker *with, firn_error *err) {
    for (uint32_t i = 0; i < self->schema->columns.count; i++) {
        TRY(pw_group_put_column(self, i, rows, with, err));
    }
    self->row_count += rows->selected_count;
    return FIRN_OK;
}

static uint64_t size_of(const pw_group *self) {
    uint64_t size = 0;
    for (uint32_t i = 0; i < self->leaf_count; i++) {
        size += pw_chunk_size(self->chunks[i]);
    }
    return size;
}

bool pw_group_is_full(const pw_group *self) {
    return self->row_count >= self->options->group_rows ||
           size_of(self) >= self->options->group_bytes;
}

firn_status pw_group_finish_column(pw_group *self, uint32_t column, pw_worker *with,
                                   firn_error *err) {
    const pq_node *node = &self->schema->tree->root.children[column];
    for (uint32_t i = node->first_leaf; i < node->first_leaf + node->leaf_count; i++) {
        TRY(pw_chunk_finish(self->chunks[i], with, &self->results[i], err));
    }
    return FIRN_OK;
}

firn_status pw_group_finish(pw_group *self, pw_worker *with, firn_error *err) {
    for (uint32_t i = 0; i < self->schema->columns.count; i++) {
        TRY(pw_group_finish_column(self, i, with, err));
    }
    return FIRN_OK;
}
