// A deep copy of a subplan under new column ids and shared slots, for a subplan that stands twice.
// First a walk gives new numbers to what is made inside, plans of subqueries included; then the
// copy replaces them wherever they are mentioned.
#include "plan/plan.h"

typedef struct copying {
    arena *memory;
    plan_renaming *names;
    uint32_t *slots; // By old shared slot: the new one; itself for those of SHARED nodes outside.
    uint32_t slot_count;
    firn_error *err;
    firn_status status;
} copying;

static plan_node *copy_node(copying *self, const plan_node *node);
static u32_list copy_ids(copying *self, u32_list list);

static void *fail_full(copying *self) {
    if (self->status == FIRN_OK) {
        self->status = ARENA_FULL(self->memory, self->err);
    }
    return NULL;
}

static uint32_t new_id(const copying *self, uint32_t id) {
    return id < self->names->id_count ? self->names->ids[id] : id;
}

static uint32_t new_slot(const copying *self, uint32_t slot) {
    return slot < self->slot_count ? self->slots[slot] : slot;
}

// ---- What is made inside ---------------------------------------------------------------------

static void rename_id(copying *self, uint32_t id) {
    uint32_t *const ids = self->names->ids;
    if (id < self->names->id_count && ids[id] == id) {
        ids[id] = (*self->names->next_id)++;
    }
}

static bool rename_made(void *user, plan_node **slot);

static bool rename_in_subquery(void *user, expr **slot) {
    if ((*slot)->kind == EXPR_SUBQUERY && !rename_made(user, &(*slot)->subquery_.plan)) {
        return false;
    }
    return expr_visit_children(*slot, rename_in_subquery, user);
}

static bool rename_made(void *user, plan_node **slot) {
    copying *self = user;
    const plan_node *node = *slot;
    if (!plan_visit_children(*slot, rename_made, user) ||
        !plan_visit_exprs(*slot, rename_in_subquery, user)) {
        return false;
    }
    plan_columns columns;
    self->status = plan_outputs(node, self->memory, &columns, self->err);
    for (uint32_t i = 0; self->status == FIRN_OK && i < columns.count; i++) {
        rename_id(self, columns.items[i].id);
    }
    for (uint32_t i = 0; node->kind == PLAN_SCAN && i < node->scan_.columns.count; i++) {
        rename_id(self, node->scan_.columns.items[i].id);
    }
    if (node->kind == PLAN_SHARED && node->shared_.slot < self->slot_count) {
        self->slots[node->shared_.slot] = (*self->names->shared_count)++;
    }
    if (node->kind == PLAN_RECURSIVE && node->recursive_.slot < self->slot_count) {
        self->slots[node->recursive_.slot] = (*self->names->shared_count)++;
    }
    return self->status == FIRN_OK;
}

// ---- Copies by kind of field -----------------------------------------------------------------

static bool rename_columns(void *user, expr **slot) {
    copying *self = user;
    if ((*slot)->kind == EXPR_COLUMN) {
        (*slot)->column_.id = new_id(self, (*slot)->column_.id);
    }
    if ((*slot)->kind == EXPR_SUBQUERY) {
        (*slot)->subquery_.plan = copy_node(self, (*slot)->subquery_.plan);
        (*slot)->subquery_.outer_ids = copy_ids(self, (*slot)->subquery_.outer_ids);
    }
    return expr_visit_children(*slot, rename_columns, user);
}

static expr *copy_expr(copying *self, const expr *value) {
    if (value == NULL) {
        return NULL;
    }
    expr *made = expr_copy(self->memory, value);
    if (made == NULL) {
        return fail_full(self);
    }
    (void)rename_columns(self, &made);
    return made;
}

static expr_list copy_exprs(copying *self, expr_list list) {
    expr **items = ARENA_NEW(self->memory, expr *, list.count + 1);
    if (items == NULL) {
        (void)fail_full(self);
        return (expr_list){0};
    }
    for (uint32_t i = 0; i < list.count; i++) {
        items[i] = copy_expr(self, list.items[i]);
    }
    return (expr_list){.count = list.count, .items = items};
}

// Lists of numbers are ids everywhere but for masks and flags, which lie outside of the renamed
// range only by chance: those fields are put back by the caller.
static u32_list copy_ids(copying *self, u32_list list) {
    uint32_t *items = ARENA_NEW(self->memory, uint32_t, list.count + 1);
    if (items == NULL) {
        (void)fail_full(self);
        return (u32_list){0};
    }
    for (uint32_t i = 0; i < list.count; i++) {
        items[i] = new_id(self, list.items[i]);
    }
    return (u32_list){.count = list.count, .items = items};
}

static sort_key_list copy_keys(copying *self, sort_key_list list) {
    sort_key *items = ARENA_NEW(self->memory, sort_key, list.count + 1);
    if (items == NULL) {
        (void)fail_full(self);
        return (sort_key_list){0};
    }
    for (uint32_t i = 0; i < list.count; i++) {
        items[i] = list.items[i];
        items[i].value = copy_expr(self, list.items[i].value);
    }
    return (sort_key_list){.count = list.count, .items = items};
}

