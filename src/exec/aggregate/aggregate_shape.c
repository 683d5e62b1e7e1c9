// What an Aggregate node means: which expressions are evaluated, where states lie in a group's row,
// what is kept in collectors.
#include <assert.h>

#include "exec/aggregate/aggregate_choice.h"
#include "expr/expr_index.h"
#include "functions/overload.h"

typedef struct shaping {
    aggregate_shape *shape;
    const plan_node *node;
    arena *memory;
    const expr **roots; // Different expressions only.
    expr_index known;   // The roots.
    uint32_t root_max;
    firn_error *err;
} shaping;

static firn_status new_root(shaping *self, const expr *value) {
    aggregate_shape *shape = self->shape;
    assert(shape->root_count < self->root_max);
    TRY(expr_index_add(&self->known, value, self->memory, self->err));
    self->roots[shape->root_count++] = value;
    return FIRN_OK;
}

// The root that computes `value`; a new one unless an equal one is there.
static firn_status add_root(shaping *self, const expr *value, uint32_t *out) {
    *out = expr_is_volatile(value) ? NO_EXPR : expr_index_find(&self->known, value);
    if (*out != NO_EXPR) {
        return FIRN_OK;
    }
    *out = self->shape->root_count;
    return new_root(self, value);
}

// At most so many roots: every expression of the node is another one.
static uint32_t count_roots(const plan_node *node) {
    uint32_t count = node->aggregate_.keys.count;
    for (uint32_t i = 0; i < node->aggregate_.aggregates.count; i++) {
        const expr *call = node->aggregate_.aggregates.items[i];
        count += call->aggregate_.args.count + call->aggregate_.order.count + 1;
    }
    return count;
}

// ---- Choosers -----------------------------------------------------------------------------------

static bool is_told_apart(const expr *call) { // DISTINCT makes a difference.
    const uint32_t flags = call->aggregate_.function->flags;
    return call->aggregate_.is_distinct && (flags & AGGREGATE_DISTINCT_IS_SAME) == 0;
}

static bool is_by_order(const expr *call) {
    const uint32_t flags = call->aggregate_.function->flags;
    return call->aggregate_.order.count > 0 && (flags & AGGREGATE_ORDER_MATTERS) != 0;
}

// How the call chooses a row; NULL: it does something else.
static const aggregate_choice *choice_of(const expr *call) {
    const aggregate_overload *overload =
        &call->aggregate_.function->overloads[call->aggregate_.overload];
    const bool is_fold = overload->update != NULL;
    return !is_fold || is_told_apart(call) || is_by_order(call) ? overload->choice : NULL;
}

typedef struct choosing {
    uint32_t *roots;
    const type **types;
    sort_order *orders;
    uint32_t count;
} choosing;

static void put_key(choosing *to, uint32_t root, const sort_key *key) {
    to->roots[to->count] = root;
    to->types[to->count] = key->value->type;
    to->orders[to->count++] =
        (sort_order){.is_descending = key->is_descending, .nulls_first = key->nulls_first};
}

// By the argument that the function names, then by ORDER BY. Of DISTINCT rows without order the one
// that is first or last by value, so that the answer does not hang on chance.
static firn_status add_chooser(shaping *self, aggregate_slot *slot, const aggregate_choice *how) {
    const expr *call = slot->call;
    const sort_key_list *order = &call->aggregate_.order;
    const uint32_t order_count = is_by_order(call) ? order->count : 0;
    const uint32_t most = order_count + 1;
    choosing keys = {.roots = ARENA_NEW(self->memory, uint32_t, most),
                     .types = ARENA_NEW(self->memory, const type *, most),
                     .orders = ARENA_NEW(self->memory, sort_order, most)};
    if (keys.roots == NULL || keys.types == NULL || keys.orders == NULL) {
        return ARENA_FULL(self->memory, self->err);
    }
    if (how->is_by_arg || (order_count == 0 && is_told_apart(call))) {
        const uint32_t arg = how->is_by_arg ? how->key : 0;
        const sort_key by_arg = {.value = call->aggregate_.args.items[arg],
                                 .is_descending = how->is_descending};
        put_key(&keys, slot->args[arg], &by_arg);
    }
    for (uint32_t i = 0; i < order_count; i++) {
        uint32_t root;
        TRY(add_root(self, order->items[i].value, &root));
        put_key(&keys, root, &order->items[i]);
    }
    const chooser_keys made = {
        .count = keys.count, .roots = keys.roots, .types = keys.types, .orders = keys.orders};
    return aggregate_chooser_make(slot, how, &made, self->memory, self->err);
}

