#include "formats/parquet/pq_prune.h"

#include <assert.h>
#include <string.h>

#define PLAN_MEMORY_MAX ((size_t)256 << 20)
#define SCRATCH_MEMORY_MAX ((size_t)16 << 20)
// Read of a bloom filter whose size the footer does not say.
#define BLOOM_BYTES_GUESS ((uint64_t)128 << 10)
#define NO_RANGE UINT32_MAX

enum { STAGE_STATISTICS, STAGE_BLOOMS, STAGE_PAGES, STAGE_OFFSETS, STAGE_DONE };

// Facts about a row group, or about one page of one of its columns.
typedef struct prune_facts {
    unit_facts unit; // First, so that the evaluator's pointer is ours.
    pq_pruner *pruner;
    uint32_t page_pick;       // Of a page: the pick it belongs to.
    const column_facts *page; // NULL: the unit is the row group.
} prune_facts;

static uint32_t pick_of_id(const pq_pruner *self, uint32_t id) {
    for (uint32_t i = 0; i < self->picks.count; i++) {
        if (self->options->ids[i] == id) {
            return i;
        }
    }
    return UINT32_MAX;
}

static const column_facts *find_facts(const unit_facts *unit, uint32_t column_id) {
    const prune_facts *facts = (const prune_facts *)(const void *)unit;
    pq_pruner *self = facts->pruner;
    const uint32_t pick = pick_of_id(self, column_id);
    if (pick == UINT32_MAX) {
        return NULL;
    }
    if (facts->page != NULL) {
        return pick == facts->page_pick ? facts->page : NULL;
    }
    if (!self->is_known[pick]) {
        pq_group_plan *plan = self->plan;
        self->facts[pick] = pq_facts_of_row_group(self->file, self->picks.items[pick],
                                                  plan->row_group, &plan->memory);
        self->is_known[pick] = true;
    }
    return &self->facts[pick];
}

static bool has_bloom(const pq_pruner *self, uint32_t pick) {
    if (!pq_pick_is_flat(self->picks.items[pick])) {
        return false;
    }
    const uint32_t leaf = self->picks.items[pick]->node->first_leaf;
    const pq_column_metadata *chunk =
        pq_chunk_metadata(self->file->metadata, self->plan->row_group, leaf);
    return pq_column_metadata_has_bloom_offset(chunk) && chunk->bloom_offset > 0 &&
           (uint64_t)chunk->bloom_offset < self->file->metadata->file_size;
}

// Takes note that somebody asks, and says maybe.
static bool note_question(const unit_facts *unit, uint32_t column_id, const column *value,
                          uint32_t row) {
    const prune_facts *facts = (const prune_facts *)(const void *)unit;
    const uint32_t pick = pick_of_id(facts->pruner, column_id);
    (void)value;
    (void)row;
    if (pick != UINT32_MAX) {
        facts->pruner->is_asked[pick] = true;
    }
    return true;
}

static bool ask_bloom(const unit_facts *unit, uint32_t column_id, const column *value,
                      uint32_t row) {
    const prune_facts *facts = (const prune_facts *)(const void *)unit;
    const pq_pruner *self = facts->pruner;
    const uint32_t pick = pick_of_id(self, column_id);
    uint8_t room[PQ_PLAIN_BYTES_MAX];
    bytes stored;
    if (pick == UINT32_MAX || self->blooms[pick].bitset.size == 0 ||
        !pq_plain_bytes_of(self->picks.items[pick], value, row, room, &stored)) {
        return true;
    }
    return pq_bloom_may_contain(&self->blooms[pick], pq_bloom_hash_of(stored));
}

static prune_facts facts_of_group(pq_pruner *self) {
    return (prune_facts){
        .unit = {.row_count = {.is_known = true,
                               .value = pq_file_rows_of(self->file, self->plan->row_group)},
                 .find = find_facts,
                 .filters = self->options->dynamic},
        .pruner = self,
    };
}

// ---- Row groups --------------------------------------------------------------------------------

