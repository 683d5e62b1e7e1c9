// Rows for a table of few partitions need not be sorted by them: a sink that takes partitions side
// by side (row_sink_kind.fans_out) has a row group of each open. The binder's Sort holds all rows.
//
// How many there are at most is known where bounds are: of dates and times that are cut, of
// integers; a bucket says it itself. Bounds hold for whatever filters and joins leave of a column.
// They may be wrong (a table's metadata is somebody's): then the sink writes more files.
#include <math.h>

#include "optimize/rewrite.h"
#include "tables/iceberg/iceberg_transform_column.h"
#include "tables/row_change.h"

#define PARTITIONS_MAX 256
#define LEAF_BYTES (96.0 * 1024) // Of a leaf in an open row group.
#define MEMORY_SHARE 4           // Of the limit, for all of them.
#define FACTS_BYTES_MAX (UINT64_C(1) << 20)

// What fills a column, as far down as it is known: an expression over `over`, or a column of a
// scan.
typedef struct origin {
    const plan_node *over;
    const expr *value;
    const scan_column *column; // Of `over`; NULL: `value`.
} origin;

static bool find_origin(const plan_node *node, uint32_t id, origin *out);

// Another column of an input is looked for there.
static bool find_value(const plan_node *input, const expr *value, origin *out) {
    if (value->kind == EXPR_COLUMN) {
        return find_origin(input, value->column_.id, out);
    }
    *out = (origin){.over = input, .value = value};
    return true;
}

static bool find_listed(const u32_list *ids, const expr_list *values, const plan_node *input,
                        uint32_t id, origin *out) {
    for (uint32_t i = 0; i < ids->count; i++) {
        if (ids->items[i] == id) {
            return find_value(input, values->items[i], out);
        }
    }
    return false;
}

static bool find_scanned(const plan_node *scan, uint32_t id, origin *out) {
    for (uint32_t i = 0; i < scan->scan_.columns.count; i++) {
        if (scan->scan_.columns.items[i].id == id) {
            *out = (origin){.over = scan, .column = &scan->scan_.columns.items[i]};
            return true;
        }
    }
    return false;
}

static bool find_origin(const plan_node *node, uint32_t id, origin *out) {
    switch ((int)node->kind) {
    case PLAN_SCAN:
        return find_scanned(node, id, out);
    case PLAN_PROJECT:
        return find_listed(&node->project_.ids, &node->project_.values, node->project_.input, id,
                           out);
    case PLAN_AGGREGATE:
        return find_listed(&node->aggregate_.key_ids, &node->aggregate_.keys,
                           node->aggregate_.input, id, out);
    case PLAN_FILTER:
        return find_origin(node->filter_.input, id, out);
    case PLAN_SORT:
        return find_origin(node->sort_.input, id, out);
    case PLAN_LIMIT:
        return find_origin(node->limit_.input, id, out);
    case PLAN_CHANGE_ONCE:
        return find_origin(node->change_once_.input, id, out);
    case PLAN_SHARED:
        return find_origin(node->shared_.body, id, out);
    case PLAN_JOIN:
        return find_origin(node->join_.left, id, out) || find_origin(node->join_.right, id, out);
    default:
        return false;
    }
}

// What metadata tells is enough; else a look at the values is cheap beside sorting their rows.
static const column_facts *bounds_of(const optimizer *self, const table_snapshot *table,
                                     uint32_t column) {
    const cancel_flag *cancel = self->context->cancel;
    if (table->kind->facts != NULL && table->facts_bytes <= FACTS_BYTES_MAX) {
        return table->kind->facts(table, column, cancel);
    }
    column_facts *out =
        table->kind->bounds == NULL ? NULL : ARENA_NEW(self->memory, column_facts, 1);
    if (out != NULL) {
        table->kind->bounds(table, column, cancel, self->memory, out);
    }
    return out;
}

static const column_facts *facts_of(const optimizer *self, const origin *from) {
    if (from->column == NULL || from->column->path_length != 1) {
        return NULL;
    }
    const column_facts *facts =
        bounds_of(self, self->tables[from->over->scan_.table], from->column->path[0]);
    return facts == NULL || facts->minimum == NULL || facts->maximum == NULL ? NULL : facts;
}

// Numbers of both ends, and NULL.
static double count_between(const column *minimum, const column *maximum) {
    if (!column_is_valid(minimum, 0) || !column_is_valid(maximum, 0)) {
        return (double)INFINITY;
    }
    return (double)column_lane_integer(maximum, 0) - (double)column_lane_integer(minimum, 0) + 2;
}

