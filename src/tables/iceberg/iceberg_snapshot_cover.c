// Data files that filters cover: no row of them has to be looked at to know that all go.
#include "memory/arena_grow.h"
#include "tables/iceberg/iceberg_manifest_visit.h"
#include "tables/iceberg/iceberg_snapshot_private.h"

#define SCRATCH_MAX ((size_t)4 << 30)
#define CODEC_BYTES_MAX ((size_t)16 << 20)

typedef struct covering {
    const ice_table *table;
    const cancel_flag *cancel;
    ice_pruner *pruner;
    codec_scratch codecs;
    arena *memory; // Of `out`.
    text_list *out;
    uint32_t capacity;
} covering;

static firn_status add_path(covering *self, text path, firn_error *err) {
    text *items =
        ARENA_GROW(self->memory, text, self->out->items, self->out->count, 1, &self->capacity);
    if (items == NULL) {
        return ARENA_FULL(self->memory, err);
    }
    self->out->items = items;
    TRY(text_copy(self->memory, path, &items[self->out->count], err));
    self->out->count++;
    return FIRN_OK;
}

static firn_status look_at(void *user, const ice_walk *walk, const ice_entry *entry,
                           firn_error *err) {
    covering *self = user;
    bool is_covered = false;
    TRY(ice_prune_covers(self->pruner, walk, entry, &is_covered, err));
    return is_covered ? add_path(self, entry->path, err) : FIRN_OK;
}

static firn_status make_pruner(covering *self, const expr_list *filters, scan_request *request,
                               arena *scratch, firn_error *err) {
    const schema *columns = &self->table->base.columns;
    scan_column *made = ARENA_NEW(scratch, scan_column, (size_t)columns->count + 1);
    uint32_t *paths = ARENA_NEW(scratch, uint32_t, (size_t)columns->count + 1);
    if (made == NULL || paths == NULL) {
        return ARENA_FULL(scratch, err);
    }
    for (uint32_t i = 0; i < columns->count; i++) {
        paths[i] = i;
        made[i] = (scan_column){.id = i,
                                .path = &paths[i],
                                .path_length = 1,
                                .type = columns->fields[i].type,
                                .name = columns->fields[i].name};
    }
    *request = (scan_request){
        .column_count = columns->count, .columns = made, .filters = *filters, .limit = UINT64_MAX};
    return ice_pruner_make(&self->table->metadata, self->table->schema, request, NULL, scratch,
                           &self->pruner, err);
}

static firn_status look_at_all(covering *self, firn_error *err) {
    const ice_manifest_visitor visitor = {.files = self->table->files,
                                          .cancel = self->cancel,
                                          .owner = self->table->base.memory.owner,
                                          .codecs = &self->codecs,
                                          .bytes_max = ICE_MANIFEST_BYTES_MAX,
                                          .memory_max = SCRATCH_MAX,
                                          .take = look_at,
                                          .user = self};
    for (uint32_t i = 0; i < self->table->manifests.count; i++) {
        const ice_manifest *each = &self->table->manifests.items[i];
        const bool is_empty = each->live_files.is_known && each->live_files.value == 0;
        if (!each->has_deletes && !is_empty && !ice_prune_manifest(self->pruner, each)) {
            TRY(ice_manifest_visit(&visitor, &self->table->metadata, each, err));
        }
    }
    return FIRN_OK;
}

firn_status ice_table_covered(const table_snapshot *base, const expr_list *filters,
                              const cancel_flag *cancel, arena *memory, text_list *out,
                              firn_error *err) {
    const ice_table *table = (const ice_table *)(const void *)base; // Its first member.
    pool *owner = table->base.memory.owner;
    arena scratch = arena_open_in(owner, SCRATCH_MAX);
    covering self = {.table = table,
                     .cancel = cancel,
                     .codecs = codec_scratch_open_in(owner, CODEC_BYTES_MAX),
                     .memory = memory,
                     .out = out};
    scan_request request;
    *out = (text_list){.count = 0};
    firn_status status = make_pruner(&self, filters, &request, &scratch, err);
    if (status == FIRN_OK && self.pruner != NULL) {
        status = look_at_all(&self, err);
    }
    ice_pruner_close(self.pruner);
    codec_scratch_close(&self.codecs);
    arena_close(&scratch);
    return status;
}