firn_status pq_pruner_open(pq_pruner *self, const pq_file *file, const pq_filter_options *options,
                           const pq_filter *filter, pq_pick_list picks, arena *memory,
                           firn_error *err) {
    const size_t count = (size_t)picks.count + 1;
    *self = (pq_pruner){
        .file = file,
        .options = options,
        .filter = filter,
        .picks = picks,
        .stage = STAGE_DONE,
        .facts = ARENA_NEW(memory, column_facts, count),
        .is_known = ARENA_NEW(memory, bool, count),
        .is_asked = ARENA_NEW(memory, bool, count),
        .blooms = ARENA_NEW(memory, pq_bloom, count),
        .ranges = ARENA_NEW(memory, uint32_t, count),
        .scratch = arena_open_in(memory->owner, SCRATCH_MEMORY_MAX),
    };
    if (self->facts == NULL || self->is_known == NULL || self->is_asked == NULL ||
        self->blooms == NULL || self->ranges == NULL) {
        return ARENA_FULL(memory, err);
    }
    return FIRN_OK;
}

firn_status pq_pruner_attach(pq_pruner *self, pool *owner, const io_request *request, arena *memory,
                             firn_error *err) {
    return pq_fetch_open(&self->fetch, self->file->input, owner, request, 2 * self->picks.count,
                         memory, err);
}

void pq_pruner_close(pq_pruner *self) {
    if (self->fetch.input != NULL) {
        pq_fetch_close(&self->fetch);
    }
    arena_close(&self->scratch);
}

static void leave_out(pq_group_plan *plan) {
    plan->spans.count = 0;
}

static firn_status new_plan(pq_pruner *self, uint32_t row_group, pq_group_plan *plan,
                            firn_error *err) {
    arena memory = plan->memory; // Kept from the row group before.
    if (memory.limit == 0) {
        memory = arena_open_in(self->scratch.owner, PLAN_MEMORY_MAX);
    }
    arena_reset(&memory);
    const size_t leaf_count = self->file->metadata->schema->leaf_count;
    *plan = (pq_group_plan){.row_group = row_group};
    plan->is_always = ARENA_NEW(&memory, bool, (size_t)self->filter->stage_count + 1);
    plan->indexes = ARENA_NEW(&memory, const pq_offset_index *, leaf_count + 1);
    plan->spans.items = ARENA_NEW(&memory, pq_row_span, 1);
    plan->memory = memory;
    if (plan->is_always == NULL || plan->indexes == NULL || plan->spans.items == NULL) {
        return ARENA_FULL(&plan->memory, err);
    }
    memset(plan->is_always, 0, self->filter->stage_count * sizeof *plan->is_always);
    for (size_t i = 0; i < leaf_count; i++) {
        plan->indexes[i] = NULL;
    }
    const uint64_t rows = pq_file_rows_of(self->file, row_group);
    plan->spans.count = rows > 0 ? 1 : 0;
    plan->spans.items[0] = (pq_row_span){.from = 0, .to = rows};
    return FIRN_OK;
}

firn_status pq_pruner_begin(pq_pruner *self, uint32_t row_group, pq_row_span piece,
                            pq_group_plan *plan, firn_error *err) {
    TRY(new_plan(self, row_group, plan, err));
    self->plan = plan;
    self->is_counted = piece.from == 0;
    self->counters.seen += self->is_counted;
    self->is_whole = piece.from == 0 && piece.to >= pq_file_rows_of(self->file, row_group);
    self->stage = plan->spans.count == 0 || (self->is_whole && self->filter->stage_count == 0)
                      ? STAGE_DONE
                      : STAGE_STATISTICS;
    memset(self->is_known, 0, self->picks.count * sizeof *self->is_known);
    memset(self->is_asked, 0, self->picks.count * sizeof *self->is_asked);
    memset(self->blooms, 0, self->picks.count * sizeof *self->blooms);
    return FIRN_OK;
}

// Asks every filter about the row group; true if one can hold for no row, which is `*never` then.
static bool is_never(pq_pruner *self, prune_facts *facts, const pq_filter_stage **never) {
    for (uint32_t i = 0; i < self->filter->stage_count; i++) {
        arena_reset(&self->scratch);
        const pq_filter_stage *filter = &self->filter->stages[i];
        const verdict answer = facts_evaluate(filter->predicate, &facts->unit, &self->scratch);
        if (answer == VERDICT_NEVER) {
            *never = filter;
            return true;
        }
        const bool is_always = answer == VERDICT_ALWAYS && !filter->may_tighten;
        self->plan->is_always[i] = self->plan->is_always[i] || is_always;
    }
    return false;
}