static bool is_cut_time(const ice_transform *transform) {
    return transform->kind == ICE_YEAR || transform->kind == ICE_MONTH ||
           transform->kind == ICE_DAY || transform->kind == ICE_HOUR;
}

static double count_cut(const optimizer *self, const ice_transform *transform,
                        const column_facts *facts) {
    firn_error refused = ERR_INIT;
    column ends[2];
    if (ice_transform_column(transform, facts->minimum, TEXT(""), self->memory, &ends[0],
                             &refused) != FIRN_OK ||
        ice_transform_column(transform, facts->maximum, TEXT(""), self->memory, &ends[1],
                             &refused) != FIRN_OK) {
        return (double)INFINITY;
    }
    return count_between(&ends[0], &ends[1]);
}

// Of partition_value(transform, value).
static double count_parts(const optimizer *self, const plan_node *input, const expr *call) {
    const literal *word = &call->call_.args.items[0]->literal_.value;
    const string_value *written = COLUMN_VALUES(word->value, string_value);
    const ice_transform transform =
        ice_transform_read((text){.data = string_data(written), .size = written->size});
    origin from;
    if (transform.kind == ICE_BUCKET) {
        return (double)transform.width + 1;
    }
    if (!is_cut_time(&transform) || !find_value(input, call->call_.args.items[1], &from)) {
        return (double)INFINITY;
    }
    const column_facts *facts = facts_of(self, &from);
    return facts == NULL ? (double)INFINITY : count_cut(self, &transform, facts);
}

static double count_values(const optimizer *self, const origin *from, const type *type) {
    if (type->id == TYPE_BOOLEAN) {
        return 3;
    }
    const column_facts *facts = facts_of(self, from);
    const bool is_discrete = type_category_of(type) == CATEGORY_INTEGER || type->id == TYPE_DATE;
    return facts == NULL || !is_discrete || type_physical(type) == PHYSICAL_I128
               ? (double)INFINITY
               : count_between(facts->minimum, facts->maximum);
}

// Values that a key of the Sort has, at most.
static double count_key(const optimizer *self, const plan_node *input, const expr *key) {
    origin from;
    if (!find_value(input, key, &from)) {
        return key->type->id == TYPE_BOOLEAN ? 3 : (double)INFINITY;
    }
    if (from.column == NULL && from.value->kind == EXPR_LITERAL) {
        return 1;
    }
    if (from.column == NULL && expr_is_call(from.value, "partition_value")) {
        return count_parts(self, from.over, from.value);
    }
    return count_values(self, &from, key->type);
}

static double count_leaves(const type *self) {
    double count = self->child_count == 0 ? 1 : 0;
    for (uint32_t i = 0; i < self->child_count; i++) {
        count += count_leaves(self->children[i].type);
    }
    return count;
}

// The Sort that makes partitions lie together; NULL: there is none any more.
static plan_node **find_sort(plan_node *insert) {
    plan_node **slot = &insert->insert_.input;
    while ((*slot)->kind == PLAN_PROJECT || (*slot)->kind == PLAN_SHARED) {
        slot = (*slot)->kind == PLAN_PROJECT ? &(*slot)->project_.input : &(*slot)->shared_.body;
    }
    return (*slot)->kind == PLAN_SORT && (*slot)->sort_.limit == UINT64_MAX ? slot : NULL;
}

static firn_status visit(optimizer *self, plan_node **slot) {
    plan_node *insert = *slot;
    plan_node **place =
        insert->kind == PLAN_INSERT && insert->insert_.is_clustered ? find_sort(insert) : NULL;
    if (place == NULL || !self->tables[insert->insert_.table]->kind->sink->fans_out) {
        return FIRN_OK;
    }
    const table_snapshot *table = self->tables[insert->insert_.table];
    const sort_key_list *keys = &(*place)->sort_.keys;
    double count = 1;
    double leaves = 0;
    for (uint32_t i = 0; i < keys->count && count <= PARTITIONS_MAX; i++) {
        count *= count_key(self, (*place)->sort_.input, keys->items[i].value);
    }
    for (uint32_t i = 0; i < table->columns.count; i++) {
        leaves += count_leaves(table->columns.fields[i].type);
    }
    if (count <= PARTITIONS_MAX &&
        count * leaves * LEAF_BYTES <= (double)self->memory_bytes / MEMORY_SHARE) {
        insert->insert_.is_clustered = false;
        insert->insert_.fan_out = (uint32_t)fmax(1, count);
        *place = (*place)->sort_.input;
    }
    return FIRN_OK;
}

firn_status rule_fan_out(optimizer *self, plan_node **root) {
    return rewrite_tree(self, root, visit);
}
