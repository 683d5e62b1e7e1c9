// Facts about columns over a whole snapshot, for the optimizer: put together from the metrics of
// all files at the first question, unless that would take reading too much.
//
// Deletes leave bounds true (they only remove values), but no count exact.
#include <math.h>
#include <stdlib.h>

#include "base/checked.h"
#include "io/io_path.h"
#include "tables/iceberg/iceberg_manifest_visit.h"
#include "tables/iceberg/iceberg_snapshot_private.h"

#define FACTS_BYTES_MAX ((size_t)256 << 20)
#define CODEC_BYTES_MAX ((size_t)16 << 20)
// Of manifests: about 100,000 files; from afar, a few round trips.
#define READ_BYTES_MAX ((uint64_t)16 << 20)
#define REMOTE_MANIFESTS_MAX 4

typedef struct facts_column {
    int32_t field_id;
    uint32_t index; // In the table's columns.
    column_facts facts;
    bool has_low; // Every file so far that has values has a bound.
    bool has_high;
    bool has_nulls; // Every file so far has a count.
    bool has_nans;
    // Of the file looked at; NULL and -1: not said.
    const column *low;
    const column *high;
    int64_t values;
    int64_t nulls;
    int64_t nans;
} facts_column;

struct ice_facts {
    arena memory;
    uint32_t count;
    const column_facts **columns; // By column of the table; NULL: nothing is known.
};

typedef struct gathering {
    const ice_table *table;
    arena *memory;
    const cancel_flag *cancel;
    uint32_t count;
    facts_column *columns; // By ascending field id.
    bool has_deletes;
} gathering;

static int compare_ids(const void *left, const void *right) {
    const facts_column *l = left;
    const facts_column *r = right;
    return (l->field_id > r->field_id) - (l->field_id < r->field_id);
}

static firn_status take_columns(gathering *self, firn_error *err) {
    const schema *columns = &self->table->base.columns;
    self->columns = ARENA_NEW(self->memory, facts_column, (size_t)columns->count + 1);
    if (self->columns == NULL) {
        return ARENA_FULL(self->memory, err);
    }
    for (uint32_t i = 0; i < columns->count; i++) {
        if (ice_scalar_kind_of(columns->fields[i].type) != ICE_SCALAR_NONE) {
            self->columns[self->count++] = (facts_column){
                .field_id = columns->fields[i].id,
                .index = i,
                .facts = {.null_count = {.is_known = true}, .nan_count = {.is_known = true}},
                .has_low = true,
                .has_high = true,
                .has_nulls = true,
                .has_nans = true,
            };
        }
    }
    if (self->count > 0) {
        qsort(self->columns, self->count, sizeof *self->columns, compare_ids);
    }
    return FIRN_OK;
}

static void take_pair(void *user, ice_map map, int32_t key, ice_pair value) {
    gathering *self = user;
    const facts_column wanted = {.field_id = key};
    facts_column *found = self->count == 0 ? NULL
                                           : bsearch(&wanted, self->columns, self->count,
                                                     sizeof *self->columns, compare_ids);
    if (found == NULL) {
        return;
    }
    const type *of = self->table->base.columns.fields[found->index].type;
    if (of->id == TYPE_UUID && map >= ICE_MAP_LOW) {
        return; // Ordered by signed halves by some writers.
    }
    const ice_scalar bound = map >= ICE_MAP_LOW ? ice_scalar_of_bytes(of, value.data)
                                                : (ice_scalar){.kind = ICE_SCALAR_NONE};
    const bool is_nan = bound.kind == ICE_SCALAR_REAL && isnan(bound.real);
    switch (map) {
    case ICE_MAP_VALUE_COUNTS:
        found->values = value.number;
        break;
    case ICE_MAP_NULL_COUNTS:
        found->nulls = value.number;
        break;
    case ICE_MAP_NAN_COUNTS:
        found->nans = value.number;
        break;
    case ICE_MAP_LOW:
        found->low = is_nan ? NULL : ice_scalar_try_column(of, &bound, self->memory);
        break;
    case ICE_MAP_HIGH:
        found->high = is_nan ? NULL : ice_scalar_try_column(of, &bound, self->memory);
        break;
    case ICE_MAP_COLUMN_SIZES: // Not asked for.
        break;
    }
}

static void add_count(bool *is_known, exact_u64 *to, int64_t number) {
    *is_known = *is_known && number >= 0 && add_fits(to->value, (size_t)number, &to->value);
}

// Takes what a file says into what is known of all.
static void add_file(facts_column *to) {
    column_facts *all = &to->facts;
    const bool is_empty = to->values >= 0 && to->nulls >= 0 && to->nulls == to->values;
    add_count(&to->has_nulls, &all->null_count, to->nulls);
    add_count(&to->has_nans, &all->nan_count, to->nans);
    if (!is_empty) {
        to->has_low = to->has_low && to->low != NULL;
        to->has_high = to->has_high && to->high != NULL;
        if (to->has_low &&
            (all->minimum == NULL || column_compare_rows(to->low, 0, all->minimum, 0) < 0)) {
            all->minimum = to->low;
        }
        if (to->has_high &&
            (all->maximum == NULL || column_compare_rows(to->high, 0, all->maximum, 0) > 0)) {
            all->maximum = to->high;
        }
    }
}