static void ask_statistics(pq_pruner *self) {
    prune_facts facts = facts_of_group(self);
    facts.unit.may_contain = note_question;
    self->stage = STAGE_BLOOMS;
    const pq_filter_stage *never;
    if (is_never(self, &facts, &never)) {
        self->counters.by_dynamic += self->is_counted && never->may_tighten;
        self->counters.by_statistics += self->is_counted && !never->may_tighten;
        leave_out(self->plan);
        self->stage = STAGE_DONE;
    }
}

// ---- Bloom filters -----------------------------------------------------------------------------

static void add_blooms(pq_pruner *self) {
    pq_fetch_begin(&self->fetch);
    for (uint32_t i = 0; i < self->picks.count; i++) {
        self->ranges[i] = NO_RANGE;
        if (!self->is_asked[i] || !has_bloom(self, i)) {
            continue;
        }
        const uint32_t leaf = self->picks.items[i]->node->first_leaf;
        const pq_column_metadata *chunk =
            pq_chunk_metadata(self->file->metadata, self->plan->row_group, leaf);
        const uint64_t left = self->file->metadata->file_size - (uint64_t)chunk->bloom_offset;
        const bool has_size = pq_column_metadata_has_bloom_size(chunk) && chunk->bloom_size > 0;
        const uint64_t size = has_size ? (uint64_t)chunk->bloom_size : BLOOM_BYTES_GUESS;
        self->ranges[i] = pq_fetch_add(&self->fetch, (uint64_t)chunk->bloom_offset,
                                       (size_t)(size < left ? size : left));
    }
}

// A filter that is damaged or was not read whole is none.
static pq_bloom bloom_of(bytes raw) {
    pq_bloom_header header;
    size_t bitset;
    firn_error ignored = ERR_INIT;
    if (pq_bloom_header_read(raw, &header, &bitset, &ignored) != FIRN_OK ||
        (size_t)header.size > raw.size - bitset) {
        return (pq_bloom){.bitset = {.size = 0}};
    }
    return (pq_bloom){.bitset = {.data = raw.data + bitset, .size = (size_t)header.size}};
}

static void ask_blooms(pq_pruner *self) {
    bool has_any = false;
    for (uint32_t i = 0; i < self->picks.count; i++) {
        if (self->ranges[i] != NO_RANGE) {
            self->blooms[i] = bloom_of(pq_fetch_bytes(&self->fetch, self->ranges[i]));
            has_any = has_any || self->blooms[i].bitset.size > 0;
        }
    }
    prune_facts facts = facts_of_group(self);
    facts.unit.may_contain = ask_bloom;
    self->stage = STAGE_PAGES;
    const pq_filter_stage *never;
    if (has_any && is_never(self, &facts, &never)) {
        self->counters.by_bloom += self->is_counted;
        leave_out(self->plan);
        self->stage = STAGE_DONE;
    }
}

// ---- Pages -------------------------------------------------------------------------------------

static const pq_column_chunk *chunk_of(const pq_pruner *self, uint32_t leaf) {
    return &self->file->metadata->file.row_groups.items[self->plan->row_group].columns.items[leaf];
}

static bool is_in_file(const pq_pruner *self, int64_t offset, int32_t size) {
    const uint64_t file_size = self->file->metadata->file_size;
    return offset > 0 && size > 0 && (uint64_t)offset <= file_size &&
           (uint64_t)size <= file_size - (uint64_t)offset;
}

static bool has_offset_index(const pq_pruner *self, const pq_column_chunk *chunk) {
    return pq_column_chunk_has_offset_index_offset(chunk) &&
           is_in_file(self, chunk->offset_index_offset, chunk->offset_index_size);
}

static bool has_column_index(const pq_pruner *self, const pq_column_chunk *chunk) {
    return pq_column_chunk_has_column_index_offset(chunk) &&
           is_in_file(self, chunk->column_index_offset, chunk->column_index_size);
}

