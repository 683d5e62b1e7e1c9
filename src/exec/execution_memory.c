// How much a run reserves before it begins.
//
//     minima   of the keepers that are alive at once, in the most demanding phase
//     flow     pages that readers of files hold, batches on their way: they cannot shrink, and a
//              keeper makes room for them at its next look only
//
// Where both do not fit, fewer workers run: to the last one everything is in proportion to them.
#include "exec/execution_memory.h"

#include "exec/pipeline.h"
#include "memory/page.h"
#include "memory/pool.h"

// Of the limit: what the readers of all queries may take for windows and pages that can wait.
#define READERS_SHARE 8
#define READER_BYTES_MAX ((uint64_t)48 << 20)
#define PERMITS_MAX 4096
// What a reader cannot do without, by column: a dictionary as it is in the file, its entries, a
// page, and the window it is read through.
#define TEXT_COLUMN_BYTES ((uint64_t)2 << 20)
// … and this more for one of its texts: where a dictionary ends, and pages of what did not fit into
// it begin, all of these are there at once and at their largest.
#define WIDEST_TEXT_BYTES ((uint64_t)3 << 20)
#define COLUMN_BYTES ((uint64_t)1 << 20)
#define ROW_BYTES_MAX 64                  // Of a column of a small table.
#define BATCHES_BYTES ((uint64_t)4 << 20) // Of a worker, on their way through a chain; at most …
#define BATCHES_SHARE 4 // … this part of the limit for all workers, half of it beside readers.
#define FLOW_PARTS 16
#define FLOW_PARTS_ENOUGH 12 // With these a query rarely fails; for more it does not wait.
#define MANY_KEEPERS_BYTES ((uint64_t)32 << 20)
#define KEPT_SHARE 16    // Of the limit: what keepers may hold for nothing.
#define PATIENCE_MS 1000 // For them, while no other query takes or gives back anything.
#define WAIT_MS 10000    // For others, while none of them takes or gives back anything.

// ---- Keepers that are alive at once ------------------------------------------------------------

static uint64_t least_of(const op_instance *each, uint32_t workers) {
    return each->kind->min_bytes == NULL ? 0 : each->kind->min_bytes(each->shared, workers);
}