// ---- Collectors --------------------------------------------------------------------------------

static bool needs_collector(const expr *call) {
    const aggregate_function *function = call->aggregate_.function;
    return choice_of(call) == NULL &&
           (function->overloads[call->aggregate_.overload].collect != NULL || is_told_apart(call) ||
            is_by_order(call));
}

// The order of a DISTINCT aggregate whose rows have none: by its arguments, so that the answer does
// not hang on chance.
static firn_status order_by_args(shaping *self, const aggregate_slot *slot,
                                 aggregate_collector *out) {
    sort_key *keys = ARENA_NEW(self->memory, sort_key, slot->arg_count + 1);
    if (keys == NULL) {
        return ARENA_FULL(self->memory, self->err);
    }
    uint32_t count = 0;
    for (uint32_t i = 0; i < slot->arg_count; i++) {
        keys[count] = (sort_key){.value = slot->call->aggregate_.args.items[i]};
        count += aggregate_is_kept(slot, i);
    }
    assert(count == out->arg_count);
    out->order_count = count;
    out->order = out->args;
    out->sort_keys = keys;
    return FIRN_OK;
}

static firn_status set_order(shaping *self, const aggregate_slot *slot, aggregate_collector *out) {
    const expr *call = slot->call;
    if ((call->aggregate_.function->flags & AGGREGATE_ORDER_MATTERS) == 0) {
        return FIRN_OK;
    }
    out->is_ordered = true; // Without ORDER BY: as the rows came.
    if (call->aggregate_.order.count == 0) {
        return out->is_distinct ? order_by_args(self, slot, out) : FIRN_OK;
    }
    const sort_key_list *order = &call->aggregate_.order;
    uint32_t *roots = ARENA_NEW(self->memory, uint32_t, order->count);
    if (roots == NULL) {
        return ARENA_FULL(self->memory, self->err);
    }
    for (uint32_t i = 0; i < order->count; i++) {
        TRY(add_root(self, order->items[i].value, &roots[i]));
    }
    out->order_count = order->count;
    out->order = roots;
    out->sort_keys = order->items;
    return FIRN_OK;
}

bool aggregate_is_kept(const aggregate_slot *slot, uint32_t arg) {
    const expr *value = slot->call->aggregate_.args.items[arg];
    return arg == 0 || slot->is_fold || value->kind != EXPR_LITERAL ||
           value->literal_.value.is_null;
}

column aggregate_constant(const aggregate_slot *slot, uint32_t arg, uint32_t length) {
    const expr *value = slot->call->aggregate_.args.items[arg];
    column out = *(const column *)value->literal_.value.value;
    out.type = slot->types[arg];
    out.form = FORM_CONSTANT;
    out.length = length;
    out.validity = NULL;
    return out;
}

static firn_status set_args(shaping *self, const aggregate_slot *slot, aggregate_collector *out) {
    uint32_t *args = ARENA_NEW(self->memory, uint32_t, slot->arg_count + 1);
    if (args == NULL) {
        return ARENA_FULL(self->memory, self->err);
    }
    for (uint32_t i = 0; i < slot->arg_count; i++) {
        args[out->arg_count] = slot->args[i];
        out->arg_count += aggregate_is_kept(slot, i);
    }
    out->args = args;
    return FIRN_OK;
}