// The pick of a stage that asks about one flat column only; UINT32_MAX if it is another kind, or is
// true anyway.
static uint32_t single_pick(const pq_pruner *self, uint32_t stage) {
    const pq_filter_stage *filter = &self->filter->stages[stage];
    if (filter->column_count != 1 || self->plan->is_always[stage] ||
        !pq_pick_is_flat(self->picks.items[filter->columns[0]])) {
        return UINT32_MAX;
    }
    return filter->columns[0];
}

static void add_indexes(pq_pruner *self) {
    pq_fetch_begin(&self->fetch);
    for (uint32_t i = 0; i < self->picks.count; i++) {
        self->ranges[i] = NO_RANGE;
    }
    for (uint32_t stage = 0; stage < self->filter->stage_count; stage++) {
        const uint32_t pick = single_pick(self, stage);
        if (pick == UINT32_MAX || self->ranges[pick] != NO_RANGE) {
            continue;
        }
        const pq_column_chunk *chunk = chunk_of(self, self->picks.items[pick]->node->first_leaf);
        if (has_column_index(self, chunk) && has_offset_index(self, chunk)) {
            self->ranges[pick] = pq_fetch_add(&self->fetch, (uint64_t)chunk->column_index_offset,
                                              (size_t)chunk->column_index_size);
            (void)pq_fetch_add(&self->fetch, (uint64_t)chunk->offset_index_offset,
                               (size_t)chunk->offset_index_size);
        }
    }
}

// Reads an offset index into the plan; NULL if it is damaged.
static const pq_offset_index *read_offsets(pq_pruner *self, uint32_t leaf, bytes raw) {
    pq_group_plan *plan = self->plan;
    pq_offset_index *out = ARENA_NEW(&plan->memory, pq_offset_index, 1);
    firn_error ignored = ERR_INIT;
    const uint64_t rows = pq_file_rows_of(self->file, plan->row_group);
    if (out == NULL || pq_offset_index_read(raw, self->file->metadata->file_size, rows,
                                            &plan->memory, out, &ignored) != FIRN_OK) {
        return NULL;
    }
    // Pages lie in their chunk, or they are not believed.
    const pq_chunk_range chunk = pq_chunk_place(self->file->metadata, plan->row_group, leaf);
    for (size_t i = 0; i < out->pages.count; i++) {
        const pq_page_location *page = &out->pages.items[i];
        if ((uint64_t)page->offset < chunk.offset ||
            (uint64_t)page->offset + (uint64_t)page->size > chunk.offset + chunk.size) {
            return NULL;
        }
    }
    plan->indexes[leaf] = out->pages.count > 0 ? out : NULL;
    return plan->indexes[leaf];
}

// Grows the room for spans: each page takes away one piece at most.
static bool reserve_spans(pq_group_plan *plan, size_t pages) {
    pq_row_span *items = ARENA_NEW(&plan->memory, pq_row_span, plan->spans.count + pages + 1);
    if (items == NULL) {
        return false;
    }
    for (size_t i = 0; i < plan->spans.count; i++) {
        items[i] = plan->spans.items[i];
    }
    plan->spans.items = items;
    return true;
}

// Takes the rows of pages for which the filter can't be true out of the plan.
static void ask_pages(pq_pruner *self, const expr *predicate, uint32_t pick,
                      const pq_offset_index *offsets, const pq_column_index *index) {
    pq_group_plan *plan = self->plan;
    const pq_pick *column_pick = self->picks.items[pick];
    const uint64_t rows = pq_file_rows_of(self->file, plan->row_group);
    prune_facts facts = facts_of_group(self);
    facts.page_pick = pick;
    for (size_t page = 0; page < offsets->pages.count; page++) {
        const pq_row_span span = pq_page_rows(offsets, page, rows);
        bool is_null_page;
        pq_bounds bounds = pq_bounds_of_page(self->file->metadata, column_pick->node->first_leaf,
                                             index, page, &is_null_page);
        if (is_null_page) {
            bounds.has_null_count = true;
            bounds.null_count = span.to - span.from;
        }
        arena_reset(&self->scratch);
        const column_facts known =
            pq_facts_of_bounds(column_pick, &bounds, span.to - span.from, &self->scratch);
        facts.page = &known;
        facts.unit.row_count.value = span.to - span.from;
        if (facts_evaluate(predicate, &facts.unit, &self->scratch) == VERDICT_NEVER) {
            self->counters.pages += 1;
            pq_row_spans_remove(&plan->spans, span.from, span.to);
        }
    }
}

