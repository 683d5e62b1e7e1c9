#include "formats/parquet/pq_filter.h"

#include <assert.h>
#include <string.h>

#include "expr/id_set.h"

// Batches between decisions: the first one comes soon, since the written order knows nothing.
#define DECIDE_EVERY 32
#define DECIDE_FIRST 4

// The positions among the picks of the columns that an expression mentions.
static firn_status find_columns(const expr *conjunct, const pq_filter_options *options,
                                uint32_t pick_count, arena *memory, pq_filter_stage *out,
                                firn_error *err) {
    id_set ids = id_set_open(memory);
    TRY(expr_columns(conjunct, &ids, err));
    out->columns = ARENA_NEW(memory, uint32_t, (size_t)pick_count + 1);
    if (out->columns == NULL) {
        return ARENA_FULL(memory, err);
    }
    out->column_count = 0;
    for (uint32_t i = 0; i < pick_count; i++) {
        if (id_set_has(&ids, options->ids[i])) {
            out->columns[out->column_count++] = i;
        }
    }
    return FIRN_OK;
}

// False where a dynamic filter is. Recursion is bounded as the nesting of expressions is.
static bool is_settled(void *user, expr **child) {
    (void)user;
    return (*child)->kind != EXPR_DYNAMIC && expr_visit_children(*child, is_settled, NULL);
}

static bool has_same_columns(const pq_filter_stage *left, const pq_filter_stage *right) {
    if (left->column_count != right->column_count) {
        return false;
    }
    for (uint32_t i = 0; i < left->column_count; i++) {
        if (left->columns[i] != right->columns[i]) {
            return false;
        }
    }
    return true;
}

// Finds the stage of a conjunct's columns, or makes a new one. Conjuncts that can fail are kept
// apart, so that their order stays.
static firn_status find_stage(pq_filter *self, expr *conjunct, const pq_filter_options *options,
                              uint32_t pick_count, arena *memory, uint32_t *out, firn_error *err) {
    pq_filter_stage stage = {.can_fail = expr_can_fail(conjunct),
                             .may_tighten = !is_settled(NULL, &conjunct)};
    TRY(find_columns(conjunct, options, pick_count, memory, &stage, err));
    for (uint32_t i = 0; i < self->stage_count && !stage.can_fail; i++) {
        if (!self->stages[i].can_fail && self->stages[i].may_tighten == stage.may_tighten &&
            has_same_columns(&self->stages[i], &stage)) {
            *out = i;
            return FIRN_OK;
        }
    }
    *out = self->stage_count;
    self->stages[self->stage_count++] = stage;
    return FIRN_OK;
}

// The predicate of each stage: its conjuncts, as written.
static firn_status join_conjuncts(pq_filter *self, const expr_list *conjuncts,
                                  const uint32_t *stage_of, arena *memory, firn_error *err) {
    expr **items = ARENA_NEW(memory, expr *, (size_t)conjuncts->count + 1);
    uint32_t *ends = ARENA_NEW(memory, uint32_t, (size_t)self->stage_count + 1);
    if (items == NULL || ends == NULL) {
        return ARENA_FULL(memory, err);
    }
    memset(ends, 0, ((size_t)self->stage_count + 1) * sizeof *ends);
    for (uint32_t i = 0; i < conjuncts->count; i++) {
        ends[stage_of[i] + 1]++;
    }
    for (uint32_t i = 0; i < self->stage_count; i++) {
        ends[i + 1] += ends[i]; // For now where the conjuncts of stage i + 1 begin.
    }
    for (uint32_t i = 0; i < conjuncts->count; i++) {
        items[ends[stage_of[i]]++] = conjuncts->items[i];
    }
    uint32_t from = 0;
    for (uint32_t i = 0; i < self->stage_count; i++) {
        self->stages[i].predicate = expr_and_all(memory, items + from, ends[i] - from);
        if (self->stages[i].predicate == NULL) {
            return ARENA_FULL(memory, err);
        }
        from = ends[i];
    }
    return FIRN_OK;
}

// Those that cannot fail first, each group as written.
static void order_as_written(pq_filter *self) {
    uint32_t count = 0;
    for (int fallible = 0; fallible < 2; fallible++) {
        for (uint32_t i = 0; i < self->stage_count; i++) {
            if (self->stages[i].can_fail == (fallible == 1)) {
                self->order[count++] = i;
            }
        }
        self->infallible_count = fallible == 0 ? count : self->infallible_count;
    }
}

firn_status pq_filter_open(pq_filter *self, const pq_filter_options *options, uint32_t pick_count,
                           arena *memory, firn_error *err) {
    const uint32_t count = options->conjuncts.count;
    *self = (pq_filter){
        .stages = ARENA_NEW(memory, pq_filter_stage, (size_t)count + 1),
        .order = ARENA_NEW(memory, uint32_t, (size_t)count + 1),
    };
    uint32_t *stage_of = ARENA_NEW(memory, uint32_t, (size_t)count + 1);
    if (self->stages == NULL || self->order == NULL || stage_of == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t i = 0; i < count; i++) {
        TRY(find_stage(self, options->conjuncts.items[i], options, pick_count, memory, &stage_of[i],
                       err));
    }
    TRY(join_conjuncts(self, &options->conjuncts, stage_of, memory, err));
    input_layout layout = {.count = pick_count, .ids = options->ids};
    if (self->stage_count > 0) { // Else nobody said what columns are called.
        TRY(input_layout_index(&layout, memory, err));
    }
    for (uint32_t i = 0; i < self->stage_count; i++) {
        pq_filter_stage *stage = &self->stages[i];
        const expr *root = stage->predicate;
        TRY(expr_compile(&root, 1, &layout, memory, &stage->program, err));
        TRY(expr_open(stage->program, options->context, options->dynamic, memory, &stage->state,
                      err));
    }
    order_as_written(self);
    return FIRN_OK;
}

void pq_filter_close(pq_filter *self) {
    for (uint32_t i = 0; i < self->stage_count; i++) {
        expr_close(self->stages[i].state);
    }
    self->stage_count = 0;
}

// Rows dropped for a nanosecond: the classic rank of independent filters.
static double rank_of(const pq_filter_stage *stage) {
    const double time_ns = stage->time_ns > 0 ? (double)stage->time_ns : 1;
    return (double)(stage->rows_in - stage->rows_out) / time_ns;
}

void pq_filter_watch(pq_filter *self) {
    self->run_count += 1;
    if (self->infallible_count < 2 ||
        (self->run_count != DECIDE_FIRST && self->run_count % DECIDE_EVERY != 0)) {
        return;
    }
    for (uint32_t i = 1; i < self->infallible_count; i++) { // Few: sort by insertion.
        const uint32_t moved = self->order[i];
        const double rank = rank_of(&self->stages[moved]);
        uint32_t at = i;
        for (; at > 0 && rank_of(&self->stages[self->order[at - 1]]) < rank; at--) {
            self->order[at] = self->order[at - 1];
        }
        self->order[at] = moved;
    }
    for (uint32_t i = 0; i < self->stage_count; i++) { // What is long ago counts less and less.
        self->stages[i].rows_in /= 2;
        self->stages[i].rows_out /= 2;
        self->stages[i].time_ns /= 2;
    }
}
