// EXPLAIN: one node a line, its inputs indented below it.
#include "plan/join_ranges.h"
#include "tables/row_change.h"

static const char *const labels[PLAN_KIND_COUNT] = {
#define X(NAME, word, label, text) [PLAN_##NAME] = label,
    PLAN_KIND_LIST(X)
#undef X
};

static const char *const join_words[JOIN_KIND_COUNT] = {
#define X(NAME, words, left, right, out, prune) [JOIN_##NAME] = words,
    JOIN_KIND_LIST(X)
#undef X
};

typedef struct printing {
    const plan *plan;
    text_builder *out;
    const expr_names *names;
    plan_notes notes;
    void *user;
    uint32_t depth;
} printing;

static void print_expr(const printing *self, const expr *value) {
    expr_print_named(value, self->names, self->out);
}

static void print_exprs(const printing *self, const expr_list *values, const char *between) {
    for (uint32_t i = 0; i < values->count; i++) {
        text_append(self->out, text_of(i == 0 ? "" : between));
        print_expr(self, values->items[i]);
    }
}

// Values that a node hands out under ids of its own; those without a name get their number.
static void print_made(const printing *self, const expr_list *values, const u32_list *ids) {
    for (uint32_t i = 0; i < values->count; i++) {
        const uint32_t id = ids->items[i];
        text_append(self->out, text_of(i == 0 ? "" : ", "));
        print_expr(self, values->items[i]);
        if (id < self->names->count && self->names->by_id[id].size == 0) {
            text_append_format(self->out, " AS #%u", id);
        }
    }
}

static void print_keys(const printing *self, const sort_key_list *keys) {
    for (uint32_t i = 0; i < keys->count; i++) {
        const sort_key *key = &keys->items[i];
        text_append(self->out, text_of(i == 0 ? "" : ", "));
        print_expr(self, key->value);
        text_append(self->out, text_of(key->is_descending ? " DESC" : ""));
        if (key->nulls_first != key->is_descending) {
            text_append(self->out, text_of(key->nulls_first ? " NULLS FIRST" : " NULLS LAST"));
        }
    }
}

static void print_scan(const printing *self, const plan_node *node) {
    const table_ref *table = &self->plan->tables[node->scan_.table];
    text_append_char(self->out, ' ');
    if (table->catalog.size > 0) {
        text_append_format(self->out, "%.*s.", TEXT_ARGS(table->catalog));
    }
    text_append(self->out, table->name);
    text_append(self->out, TEXT(" columns=["));
    for (uint32_t i = 0; i < node->scan_.output_count; i++) {
        text_append(self->out, text_of(i == 0 ? "" : ", "));
        text_append(self->out, node->scan_.columns.items[i].name);
    }
    text_append_char(self->out, ']');
    if (node->scan_.filters.count > 0) {
        text_append(self->out, TEXT(" filter=["));
        print_exprs(self, &node->scan_.filters, " AND ");
        text_append_char(self->out, ']');
    }
    if (node->scan_.row_id != NO_SLOT) {
        text_append(self->out, TEXT(" row ids"));
    }
    if (node->scan_.limit != UINT64_MAX) {
        text_append_format(self->out, " limit=%llu", (unsigned long long)node->scan_.limit);
    }
}

static void print_join(const printing *self, const plan_node *node) {
    bool is_range = false;
    firn_error ignored = ERR_INIT; // Of memory: then less is said.
    const arena_mark mark = arena_mark_take(self->out->memory);
    if (join_is_range(node, self->out->memory, &is_range, &ignored) != FIRN_OK) {
        is_range = false;
    }
    arena_rewind(self->out->memory, mark);
    text_append_format(self->out, " %s%s", join_words[node->join_.join], is_range ? " range" : "");
    for (uint32_t i = 0; i < node->join_.left_keys.count; i++) {
        text_append(self->out, text_of(i == 0 ? " ON " : " AND "));
        print_expr(self, node->join_.left_keys.items[i]);
        text_append(self->out, node->join_.null_equal.items[i] != 0 ? TEXT(" IS NOT DISTINCT FROM ")
                                                                    : TEXT(" = "));
        print_expr(self, node->join_.right_keys.items[i]);
    }
    if (node->join_.residual != NULL) {
        text_append(self->out, node->join_.left_keys.count > 0 ? TEXT(" AND ") : TEXT(" ON "));
        print_expr(self, node->join_.residual);
    }
    if (node->join_.null_aware) {
        text_append(self->out, TEXT(" null-aware"));
    }
}

static void print_aggregate(const printing *self, const plan_node *node) {
    text_append_char(self->out, ' ');
    print_made(self, &node->aggregate_.aggregates, &node->aggregate_.ids);
    if (node->aggregate_.keys.count > 0) {
        text_append(self->out, node->aggregate_.aggregates.count > 0 ? TEXT(" BY ") : TEXT("BY "));
        print_made(self, &node->aggregate_.keys, &node->aggregate_.key_ids);
    }
    if (node->aggregate_.sets.count > 0) {
        text_append_format(self->out, " sets=%u", node->aggregate_.sets.count);
    }
    if (node->aggregate_.group_limit > 0) {
        text_append_format(self->out, " limit=%llu",
                           (unsigned long long)node->aggregate_.group_limit);
    }
}