static void ask_indexes(pq_pruner *self) {
    for (uint32_t stage = 0; stage < self->filter->stage_count; stage++) {
        const uint32_t pick = single_pick(self, stage);
        if (pick == UINT32_MAX || self->ranges[pick] == NO_RANGE) {
            continue;
        }
        const uint32_t leaf = self->picks.items[pick]->node->first_leaf;
        const uint32_t range = self->ranges[pick];
        const pq_offset_index *offsets = self->plan->indexes[leaf];
        if (offsets == NULL) {
            offsets = read_offsets(self, leaf, pq_fetch_bytes(&self->fetch, range + 1));
        }
        pq_column_index index;
        firn_error ignored = ERR_INIT;
        if (offsets != NULL && reserve_spans(self->plan, offsets->pages.count) &&
            pq_column_index_read(pq_fetch_bytes(&self->fetch, range), offsets->pages.count,
                                 &self->plan->memory, &index, &ignored) == FIRN_OK) {
            ask_pages(self, self->filter->stages[stage].predicate, pick, offsets, &index);
        }
    }
}

// ---- Offsets of the other columns --------------------------------------------------------------

// Where pages of all columns are is worth knowing once rows are left out.
static void add_offsets(pq_pruner *self) {
    pq_fetch_begin(&self->fetch);
    const uint64_t rows = pq_file_rows_of(self->file, self->plan->row_group);
    const bool has_gaps = self->plan->spans.count > 0 &&
                          (!self->is_whole || pq_row_spans_rows(&self->plan->spans) < rows);
    for (uint32_t i = 0; i < self->picks.count; i++) {
        self->ranges[i] = NO_RANGE;
        const pq_pick *pick = self->picks.items[i];
        if (!has_gaps || pick->kind != PQ_PICK_LEAF) {
            continue;
        }
        const pq_column_chunk *chunk = chunk_of(self, pick->node->first_leaf);
        if (self->plan->indexes[pick->node->first_leaf] == NULL && has_offset_index(self, chunk)) {
            self->ranges[i] = pq_fetch_add(&self->fetch, (uint64_t)chunk->offset_index_offset,
                                           (size_t)chunk->offset_index_size);
        }
    }
}

static void take_offsets(pq_pruner *self) {
    for (uint32_t i = 0; i < self->picks.count; i++) {
        if (self->ranges[i] != NO_RANGE) {
            const uint32_t leaf = self->picks.items[i]->node->first_leaf;
            (void)read_offsets(self, leaf, pq_fetch_bytes(&self->fetch, self->ranges[i]));
        }
    }
}

// ---- Steps -------------------------------------------------------------------------------------

// What was asked for is there: goes on with it, and asks for the next.
static firn_status step(pq_pruner *self, firn_error *err) {
    switch (self->stage) {
    case STAGE_STATISTICS:
        ask_statistics(self);
        if (self->stage == STAGE_BLOOMS) {
            add_blooms(self);
        }
        break;
    case STAGE_BLOOMS:
        ask_blooms(self);
        if (self->stage == STAGE_PAGES) {
            add_indexes(self);
        }
        break;
    case STAGE_PAGES:
        ask_indexes(self);
        add_offsets(self);
        self->stage = STAGE_OFFSETS;
        break;
    default:
        take_offsets(self);
        self->stage = STAGE_DONE;
        return FIRN_OK;
    }
    return self->stage == STAGE_DONE ? FIRN_OK : pq_fetch_submit(&self->fetch, err);
}

firn_status pq_pruner_next(pq_pruner *self, pq_answer *answer, firn_error *err) {
    *answer = PQ_READY;
    while (self->stage != STAGE_DONE) {
        if (self->stage != STAGE_STATISTICS) {
            TRY(pq_fetch_next(&self->fetch, answer, err));
            if (*answer != PQ_READY) {
                return FIRN_OK;
            }
        }
        TRY(step(self, err));
    }
    return FIRN_OK;
}