// By number of a plan node: the pipeline that reads what the node's sink has kept and then gives it
// back; NULL if it is kept longer.
static firn_status find_readers(execution *self, pipeline ***out, firn_error *err) {
    pipeline **readers = ARENA_NEW(&self->memory, pipeline *, self->node_count + 1);
    if (readers == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    for (uint32_t i = 0; i <= self->node_count; i++) {
        readers[i] = NULL;
    }
    for (const op_instance *each = self->instances; each != NULL; each = each->listed) {
        if (each->kind->release != NULL && readers[each->node->number] == NULL) {
            readers[each->node->number] = each->pipeline;
        }
    }
    *out = readers;
    return FIRN_OK;
}

typedef struct phase_bytes {
    uint64_t inputs;  // Of what the pipelines that feed it keep, when they are done, …
    uint64_t earlier; // … and at most, while they or those before them run.
} phase_bytes;

// A pipeline runs when all that feed it are done and have given back what they read, so what is
// kept at once is what one pipeline reads and makes, and the same of others that need not follow
// it. Pipelines are listed with those that feed one before it.
static firn_status minima(execution *self, pipeline *const *readers, uint32_t workers,
                          uint64_t *out, firn_error *err) {
    phase_bytes *phases = ARENA_NEW(&self->memory, phase_bytes, self->pipeline_count + 1);
    if (phases == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    for (uint32_t i = 0; i < self->pipeline_count; i++) {
        phases[i] = (phase_bytes){0};
    }
    *out = 0;
    for (const pipeline *each = self->pipelines; each != NULL; each = each->following) {
        const phase_bytes *here = &phases[each->number];
        const uint64_t made = least_of(each->sink, workers);
        const pipeline *next = readers[each->sink->node->number];
        const uint64_t running = here->inputs + made;
        const uint64_t most = running > here->earlier ? running : here->earlier;
        if (next == NULL) {
            *out += most;
        } else {
            phases[next->number].inputs += made;
            phases[next->number].earlier += most;
        }
    }
    return FIRN_OK;
}

// ---- Readers and batches -----------------------------------------------------------------------

uint64_t execution_scan_bytes(const execution *self, const plan_node *node) {
    const table_snapshot *table = self->tables[node->scan_.table];
    const double rows = table->rows.is_known ? table->rows.value : 1e18;
    uint64_t bytes = 0;
    bool has_text = false;
    for (uint32_t i = 0; table->kind->keeps_pages && i < node->scan_.columns.count; i++) {
        const bool is_text = type_has_any_length(node->scan_.columns.items[i].type);
        const uint64_t wide = is_text && !has_text ? WIDEST_TEXT_BYTES : 0;
        const uint64_t most = (is_text ? TEXT_COLUMN_BYTES : COLUMN_BYTES) + wide;
        has_text |= is_text;
        bytes += rows * ROW_BYTES_MAX < (double)most ? (uint64_t)(rows * ROW_BYTES_MAX) : most;
    }
    return bytes;
}

// A worker has one reader at a time: that of the scan that needs most counts.
static uint64_t reader_bytes(const execution *self) {
    uint64_t most = 0;
    for (const op_instance *each = self->instances; each != NULL; each = each->listed) {
        const bool is_scan = each->kind == &operator_scan_source;
        const uint64_t bytes = is_scan ? execution_scan_bytes(self, each->node) : 0;
        most = bytes > most ? bytes : most;
    }
    return most;
}

// `reader` is what each worker's takes.
static uint64_t flow(uint64_t reader, uint64_t limit, uint32_t workers) {
    const uint64_t share = limit / BATCHES_SHARE / workers;
    const uint64_t left = share - (reader < share / 2 ? reader : share / 2);
    return workers * (reader + (left < BATCHES_BYTES ? left : BATCHES_BYTES));
}

static bool reads(const pipeline *which) {
    const op_instance *each = which->instances;
    while (each != NULL && each->kind != &operator_scan_source) {
        each = each->beside;
    }
    return each != NULL;
}

static uint32_t count_reading(const execution *self) {
    uint32_t count = 0;
    for (const pipeline *each = self->pipelines; each != NULL; each = each->following) {
        count += reads(each);
    }
    return count;
}

// As many readers as there are workers are counted, and where memory is short no more may be open.
static void set_readers(execution *self, uint64_t limit) {
    const uint64_t all = limit / READERS_SHARE / pool_query_count(self->pool); // This is one.
    const uint64_t share = all / self->worker_count;
    self->reader_bytes = share < READER_BYTES_MAX ? share : READER_BYTES_MAX;
    const uint64_t count = all / (self->reader_bytes + 1);
    scan_permits_add(&self->permits, count > PERMITS_MAX          ? PERMITS_MAX
                                     : count > self->worker_count ? (uint32_t)count
                                                                  : self->worker_count);
}

// ---- Reserving ---------------------------------------------------------------------------------

// Leaves a quarter of the limit to keepers that want more than their minima.
static bool is_modest(uint64_t bytes, uint64_t limit) {
    return bytes <= limit / 4 * 3;
}

// Minima are for pages of the smallest size; larger ones must not make much more of them where
// there are hundreds of keepers, as where values of hundreds of columns are told apart. A keeper
// whose rows do not fit has larger pages.
static size_t choose_page_size(const execution *self, uint64_t limit, uint64_t for_keepers) {
    size_t size = page_size_for(limit / 4 / self->worker_count);
    while (for_keepers >= MANY_KEEPERS_BYTES && size > PAGE_BYTES_MIN &&
           for_keepers / PAGE_BYTES_MIN * size > limit / KEPT_SHARE) {
        size /= 2;
    }
    return size;
}

firn_status execution_reserve(execution *self, firn_error *err) {
    const uint64_t limit = pool_limit(pool_engine(self->pool));
    const uint64_t begun = pool_used(self->pool);
    const uint64_t reader = reader_bytes(self);
    pool_cancel_set(self->pool, &self->cancel);
    pipeline **readers;
    TRY(find_readers(self, &readers, err));
    uint64_t for_keepers = 0;
    bool is_granted = false;
    for (uint32_t workers = self->worker_count; workers > 0 && !is_granted; workers--) {
        TRY(minima(self, readers, workers, &for_keepers, err));
        const uint64_t own = begun + flow(reader, limit, workers);
        self->worker_count = workers;
        is_granted = (workers == 1 || is_modest(for_keepers + own, limit)) &&
                     pool_reserve(self->pool, for_keepers, own);
    }
    set_readers(self, limit);
    self->own_without_readers = begun + flow(0, limit, self->worker_count);
    atomic_init(&self->reading_left, count_reading(self));
    page_size_set(self->pool, choose_page_size(self, limit, for_keepers));
    // Readers rarely need all that was counted: they get what keepers can do without. Who would get
    // too little beside others stands in line first.
    const uint64_t counted = flow(reader, limit, 1) / FLOW_PARTS;
    firn_error ignored = ERR_INIT;
    for (uint32_t parts = FLOW_PARTS; parts > 0 && !is_granted; parts--) {
        is_granted = pool_reserve(self->pool, for_keepers, begun + counted * parts) ||
                     (parts == FLOW_PARTS_ENOUGH && pool_query_count(self->pool) > 1 &&
                      pool_reserve_wait(self->pool, for_keepers, begun + counted * parts,
                                        PATIENCE_MS, &self->cancel, &ignored) == FIRN_OK);
    }
    return is_granted || pool_reserve(self->pool, for_keepers, begun)
               ? FIRN_OK
               : pool_reserve_wait(self->pool, for_keepers, begun, WAIT_MS, &self->cancel, err);
}

void execution_chains_ended(execution *self, const pipeline *which) {
    if (reads(which) && atomic_fetch_sub(&self->reading_left, 1) == 1) {
        pool_reserve_lower(self->pool, self->own_without_readers);
    }
}