static firn_status add_collector(shaping *self, aggregate_slot *slot) {
    aggregate_shape *shape = self->shape;
    aggregate_collector *out = &shape->collectors[shape->collector_count];
    *out = (aggregate_collector){
        .slot = (uint32_t)(slot - shape->slots),
        .is_distinct = is_told_apart(slot->call),
    };
    TRY(set_args(self, slot, out));
    slot->collector = shape->collector_count++;
    TRY(set_order(self, slot, out));
    out->feeds_at_once = slot->is_fold && out->is_distinct && !out->is_ordered;
    return FIRN_OK;
}

// Rows of a collector: the group's key, arguments, order keys.
static firn_status make_collector_layout(shaping *self, aggregate_collector *out,
                                         const type *const *key_types) {
    const aggregate_shape *shape = self->shape;
    const aggregate_slot *slot = &shape->slots[out->slot];
    const uint32_t count = shape->group_keys + out->arg_count + out->order_count;
    const uint32_t most = shape->group_keys + slot->arg_count + out->order_count;
    const type **types = ARENA_NEW(self->memory, const type *, most + 1);
    if (types == NULL) {
        return ARENA_FULL(self->memory, self->err);
    }
    uint32_t at = 0;
    for (; at < shape->group_keys; at++) {
        types[at] = key_types[at];
    }
    for (uint32_t i = 0; i < slot->arg_count; i++) {
        types[at] = slot->types[i];
        at += aggregate_is_kept(slot, i);
    }
    for (uint32_t i = 0; i < out->order_count; i++) {
        types[at++] = out->sort_keys[i].value->type;
    }
    const uint32_t extra = out->is_distinct  ? (out->feeds_at_once ? 0 : COLLECTED_GROUP_SIZE)
                           : out->is_ordered ? COLLECTED_PLACE_SIZE
                                             : 0;
    out->is_direct = out->is_distinct && group_direct_takes(types, count);
    // Without groups nothing is told apart by hash, and all rows are one part.
    const bool has_hash = shape->has_groups || out->is_distinct;
    TRY(row_layout_make(types, count, has_hash, extra, self->memory, &out->layout, self->err));
    out->group_offset = out->is_distinct ? out->layout.extra_offset : 0;
    out->may_number = shape->has_groups && !out->is_distinct;
    self->shape->may_number |= out->may_number;
    TRY(row_layout_make(types + shape->group_keys, count - shape->group_keys, true, extra,
                        self->memory, &out->numbered, self->err));
    row_layout_move_validity(&out->numbered, AGGREGATE_ID_FREE, AGGREGATE_ID_FREE_SIZE);
    return FIRN_OK;
}

// ---- Slots -------------------------------------------------------------------------------------

// The state of a fold.
static firn_status set_state(shaping *self, aggregate_slot *slot) {
    const aggregate_overload *overload = slot->overload;
    slot->state_size = overload->state_size_for == NULL ? overload->state_size
                                                        : overload->state_size_for(slot->types);
    return slot->is_fold && overload->state_has_heap
               ? overload_state_types(overload->signature, overload->state_columns, slot->types,
                                      slot->arg_count, self->memory, &slot->exported, self->err)
               : FIRN_OK;
}