static plan_list copy_plans(copying *self, plan_list list) {
    plan_node **items = ARENA_NEW(self->memory, plan_node *, list.count + 1);
    if (items == NULL) {
        (void)fail_full(self);
        return (plan_list){0};
    }
    for (uint32_t i = 0; i < list.count; i++) {
        items[i] = copy_node(self, list.items[i]);
    }
    return (plan_list){.count = list.count, .items = items};
}

static scan_column_list copy_scan_columns(copying *self, scan_column_list list) {
    scan_column *items = ARENA_NEW(self->memory, scan_column, list.count + 1);
    if (items == NULL) {
        (void)fail_full(self);
        return (scan_column_list){0};
    }
    for (uint32_t i = 0; i < list.count; i++) {
        items[i] = list.items[i];
        items[i].id = new_id(self, list.items[i].id);
    }
    return (scan_column_list){.count = list.count, .items = items};
}

#define COPY_U32(value) value
#define COPY_U64(value) value
#define COPY_BOOL(value) value
#define COPY_TEXT(value) value
#define COPY_SCHEMA(value) value // Types and names are immutable and of the same plan.
#define COPY_COLUMNS_DATA(value) value
#define COPY_EXPR(value) copy_expr(self, value)
#define COPY_EXPRS(value) copy_exprs(self, value)
#define COPY_U32S(value) copy_ids(self, value)
#define COPY_SORT_KEYS(value) copy_keys(self, value)
#define COPY_PLAN(value) copy_node(self, value)
#define COPY_PLANS(value) copy_plans(self, value)
#define COPY_SCAN_COLUMNS(value) copy_scan_columns(self, value)

// Numbers that are single ids, and lists that are none.
static void fix_numbers(const copying *self, const plan_node *from, plan_node *to) {
    switch ((int)from->kind) {
    case PLAN_JOIN:
        to->join_.mark_id = new_id(self, from->join_.mark_id);
        to->join_.null_equal = from->join_.null_equal;
        to->join_.dynamic_slots = from->join_.dynamic_slots;
        break;
    case PLAN_DEPENDENT_JOIN:
        to->dependent_join_.mark_id = new_id(self, from->dependent_join_.mark_id);
        break;
    case PLAN_AGGREGATE:
        to->aggregate_.sets = from->aggregate_.sets;
        to->aggregate_.set_id = new_id(self, from->aggregate_.set_id);
        break;
    case PLAN_NUMBER:
        to->number_.id = new_id(self, from->number_.id);
        break;
    case PLAN_UNNEST:
        to->unnest_.ordinality_id = new_id(self, from->unnest_.ordinality_id);
        break;
    case PLAN_SHARED:
        to->shared_.slot = new_slot(self, from->shared_.slot);
        break;
    case PLAN_SHARED_SCAN: // Of a definition inside or outside.
        to->shared_scan_.slot = new_slot(self, from->shared_scan_.slot);
        break;
    case PLAN_RECURSIVE:
        to->recursive_.slot = new_slot(self, from->recursive_.slot);
        break;
    case PLAN_SCAN:
        to->scan_.row_id = new_id(self, from->scan_.row_id);
        break;
    case PLAN_CHANGE_ONCE:
        to->change_once_.id = new_id(self, from->change_once_.id);
        break;
    case PLAN_INSERT:
        to->insert_.id = new_id(self, from->insert_.id);
        break;
    default:
        break;
    }
}

static plan_node *copy_node(copying *self, const plan_node *node) {
    plan_node *made = plan_new(self->memory, node->kind);
    if (made == NULL) {
        return fail_full(self);
    }
    made->row_estimate = node->row_estimate;
    made->position = node->position;
    switch (node->kind) {
#define X(NAME, word, label, text)                                                                 \
    case PLAN_##NAME: {                                                                            \
        const __typeof__(node->word##_) *from = &node->word##_;                                    \
        __typeof__(made->word##_) *to = &made->word##_;                                            \
        PLAN_##NAME##_FIELDS(COPY) break;                                                          \
    }
#define COPY(kind, name) to->name = COPY_##kind(from->name);
        PLAN_KIND_LIST(X)
#undef COPY
#undef X
    case PLAN_KIND_COUNT:
        break;
    }
    fix_numbers(self, node, made);
    return made;
}

firn_status plan_copy_renamed(arena *memory, const plan_node *self, plan_renaming *renaming,
                              plan_node **out, firn_error *err) {
    copying state = {.memory = memory,
                     .names = renaming,
                     .slot_count = *renaming->shared_count,
                     .err = err,
                     .status = FIRN_OK};
    state.slots = ARENA_NEW(memory, uint32_t, state.slot_count + 1);
    if (state.slots == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t i = 0; i < state.slot_count; i++) {
        state.slots[i] = i;
    }
    plan_node *root = (plan_node *)(uintptr_t)self; // Only looked at.
    (void)rename_made(&state, &root);
    TRY(state.status);
    *out = copy_node(&state, self);
    return state.status;
}
