#include "memory/spill.h"

#include <assert.h>
#include <string.h>

#include "memory/spill_private.h"

#define SPEED_WINDOW_BYTES ((uint64_t)64 << 20)
#define SLOW_BYTES_PER_NS 1 // 1 GB/s of one worker.
#define BEHIND_ROOM_BYTES ((uint64_t)256 << 20)
#define BEHIND_STEP_BYTES ((uint64_t)16 << 20)

// ---- The area ----------------------------------------------------------------------------------

firn_status spill_area_open(pool *engine, const spill_options *options, spill_area **out,
                            firn_error *err) {
    *out = NULL;
    const size_t size = strlen(options->folder) + 1;
    spill_area *self = host_alloc(sizeof *self);
    char *folder = self == NULL ? NULL : host_alloc(size);
    if (folder == NULL) {
        host_free(self);
        return FAIL(err, FIRN_NO_MEMORY, "no memory for the spill files");
    }
    memcpy(folder, options->folder, size);
    *self = (spill_area){.engine = engine, .folder = folder, .form = options->form};
    self->memory_bytes = options->memory_bytes == 0 ? host_memory_bytes() : options->memory_bytes;
    self->cgroup_bytes =
        options->cgroup_bytes == 0 ? host_cgroup_memory_bytes() : options->cgroup_bytes;
    atomic_init(&self->file_bytes, 0);
    *out = self;
    return FIRN_OK;
}

void spill_area_close(spill_area *self) {
    if (self != NULL) {
        assert(spill_area_bytes(self) == 0);
        host_free(self->folder);
        host_free(self);
    }
}

uint64_t spill_area_bytes(const spill_area *self) {
    return atomic_load_explicit(&self->file_bytes, memory_order_relaxed);
}

// ---- When to pack ------------------------------------------------------------------------------

// Half of what page cache can have: all memory without the engine's and other queries' files.
static bool is_cache_short(const spill_area *area, uint64_t file_bytes) {
    const uint64_t limit = pool_limit(area->engine);
    const uint64_t others = spill_area_bytes(area) - file_bytes;
    const uint64_t memory = area->memory_bytes;
    const uint64_t room = memory > limit ? memory - limit : 0;
    return file_bytes > (room > others ? room - others : 0) / 2;
}

// Only writes that waited count: one that just took long was copying, or others had the core.
// Packing would make that worse.
static void look_at_speed(spill *self) REQUIRES(&self->lock) {
    if (self->window_bytes >= SPEED_WINDOW_BYTES) {
        if (self->window_bytes / SLOW_BYTES_PER_NS < self->window_ns) {
            atomic_store_explicit(&self->is_packing, true, memory_order_relaxed);
        }
        self->window_bytes = 0;
        self->window_ns = 0;
    }
}

bytes spill_choose(spill *self, spill_desk *desk, bytes page, bool *is_packed) {
    const spill_form form = self->area->form;
    const bool wants =
        form == SPILL_LZ4 ||
        (form == SPILL_AUTO && atomic_load_explicit(&self->is_packing, memory_order_relaxed));
    bytes packed = page;
    *is_packed = wants && page.size <= SPILL_PACK_BYTES_MAX && spill_pack(desk, page, &packed);
    return *is_packed ? packed : page;
}

// ---- Write-behind ------------------------------------------------------------------------------

// Page cache is charged to the cgroup. With little left of it beside the engine's limit, what is
// written goes on its way to disk every 16 MB and out of the cache one step later.
static bool is_behind_wanted(const spill_area *area) {
    const uint64_t limit = pool_limit(area->engine);
    return area->cgroup_bytes != UINT64_MAX &&
           area->cgroup_bytes < BEHIND_ROOM_BYTES + (limit < UINT64_MAX / 2 ? limit : 0);
}

// Notes a write. True if a step is full: then `begin` is to be written and `drop` to be dropped.
static bool note_behind(spill *self, uint64_t from, uint64_t size, spill_range *begin,
                        spill_range *drop) REQUIRES(&self->lock) {
    spill_range *now = &self->written;
    *now = now->to <= now->from ? (spill_range){from, from + size}
                                : (spill_range){from < now->from ? from : now->from,
                                                from + size > now->to ? from + size : now->to};
    self->behind_bytes += size;
    if (self->behind_bytes < BEHIND_STEP_BYTES) {
        return false;
    }
    *begin = self->written;
    *drop = self->started;
    self->started = self->written;
    self->written = (spill_range){0};
    self->behind_bytes = 0;
    return true;
}