static firn_status add_slot(shaping *self, uint32_t number) {
    aggregate_shape *shape = self->shape;
    const expr *call = self->node->aggregate_.aggregates.items[number];
    const aggregate_function *function = call->aggregate_.function;
    assert(call->kind == EXPR_AGGREGATE);
    const uint32_t arg_count = call->aggregate_.args.count;
    uint32_t *args = ARENA_NEW(self->memory, uint32_t, arg_count + 1);
    const type **types = ARENA_NEW(self->memory, const type *, arg_count + 1);
    if (args == NULL || types == NULL) {
        return ARENA_FULL(self->memory, self->err);
    }
    for (uint32_t i = 0; i < arg_count; i++) {
        TRY(add_root(self, call->aggregate_.args.items[i], &args[i]));
        types[i] = call->aggregate_.args.items[i]->type;
    }
    uint32_t filter = ROW_NONE;
    if (call->aggregate_.filter != NULL) {
        TRY(add_root(self, call->aggregate_.filter, &filter));
    }
    aggregate_slot *slot = &shape->slots[number];
    *slot = (aggregate_slot){
        .call = call,
        .overload = &function->overloads[call->aggregate_.overload],
        .types = types,
        .arg_count = arg_count,
        .args = args,
        .filter = filter,
        .skips_nulls = (function->flags & AGGREGATE_SKIPS_NULLS) != 0,
        .is_fold = function->overloads[call->aggregate_.overload].collect == NULL,
        .collector = ROW_NONE,
    };
    const aggregate_choice *choice = choice_of(call);
    if (choice != NULL) {
        TRY(add_chooser(self, slot, choice));
    } else {
        TRY(set_state(self, slot));
    }
    assert(slot->state_size % 8 == 0);
    shape->has_heap |= slot->is_fold && slot->overload->state_has_heap;
    return needs_collector(call) ? add_collector(self, slot) : FIRN_OK;
}

// States without heap first, then the collected rows, then the others.
static void place_states(aggregate_shape *self) {
    uint32_t at = 0;
    for (uint32_t i = 0; i < self->slot_count; i++) {
        aggregate_slot *slot = &self->slots[i];
        if (slot->is_fold && !slot->overload->state_has_heap) {
            slot->state_offset = at;
            at += slot->state_size;
        }
    }
    self->plain_size = at;
    for (uint32_t i = 0; i < self->slot_count; i++) {
        if (self->slots[i].collector != ROW_NONE) {
            self->slots[i].collected_offset = at;
            at += (uint32_t)sizeof(aggregate_collected);
        }
    }
    for (uint32_t i = 0; i < self->slot_count; i++) {
        aggregate_slot *slot = &self->slots[i];
        if (slot->is_fold && slot->overload->state_has_heap) {
            slot->state_offset = at;
            at += slot->state_size;
        }
    }
    assert(at % 8 == 0);
    self->state_size = at;
    self->plain_size = self->has_heap ? self->plain_size : at;
}

static bool is_of_fixed_size(const type *self) {
    const physical kind = type_physical(self);
    return kind != PHYSICAL_STRING && kind != PHYSICAL_LIST && kind != PHYSICAL_STRUCT;
}

static void add_passed(uint32_t *roots, uint32_t *count, uint32_t root) {
    bool is_known = false;
    for (uint32_t i = 0; i < *count; i++) {
        is_known |= roots[i] == root;
    }
    roots[*count] = root;
    *count += !is_known;
}

// What updates the states of a row that has no group yet. *fits: all of it has a fixed size.
static void gather_passed(const shaping *self, uint32_t *roots, uint32_t *count, bool *fits) {
    const aggregate_shape *shape = self->shape;
    for (uint32_t i = 0; i < shape->slot_count; i++) {
        const aggregate_slot *slot = &shape->slots[i];
        *fits = *fits && slot->chooser == NULL; // It asks where rows came from.
        for (uint32_t k = 0; k < slot->arg_count && slot->collector == ROW_NONE; k++) {
            add_passed(roots, count, slot->args[k]);
        }
        if (slot->filter != ROW_NONE && slot->collector == ROW_NONE) {
            add_passed(roots, count, slot->filter);
        }
    }
    for (uint32_t i = 0; i < *count; i++) {
        *fits = *fits && is_of_fixed_size(self->roots[roots[i]]->type);
    }
}

