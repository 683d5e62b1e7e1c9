#include "exec/join/join_state.h"

#include "kernels/hash_column.h"

#define MEMORY_MAX (UINT64_C(1) << 40) // The pool is what limits it.

// Do other keys or a residual tell which NULLs matter?
static bool decides_by_group(const plan_node *node) {
    const join_kind kind = (join_kind)node->join_.join;
    return node->join_.null_aware && (kind == JOIN_ANTI || kind == JOIN_MARK) &&
           (node->join_.right_keys.count > 1 || node->join_.null_equal.items[0] != 0 ||
            node->join_.residual != NULL);
}

static firn_status fill(join_state *self, const plan_node *node, firn_error *err) {
    self->decides_by_group = decides_by_group(node);
    TRY(join_plan_open(node, self->run, JOIN_LINK_BYTES * (self->decides_by_group ? 2 : 1),
                       &self->memory, &self->plan, err));
    const join_plan *plan = &self->plan;
    self->bounds = ARENA_NEW(&self->memory, join_bounds, plan->right.key_count + 1);
    if (self->bounds == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    for (uint32_t i = 0; i < plan->right.key_count; i++) {
        self->bounds[i] = (join_bounds){
            .is_known = physical_is_integer(type_physical(plan->right.column_types[i]))};
    }
    return join_filters_begin(self, err);
}

firn_status join_state_open(const plan_node *node, execution *run, join_state **out,
                            firn_error *err) {
    *out = NULL;
    arena memory = arena_open_in(run->pool, MEMORY_MAX);
    join_state *self = ARENA_NEW(&memory, join_state, 1);
    if (self == NULL) {
        firn_status status = ARENA_FULL(&memory, err);
        arena_close(&memory);
        return status;
    }
    *self = (join_state){.run = run, .memory = memory};
    mutex_begin(&self->lock, MUTEX_OPERATOR);
    firn_status status = fill(self, node, err);
    if (status != FIRN_OK) {
        join_state_close(self);
        return status;
    }
    *out = self;
    return FIRN_OK;
}

static void close_shared(join_state *self) NO_LOCK_CHECK {
    self->has_jobs = true; // Nobody makes them any more.
    while (self->kept != NULL) {
        row_page *page = self->kept;
        self->kept = page->next;
        page_put(self->keeper, page);
    }
    for (join_job *job = self->jobs; job != NULL; job = job->next) {
        row_pages_close(&self->rows, &job->rows);
        row_pages_close(&self->probe_rows, &job->probe);
    }
    self->jobs = NULL;
}

void join_state_release(join_state *self) {
    for (uint32_t i = 0; self->parts != NULL && i < self->part_count; i++) {
        join_part_runs_close(&self->parts[i].runs);
        row_pages_close(&self->rows, &self->parts[i].rows);
        row_pages_close(&self->probe_rows, &self->parts[i].probe);
    }
    for (uint32_t i = 0; self->table.parts != NULL && i < self->table.part_count; i++) {
        join_slots_close(&self->table.parts[i]);
    }
    self->parts = NULL;
    self->table.parts = NULL;
    close_shared(self);
    row_pages_close(&self->rows, &self->loose);
    if (self->table.array.data != NULL) {
        directory_close(&self->table.array);
    }
    if (self->bloom_memory.data != NULL) {
        directory_close(&self->bloom_memory);
    }
    join_filters_close(self);
    self->spilled_bytes = join_state_spilled_bytes(self);
    self->peak_bytes = join_state_peak_bytes(self);
    if (self->rows.layout != NULL) {
        row_store_close(&self->rows);
    }
    if (self->probe_rows.layout != NULL) {
        row_store_close(&self->probe_rows);
    }
    pool_close(self->keeper);
    self->keeper = NULL;
}

uint64_t join_state_spilled_bytes(const join_state *self) {
    return self->spilled_bytes + atomic_load(&self->rows.spilled_bytes) +
           atomic_load(&self->probe_rows.spilled_bytes);
}

uint64_t join_state_peak_bytes(const join_state *self) {
    return self->keeper == NULL ? self->peak_bytes : pool_peak(self->keeper);
}

void join_state_close(join_state *self) {
    if (self == NULL) {
        return;
    }
    join_state_release(self);
    mutex_end(&self->lock);
    arena memory = self->memory; // It holds `self`.
    arena_close(&memory);
}

// ---- Pages that workers can count on ------------------------------------------------------------

static void lend(join_state *self, uint32_t count, row_page **list) REQUIRES(&self->lock) {
    for (; count > 0 && self->kept != NULL; count--) {
        row_page *page = self->kept;
        self->kept = page->next;
        page->next = *list;
        *list = page;
    }
}

// Takes pages ahead for all workers, and lends each as many.
static void take_ahead(join_state *self) REQUIRES(&self->lock) {
    const uint32_t workers = self->run->worker_count;
    uint32_t taken = 0;
    for (; taken < workers * (self->part_count + PAGE_SPLIT_COUNT); taken++) {
        row_page *page = page_get(self->keeper);
        if (page == NULL) {
            break;
        }
        page->next = self->kept;
        self->kept = page;
    }
    self->lent_count = taken / workers;
}

uint32_t join_state_partition(join_state *self, row_page **spares) {
    mutex_lock(&self->lock);
    if (!self->has_parts) {
        self->has_parts = true;
        self->part_count = partitions_hold(self->keeper, self->run->worker_count, self->part_count);
        take_ahead(self);
    }
    const uint32_t count = self->part_count;
    lend(self, self->lent_count, spares);
    mutex_unlock(&self->lock);
    return count;
}

static bool keep_page(join_state *self, row_page *page) {
    if (page != NULL) {
        mutex_lock(&self->lock);
        page->next = self->kept;
        self->kept = page;
        mutex_unlock(&self->lock);
    }
    return page != NULL;
}

void join_state_lend(join_state *self, uint32_t count, row_page **list) {
    mutex_lock(&self->lock);
    lend(self, count, list);
    mutex_unlock(&self->lock);
}

void join_state_take_back(join_state *self, row_page **list) {
    for (row_page *page; (page = *list) != NULL;) {
        *list = page->next;
        (void)keep_page(self, page);
    }
}

void join_state_refill(join_state *self, uint32_t count) {
    while (count > 0 && keep_page(self, page_get(self->keeper))) {
        count--;
    }
}

// Writes a page of the largest partition out.
static firn_status write_largest(join_state *self, bool *done, firn_error *err) {
    join_part *largest = &self->parts[0];
    for (uint32_t i = 1; i < self->part_count; i++) {
        largest =
            self->parts[i].rows.page_count > largest->rows.page_count ? &self->parts[i] : largest;
    }
    *done = largest->rows.page_count > 0;
    if (!*done) {
        return FIRN_OK;
    }
    spill_desk desk = spill_desk_open(self->keeper);
    firn_status status =
        row_pages_spill(&self->rows, &largest->rows, &desk, largest->rows.page_count - 1, err);
    spill_desk_close(&desk);
    return status;
}

static void count_kept(join_state *self, uint32_t *out) {
    *out = 0;
    mutex_lock(&self->lock);
    for (const row_page *page = self->kept; page != NULL; page = page->next) {
        *out += 1;
    }
    mutex_unlock(&self->lock);
}

firn_status join_state_keep(join_state *self, firn_error *err) {
    uint32_t count;
    count_kept(self, &count);
    const uint32_t wanted = JOIN_PAGES_KEPT * self->run->worker_count;
    for (row_page *page = NULL; count > wanted; count--) {
        join_state_lend(self, 1, &page);
        page_put(self->keeper, page);
        page = NULL;
    }
    while (count < wanted) {
        bool can_go_on = keep_page(self, page_get(self->keeper));
        count += can_go_on ? 1 : 0;
        if (!can_go_on) {
            TRY(write_largest(self, &can_go_on, err));
        }
        if (!can_go_on) {
            return POOL_FULL(self->keeper, self->rows.page_size, err);
        }
    }
    return FIRN_OK;
}

// ---- Beginning ----------------------------------------------------------------------------------

// Rows of both sides lie on pages of one size.
static uint64_t page_bytes(const join_state *self) {
    const uint64_t right = row_page_bytes(&self->plan.right.layout);
    const uint64_t left = row_page_bytes(&self->plan.left.layout);
    return right > left ? right : left;
}

uint64_t join_state_min_bytes(const join_state *self, uint32_t workers) {
    return keeper_min_bytes(workers, page_bytes(self));
}

static firn_status begin(join_state *self, firn_error *err) REQUIRES(&self->lock) {
    const uint32_t workers = self->run->worker_count;
    TRY(row_keeper_open(self->run->pool, "hash join", join_state_min_bytes(self, workers),
                        page_bytes(self), &self->keeper, err));
    TRY(row_store_open(&self->plan.right.layout, self->keeper, self->run->spill, &self->rows, err));
    TRY(row_store_open(&self->plan.left.layout, self->keeper, self->run->spill, &self->probe_rows,
                       err));
    self->loose.spilled.owner = self->keeper;
    for (uint32_t i = 0; i < JOIN_PAGES_KEPT * workers; i++) {
        row_page *page = page_get(self->keeper);
        if (page == NULL) {
            break;
        }
        page->next = self->kept;
        self->kept = page;
    }
    const uint64_t share = pool_room(self->keeper) / 2 / workers;
    self->part_count = partition_count_for(share, self->rows.page_size, 0);
    self->parts = ARENA_NEW(&self->memory, join_part, self->part_count);
    if (self->parts == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    for (uint32_t i = 0; i < self->part_count; i++) {
        join_part *part = &self->parts[i];
        *part = (join_part){.rows = {.spilled = {.owner = self->keeper}},
                            .probe = {.spilled = {.owner = self->keeper}}};
        atomic_init(&part->is_spilled, false);
    }
    return FIRN_OK;
}

firn_status join_state_begin(join_state *self, firn_error *err) {
    firn_status status = FIRN_OK;
    mutex_lock(&self->lock);
    if (!self->is_begun && self->keeper == NULL) {
        status = begin(self, err);
        self->is_begun = status == FIRN_OK;
    } else if (!self->is_begun) { // Another worker's beginning failed.
        status = FAIL(err, FIRN_NO_MEMORY, "a hash join could not begin");
    }
    mutex_unlock(&self->lock);
    return status;
}

typedef struct hashing {
    const column *keys;
    const uint16_t *lanes;
    uint32_t count;
    arena *scratch;
} hashing;

// Of all keys, or of those that make groups.
static firn_status hash_keys(const join_state *self, const hashing *in, bool of_group,
                             uint64_t *out, firn_error *err) {
    bool is_first = true;
    for (uint32_t i = 0; i < self->plan.right.key_count; i++) {
        if (of_group && !self->plan.null_equal[i]) {
            continue;
        }
        if (!hash_column(&in->keys[i], in->lanes, in->count, !is_first, in->scratch, out)) {
            return ARENA_FULL(in->scratch, err);
        }
        is_first = false;
    }
    for (uint32_t k = 0; is_first && k < in->count; k++) {
        out[k] = HASH_NULL;
    }
    return FIRN_OK;
}

void join_state_find_open(const join_state *self, const column *keys, const uint16_t *lanes,
                          uint32_t count, bool *is_open) {
    for (uint32_t k = 0; k < count; k++) {
        is_open[lanes[k]] = false;
    }
    for (uint32_t i = 0; i < self->plan.right.key_count; i++) {
        const column *key = &keys[i];
        const bool may_be_null =
            key->validity != NULL || key->type->id == TYPE_NULL || key->form == FORM_DICTIONARY;
        for (uint32_t k = 0; may_be_null && !self->plan.null_equal[i] && k < count; k++) {
            is_open[lanes[k]] |= !column_is_valid(key, lanes[k]);
        }
    }
}

firn_status join_state_hash(const join_state *self, const column *keys, const uint16_t *lanes,
                            uint32_t count, arena *scratch, uint64_t *out, firn_error *err) {
    const hashing in = {.keys = keys, .lanes = lanes, .count = count, .scratch = scratch};
    TRY(hash_keys(self, &in, false, out, err));
    if (!self->decides_by_group || count == 0) {
        return FIRN_OK;
    }
    const arena_mark mark = arena_mark_take(scratch);
    uint64_t *groups = ARENA_NEW(scratch, uint64_t, count);
    bool *is_open = ARENA_NEW(scratch, bool, (size_t)lanes[count - 1] + 1); // They ascend.
    if (groups == NULL || is_open == NULL) {
        return ARENA_FULL(scratch, err);
    }
    TRY(hash_keys(self, &in, true, groups, err));
    join_state_find_open(self, keys, lanes, count, is_open);
    const uint64_t below = (UINT64_C(1) << JOIN_GROUP_SHIFT) - 1;
    for (uint32_t k = 0; k < count; k++) {
        const uint64_t hash = (groups[k] & ~below) | (out[k] & below);
        out[k] = is_open[lanes[k]] ? join_open_hash(hash) : hash;
    }
    arena_rewind(scratch, mark);
    return FIRN_OK;
}