// ---- The file ----------------------------------------------------------------------------------

firn_status spill_open(spill_area *area, pool *query, spill **out, firn_error *err) {
    *out = NULL;
    if (!pool_take(query, sizeof **out)) {
        return POOL_FULL(query, sizeof **out, err);
    }
    spill *self = host_alloc(sizeof *self);
    if (self == NULL) {
        pool_give(query, sizeof *self);
        return FAIL(err, FIRN_NO_MEMORY, "no memory for a spill file");
    }
    *self = (spill){.area = area, .file = HOST_FILE_NONE, .space = {.owner = query}};
    mutex_begin(&self->lock, MUTEX_SPILL);
    *out = self;
    return FIRN_OK;
}

// Nobody else uses it any more.
NO_LOCK_CHECK void spill_close(spill *self) {
    if (self == NULL) {
        return;
    }
    atomic_fetch_sub(&self->area->file_bytes, self->space.end_steps * SPILL_STEP);
    host_close(&self->file);
    pool *owner = self->space.owner;
    spill_space_close(&self->space);
    mutex_end(&self->lock);
    host_free(self);
    pool_give(owner, sizeof *self);
}

firn_status spill_take(spill *self, uint64_t steps, uint64_t *offset, firn_error *err) {
    spill_area *area = self->area;
    mutex_lock(&self->lock);
    firn_status status = FIRN_OK;
    if (self->file.fd < 0) {
        status = host_open(area->folder, HOST_MODE_TEMPORARY, &self->file, err);
    }
    if (status == FIRN_OK) {
        const uint64_t before = self->space.end_steps;
        if (!spill_space_take(&self->space, steps, offset)) {
            status = FAIL(err, FIRN_IO, "a spill file of more than 512 TiB");
        }
        const uint64_t end = self->space.end_steps;
        atomic_fetch_add(&area->file_bytes, (end - before) * SPILL_STEP);
        if (end > before && is_cache_short(area, end * SPILL_STEP)) {
            atomic_store_explicit(&self->is_packing, true, memory_order_relaxed);
        }
    }
    mutex_unlock(&self->lock);
    if (status != FIRN_OK) {
        err_while(err, "making a spill file in temp_directory \"%s\"", area->folder);
    }
    return status;
}

void spill_give(spill *self, uint64_t offset, uint64_t steps) {
    mutex_lock(&self->lock);
    spill_space_give(&self->space, offset, steps);
    mutex_unlock(&self->lock);
}

static host_file file_of(spill *self) {
    mutex_lock(&self->lock);
    const host_file file = self->file;
    mutex_unlock(&self->lock);
    return file;
}

static firn_status say_what_was_spilled(spill *self, firn_status status, firn_error *err) {
    mutex_lock(&self->lock);
    const unsigned long long written = self->report.written_bytes;
    mutex_unlock(&self->lock);
    err_while(err, "writing the spill file in temp_directory \"%s\" after %llu bytes",
              self->area->folder, written);
    if (strcmp(err->sqlstate, "53100") == 0) {
        err_hint(err, "set temp_directory to a disk with more room, or raise memory_limit");
    }
    return status;
}