static void print_sort(const printing *self, const plan_node *node) {
    text_append(self->out, node->sort_.limit == UINT64_MAX ? TEXT(" ") : TEXT(" top "));
    if (node->sort_.limit != UINT64_MAX) {
        text_append_format(self->out, "%llu BY ", (unsigned long long)node->sort_.limit);
    }
    print_keys(self, &node->sort_.keys);
    if (node->sort_.offset > 0) {
        text_append_format(self->out, " offset=%llu", (unsigned long long)node->sort_.offset);
    }
}

static void print_output(const printing *self, const plan_node *node) {
    for (uint32_t i = 0; i < node->output_.columns.count; i++) {
        text_append(self->out, text_of(i == 0 ? " " : ", "));
        text_append(self->out, node->output_.columns.fields[i].name);
    }
}

static const char *const change_words[] = {
    [CHANGE_APPEND] = "append", [CHANGE_DELETE] = "delete",       [CHANGE_UPDATE] = "update",
    [CHANGE_MERGE] = "merge",   [CHANGE_OVERWRITE] = "overwrite", [CHANGE_REWRITE] = "rewrite",
};

static void print_insert(const printing *self, const plan_node *node) {
    const table_ref *table = &self->plan->tables[node->insert_.table];
    if (node->insert_.change != CHANGE_APPEND) {
        text_append(self->out, TEXT(" change="));
        text_append(self->out, text_of(change_words[node->insert_.change]));
    }
    if (node->insert_.fan_out > 0) {
        text_append_format(self->out, " partitions<=%u", node->insert_.fan_out);
    }
    // Tables are told by what asks for them; a file only here.
    if (text_equal(table->kind, TEXT("copy target"))) {
        text_append(self->out, TEXT(" to "));
        text_append(self->out, table->name);
    }
}

static void print_details(const printing *self, const plan_node *node) {
    switch ((int)node->kind) {
    case PLAN_SCAN:
        print_scan(self, node);
        break;
    case PLAN_VALUES:
        text_append_format(self->out, " rows=%llu", (unsigned long long)node->values_.row_count);
        break;
    case PLAN_TABLE_FUNCTION:
        text_append_format(self->out, " %.*s(", TEXT_ARGS(node->table_function_.function));
        print_exprs(self, &node->table_function_.args, ", ");
        text_append_char(self->out, ')');
        break;
    case PLAN_FILTER:
        text_append_char(self->out, ' ');
        print_expr(self, node->filter_.predicate);
        break;
    case PLAN_PROJECT:
        text_append_char(self->out, ' ');
        print_made(self, &node->project_.values, &node->project_.ids);
        break;
    case PLAN_JOIN:
        print_join(self, node);
        break;
    case PLAN_AGGREGATE:
        print_aggregate(self, node);
        break;
    case PLAN_SORT:
        print_sort(self, node);
        break;
    case PLAN_LIMIT:
        for (int i = 0; i < 2; i++) {
            const expr *value = i == 0 ? node->limit_.limit : node->limit_.offset;
            if (value != NULL) {
                text_append(self->out, text_of(i == 0 ? " " : " offset="));
                print_expr(self, value);
            }
        }
        break;
    case PLAN_REPEAT:
        text_append_char(self->out, ' ');
        print_expr(self, node->repeat_.times);
        break;
    case PLAN_UNNEST:
        text_append_char(self->out, ' ');
        print_exprs(self, &node->unnest_.lists, ", ");
        break;
    case PLAN_SHARED:
        text_append_format(self->out, " #%u", node->shared_.slot);
        break;
    case PLAN_SHARED_SCAN:
        text_append_format(self->out, " #%u", node->shared_scan_.slot);
        break;
    case PLAN_INSERT:
        print_insert(self, node);
        break;
    case PLAN_OUTPUT:
        print_output(self, node);
        break;
    default:
        break;
    }
}

static bool print_node(void *user, plan_node **slot) {
    printing *self = user;
    const plan_node *node = *slot;
    for (uint32_t i = 0; i < self->depth; i++) {
        text_append(self->out, TEXT("  "));
    }
    text_append(self->out, text_of(labels[node->kind]));
    print_details(self, node);
    if (self->notes != NULL) {
        self->notes(self->user, node, self->out);
    }
    text_append_char(self->out, '\n');
    self->depth++;
    (void)plan_visit_children(*slot, print_node, user);
    self->depth--;
    return true;
}

void plan_print(const plan *self, plan_notes notes, void *user, text_builder *out) {
    const expr_names names = plan_names(self, out->memory);
    printing state = {.plan = self, .out = out, .names = &names, .notes = notes, .user = user};
    plan_node *root = self->root;
    (void)print_node(&state, &root);
}

void plan_print_details(const plan *self, const plan_node *node, const expr_names *names,
                        text_builder *out) {
    const printing state = {.plan = self, .out = out, .names = names};
    print_details(&state, node);
}

const char *plan_kind_label(plan_kind kind) {
    return labels[kind];
}