// Rows that go past a table are kept as they are if that saves a third.
static firn_status make_passed(shaping *self) {
    aggregate_shape *shape = self->shape;
    uint32_t *roots = ARENA_NEW(self->memory, uint32_t, self->root_max + 1);
    const type **types =
        ARENA_NEW(self->memory, const type *, shape->group_keys + self->root_max + 1);
    if (roots == NULL || types == NULL) {
        return ARENA_FULL(self->memory, self->err);
    }
    uint32_t count = 0;
    bool fits = shape->has_groups && !shape->has_heap && !shape->is_collected;
    gather_passed(self, roots, &count, &fits);
    for (uint32_t i = 0; i < shape->group_keys; i++) {
        types[i] = shape->table.types[i];
    }
    for (uint32_t i = 0; i < count; i++) {
        types[shape->group_keys + i] = self->roots[roots[i]]->type;
    }
    shape->passed_roots = roots;
    shape->passed_count = count;
    TRY(row_layout_make(types, shape->group_keys + count, false, 0, self->memory, &shape->passed,
                        self->err));
    shape->has_passed = fits && shape->passed.size * 3 <= shape->kept.size * 2;
    return FIRN_OK;
}

// A single row over everything lies on no page.
static void set_page_bytes(aggregate_shape *self) {
    uint64_t most = 0;
    if (self->has_groups) {
        const uint64_t table = row_page_bytes(&self->table);
        const uint64_t kept = row_page_bytes(&self->kept);
        most = table > kept ? table : kept;
    }
    if (self->may_number) {
        const uint64_t numbers = row_page_bytes(&self->numbers);
        most = numbers > most ? numbers : most;
    }
    for (uint32_t i = 0; i < self->collector_count; i++) {
        const uint64_t collected = row_page_bytes(&self->collectors[i].layout);
        most = collected > most ? collected : most;
    }
    self->page_bytes = most;
}

static firn_status make_layouts(shaping *self) {
    aggregate_shape *shape = self->shape;
    uint32_t exported = 0;
    for (uint32_t i = 0; i < shape->slot_count; i++) {
        shape->slots[i].first_exported = shape->group_keys + exported;
        exported += shape->slots[i].exported.count;
    }
    const type **types = ARENA_NEW(self->memory, const type *, shape->group_keys + exported + 1);
    if (types == NULL) {
        return ARENA_FULL(self->memory, self->err);
    }
    uint32_t at = 0;
    for (; at < shape->key_count; at++) {
        types[at] = self->node->aggregate_.keys.items[at]->type;
    }
    if (shape->set_count > 0) {
        types[at++] = TYPE_OF(INTEGER);
    }
    for (uint32_t i = 0; i < shape->slot_count; i++) {
        for (uint32_t k = 0; k < shape->slots[i].exported.count; k++) {
            types[at++] = shape->slots[i].exported.fields[k].type;
        }
    }
    for (uint32_t i = 0; i < shape->collector_count; i++) {
        TRY(make_collector_layout(self, &shape->collectors[i], types));
    }
    TRY(row_layout_make(types, shape->group_keys, true, shape->state_size, self->memory,
                        &shape->table, self->err));
    TRY(row_layout_make(types, shape->group_keys, true, AGGREGATE_ID_SIZE, self->memory,
                        &shape->numbers, self->err));
    shape->kept = shape->table;
    if (shape->has_heap) {
        TRY(row_layout_make(types, at, true, shape->plain_size, self->memory, &shape->kept,
                            self->err));
    }
    set_page_bytes(shape);
    return FIRN_OK;
}