firn_status spill_put(spill *self, uint64_t offset_steps, bytes stored, size_t page_size,
                      firn_error *err) {
    const host_file file = file_of(self);
    const uint64_t offset = offset_steps * SPILL_STEP;
    const uint64_t waits_before = host_wait_count();
    const int64_t begin_ns = host_clock_ns();
    const firn_status status = host_write(file, offset, stored, err);
    if (status != FIRN_OK) {
        return say_what_was_spilled(self, status, err);
    }
    const uint64_t took_ns = (uint64_t)(host_clock_ns() - begin_ns);
    const bool has_waited = host_wait_count() != waits_before;
    spill_range begin = {0};
    spill_range drop = {0};
    mutex_lock(&self->lock);
    self->report.page_count += 1;
    self->report.page_bytes += page_size;
    self->report.written_bytes += stored.size;
    self->report.write_ns += took_ns;
    self->window_bytes += stored.size;
    self->window_ns += has_waited ? took_ns : 0;
    look_at_speed(self);
    const bool is_step =
        is_behind_wanted(self->area) && note_behind(self, offset, stored.size, &begin, &drop);
    mutex_unlock(&self->lock);
    if (is_step) {
        host_write_behind(file, begin.from, begin.to - begin.from);
        if (drop.to > drop.from) {
            host_drop_cached(file, drop.from, drop.to - drop.from);
        }
    }
    return FIRN_OK;
}

firn_status spill_get(spill *self, uint64_t offset, size_t size, void *out, firn_error *err) {
    const host_file file = file_of(self);
    const int64_t begin_ns = host_clock_ns();
    const firn_status status = host_read(file, offset, size, out, err);
    if (status != FIRN_OK) {
        err_while(err, "reading the spill file in temp_directory \"%s\"", self->area->folder);
        return status;
    }
    const uint64_t took_ns = (uint64_t)(host_clock_ns() - begin_ns);
    mutex_lock(&self->lock);
    self->report.read_bytes += size;
    self->report.read_ns += took_ns;
    mutex_unlock(&self->lock);
    return FIRN_OK;
}

// ---- Pages -------------------------------------------------------------------------------------

firn_status spill_write(spill *self, spill_desk *desk, bytes page, spill_slot *out,
                        firn_error *err) {
    assert(page.size > 0 && page.size <= SPILL_PAGE_BYTES_MAX);
    *out = SPILL_SLOT_NONE;
    bool is_packed;
    const bytes stored = spill_choose(self, desk, page, &is_packed);
    const uint64_t steps = spill_slot_steps(stored.size);
    uint64_t offset = 0;
    TRY(spill_take(self, steps, &offset, err));
    const firn_status status = spill_put(self, offset, stored, page.size, err);
    if (status != FIRN_OK) {
        spill_give(self, offset, steps);
        return status;
    }
    *out = spill_slot_at(offset, stored.size, is_packed);
    return FIRN_OK;
}

firn_status spill_read(spill *self, spill_desk *desk, spill_slot slot, void *out, size_t capacity,
                       size_t *size, firn_error *err) {
    assert(!spill_slot_is_none(slot) && slot.size <= SPILL_PAGE_BYTES_MAX);
    uint8_t *stored = out;
    if (slot.is_packed) {
        stored = spill_desk_room(desk);
        if (stored == NULL) {
            return POOL_FULL(desk->owner, SPILL_PACK_BYTES_MAX, err);
        }
    } else if (slot.size > capacity) {
        return spill_unpack(slot, out, out, capacity, size, err); // It says what is wrong.
    }
    TRY(spill_get(self, slot.offset_steps * SPILL_STEP, slot.size, stored, err));
    return spill_unpack(slot, stored, out, capacity, size, err);
}

firn_status spill_read_part(spill *self, spill_slot slot, size_t from, size_t size, void *out,
                            firn_error *err) {
    assert(!slot.is_packed);
    if (from > slot.size || size > slot.size - from) {
        return FAIL(err, FIRN_CORRUPT, "%zu bytes from %zu on of a spilled page of %llu", size,
                    from, (unsigned long long)slot.size);
    }
    return spill_get(self, slot.offset_steps * SPILL_STEP + from, size, out, err);
}

void spill_free(spill *self, spill_slot slot) {
    if (!spill_slot_is_none(slot)) {
        spill_give(self, slot.offset_steps, spill_slot_steps(slot.size));
    }
}

void spill_describe(spill *self, spill_report *out) {
    mutex_lock(&self->lock);
    *out = self->report;
    out->file_bytes = self->space.end_steps * SPILL_STEP;
    mutex_unlock(&self->lock);
    out->is_packing = self->area->form == SPILL_LZ4 ||
                      (self->area->form == SPILL_AUTO &&
                       atomic_load_explicit(&self->is_packing, memory_order_relaxed));
}