static firn_status add_entry(void *user, const ice_walk *walk, const ice_entry *entry,
                             firn_error *err) {
    gathering *self = user;
    static const ice_map maps[] = {ICE_MAP_VALUE_COUNTS, ICE_MAP_NULL_COUNTS, ICE_MAP_NAN_COUNTS,
                                   ICE_MAP_LOW, ICE_MAP_HIGH};
    if (entry->row_count == 0) {
        return FIRN_OK;
    }
    for (uint32_t i = 0; i < self->count; i++) {
        facts_column *each = &self->columns[i];
        each->low = NULL;
        each->high = NULL;
        each->values = -1;
        each->nulls = -1;
        each->nans = -1;
    }
    for (size_t i = 0; i < sizeof maps / sizeof *maps; i++) {
        TRY(ice_walk_pairs(walk, entry, maps[i], take_pair, self, err));
    }
    for (uint32_t i = 0; i < self->count; i++) {
        add_file(&self->columns[i]);
    }
    return FIRN_OK;
}

static firn_status add_manifest(gathering *self, const ice_manifest *manifest,
                                codec_scratch *codecs, firn_error *err) {
    const ice_manifest_visitor visitor = {.files = self->table->files,
                                          .cancel = self->cancel,
                                          .owner = self->memory->owner,
                                          .codecs = codecs,
                                          .bytes_max = READ_BYTES_MAX,
                                          .memory_max = FACTS_BYTES_MAX,
                                          .take = add_entry,
                                          .user = self};
    return ice_manifest_visit(&visitor, &self->table->metadata, manifest, err);
}

// Whether asking is worth it: not for very many files, nor for many questions to a server.
static bool is_cheap(const ice_table *self) {
    uint64_t size = 0;
    uint32_t remote = 0;
    for (uint32_t i = 0; i < self->manifests.count; i++) {
        const ice_manifest *each = &self->manifests.items[i];
        if (each->is_bare || each->length > READ_BYTES_MAX) {
            return false;
        }
        size += each->length;
        remote += !io_path_is_local(each->path);
    }
    return size <= READ_BYTES_MAX && remote <= REMOTE_MANIFESTS_MAX && !self->is_incremental;
}

static firn_status gather(gathering *self, firn_error *err) {
    codec_scratch codecs = codec_scratch_open_in(self->memory->owner, CODEC_BYTES_MAX);
    firn_status status = take_columns(self, err);
    for (uint32_t i = 0; i < self->table->manifests.count && status == FIRN_OK; i++) {
        const ice_manifest *each = &self->table->manifests.items[i];
        const bool is_empty = each->live_files.is_known && each->live_files.value == 0;
        if (each->has_deletes) {
            self->has_deletes |= !is_empty;
        } else if (!is_empty) {
            status = add_manifest(self, each, &codecs, err);
        }
    }
    codec_scratch_close(&codecs);
    return status;
}

static void take_known(const gathering *self, ice_facts *out, arena *memory) {
    out->columns =
        ARENA_NEW(memory, const column_facts *, (size_t)self->table->base.columns.count + 1);
    if (out->columns == NULL) {
        return;
    }
    out->count = self->table->base.columns.count;
    for (uint32_t i = 0; i < out->count; i++) {
        out->columns[i] = NULL;
    }
    for (uint32_t i = 0; i < self->count; i++) {
        facts_column *each = &self->columns[i];
        column_facts *facts = &each->facts;
        facts->minimum = each->has_low ? facts->minimum : NULL;
        facts->maximum = each->has_high ? facts->maximum : NULL;
        facts->may_have_null = !each->has_nulls || facts->null_count.value > 0;
        facts->null_count.is_known = each->has_nulls && !self->has_deletes;
        facts->nan_count.is_known =
            each->has_nans && (!self->has_deletes || facts->nan_count.value == 0);
        out->columns[each->index] = facts;
    }
}

void ice_facts_close(ice_facts *self) {
    if (self != NULL) {
        arena memory = self->memory;
        arena_close(&memory);
    }
}

// NULL: without memory, or stopped.
static ice_facts *make_facts(const ice_table *table, const cancel_flag *cancel) {
    arena memory = arena_open_in(table->base.memory.owner, FACTS_BYTES_MAX);
    firn_error ignored = ERR_INIT; // Reading the table tells.
    ice_facts *made = ARENA_NEW(&memory, ice_facts, 1);
    if (made == NULL) {
        return NULL;
    }
    *made = (ice_facts){.count = 0};
    gathering self = {.table = table, .memory = &memory, .cancel = cancel};
    if (is_cheap(table) && gather(&self, &ignored) == FIRN_OK) {
        take_known(&self, made, &memory);
    }
    made->memory = memory;
    if (cancel_is_raised(cancel)) { // Another statement may ask again.
        ice_facts_close(made);
        return NULL;
    }
    return made;
}

const column_facts *ice_column_facts(const table_snapshot *base, uint32_t column,
                                     const cancel_flag *cancel) {
    ice_table *self = ice_table_of((table_snapshot *)(uintptr_t)base); // Only `facts` changes.
    ice_facts *facts = atomic_load_explicit(&self->facts, memory_order_acquire);
    if (facts == NULL) {
        ice_facts *made = make_facts(self, cancel);
        if (made == NULL) {
            return NULL;
        }
        // Of two that asked at once the first one's answer is kept.
        if (atomic_compare_exchange_strong_explicit(&self->facts, &facts, made,
                                                    memory_order_acq_rel, memory_order_acquire)) {
            facts = made;
        } else {
            ice_facts_close(made);
        }
    }
    return facts == NULL || column >= facts->count ? NULL : facts->columns[column];
}