// Marks the roots that somebody looks at who does not take decimals in 64 bits.
static void mark_wide(const aggregate_shape *self, bool *is_wide) {
    for (uint32_t i = 0; i < self->slot_count; i++) {
        const aggregate_slot *slot = &self->slots[i];
        const uint32_t flags = slot->call->aggregate_.function->flags;
        const bool takes = (flags & AGGREGATE_TAKES_NARROW) != 0 && slot->collector == ROW_NONE;
        if (slot->filter != ROW_NONE) {
            is_wide[slot->filter] = true;
        }
        for (uint32_t k = 0; k < slot->arg_count; k++) {
            is_wide[slot->args[k]] |= !takes;
        }
        for (uint32_t k = 0; slot->chooser != NULL && k < slot->chooser->key_count; k++) {
            is_wide[slot->chooser->keys[k]] = true;
        }
    }
    for (uint32_t i = 0; i < self->collector_count; i++) {
        const aggregate_collector *collector = &self->collectors[i];
        for (uint32_t k = 0; k < collector->order_count; k++) {
            is_wide[collector->order[k]] = true;
        }
    }
}

// Sums take decimals in 64 bits where their values allow it: arguments that nobody else looks at.
static firn_status allow_narrow(const aggregate_shape *self, arena *memory, firn_error *err) {
    bool *is_wide = ARENA_NEW(memory, bool, self->root_count + 1);
    if (is_wide == NULL) {
        return ARENA_FULL(memory, err);
    }
    memset(is_wide, 0, self->root_count * sizeof *is_wide);
    mark_wide(self, is_wide);
    for (uint32_t root = self->key_count; root < self->root_count; root++) {
        if (!is_wide[root]) {
            expr_allow_narrow(self->program, root);
        }
    }
    return FIRN_OK;
}

firn_status aggregate_shape_make(const plan_node *node, const input_layout *input, arena *memory,
                                 aggregate_shape *out, firn_error *err) {
    const uint32_t slot_count = node->aggregate_.aggregates.count;
    const uint32_t key_count = node->aggregate_.keys.count;
    const uint32_t set_count = node->aggregate_.sets.count;
    *out = (aggregate_shape){
        .node = node,
        .key_count = key_count,
        .set_count = set_count,
        .group_keys = key_count + (set_count > 0),
        .has_groups = key_count > 0 || set_count > 0,
        .slot_count = slot_count,
        .output_count = key_count + slot_count + (node->aggregate_.set_id != NO_SLOT),
    };
    out->slots = ARENA_NEW(memory, aggregate_slot, slot_count + 1);
    out->collectors = ARENA_NEW(memory, aggregate_collector, slot_count + 1);
    shaping state = {
        .shape = out, .node = node, .memory = memory, .root_max = count_roots(node), .err = err};
    state.roots = ARENA_NEW(memory, const expr *, state.root_max + 1);
    if (out->slots == NULL || out->collectors == NULL || state.roots == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t i = 0; i < key_count; i++) { // Key i is root i, also if two are equal.
        TRY(new_root(&state, node->aggregate_.keys.items[i]));
    }
    for (uint32_t i = 0; i < slot_count; i++) {
        TRY(add_slot(&state, i));
    }
    for (uint32_t i = 0; i < out->root_count; i++) {
        out->makes_values |= expr_makes_long_values(state.roots[i]);
    }
    place_states(out);
    TRY(make_layouts(&state));
    // Grouping sets differ in their last key only: rows come again and again.
    out->is_collected = out->has_groups && slot_count > 0 && out->collector_count == slot_count;
    TRY(make_passed(&state));
    out->is_direct = set_count == 0 && !out->is_collected &&
                     group_direct_takes(out->table.types, out->group_keys);
    TRY(expr_compile(state.roots, out->root_count, input, memory, &out->program, err));
    return allow_narrow(out, memory, err);
}

// Of many collectors only some have partitions in memory at a time; the others write their rows out
// as they come, and a split works one off after the other.
#define STAGE_PAGES 4

uint64_t aggregate_min_bytes(const aggregate_shape *self, uint32_t workers) {
    const uint64_t count = (uint64_t)self->has_groups + self->collector_count;
    const uint64_t others = count > AGGREGATE_STAGES_FEW ? count - AGGREGATE_STAGES_FEW : 0;
    return (count - others) * keeper_min_bytes(workers, self->page_bytes) +
           others * workers * STAGE_PAGES * page_size_least(self->page_bytes);
}
