#include "tables/iceberg/iceberg_manifest_visit.h"

#include "io/io_path.h"

// What is read of one manifest.
typedef struct visit {
    const ice_manifest_visitor *to;
    const ice_metadata *metadata;
    const ice_manifest *of;
    arena memory;
    arena block;
    ice_walk walk;
} visit;

static firn_status open_walk(visit *self, firn_error *err) {
    const ice_manifest_visitor *to = self->to;
    const ice_walk_memory in = {&self->memory, &self->block, to->codecs};
    bytes file;
    TRY(io_get(to->files, self->of->path, to->bytes_max, to->cancel, &self->memory, &file, err));
    return to->is_whole ? ice_walk_open_whole(&self->walk, file, self->of, self->metadata, &in, err)
                        : ice_walk_open(&self->walk, file, self->of, self->metadata, &in, err);
}

static firn_status next(visit *self, ice_entry *out, bool *has_entry, firn_error *err) {
    TRY(cancel_check(self->to->cancel, err));
    return ice_walk_next(&self->walk, out, has_entry, err);
}

// What fails while the manifest is read names it.
static firn_status while_reading(const visit *self, firn_status status, firn_error *err) {
    if (status != FIRN_OK) {
        io_path_while(err, "reading the manifest", self->of->path);
    }
    return status;
}

static firn_status take_all(visit *self, firn_error *err) {
    const ice_manifest_visitor *to = self->to;
    bool has_entry = true;
    TRY(while_reading(self, open_walk(self, err), err));
    TRY(to->begin == NULL ? FIRN_OK : to->begin(to->user, &self->walk, &self->memory, err));
    while (has_entry) {
        ice_entry entry;
        TRY(while_reading(self, next(self, &entry, &has_entry, err), err));
        TRY(has_entry ? to->take(to->user, &self->walk, &entry, err) : FIRN_OK);
    }
    return FIRN_OK;
}

firn_status ice_manifest_visit(const ice_manifest_visitor *to, const ice_metadata *metadata,
                               const ice_manifest *of, firn_error *err) {
    visit self = {.to = to,
                  .metadata = metadata,
                  .of = of,
                  .memory = arena_open_in(to->owner, to->memory_max),
                  .block = arena_open_in(to->owner, to->memory_max)};
    const firn_status status = take_all(&self, err);
    arena_close(&self.block);
    arena_close(&self.memory);
    return status;
}
