// Cuts a plan into pipelines. One function per shape of node; each adds steps to the chain that it
// is building and begins new pipelines where rows must be kept before they can go on.
//
// A chain is built from its end: `downstream` is what the rows of a node go into, so that a node
// with several inputs (a union) gives them all the same rest of the way.
#include "exec/pipeline.h"

#include <assert.h>
#include <string.h>

#include "exec/result.h"
#include "tables/row_change.h"

typedef struct builder {
    execution *run;
    firn_error *err;
} builder;

static firn_status build(builder *self, const plan_node *node, pipeline *into,
                         op_instance *downstream);

// Column ids that a node hands out, as positions.
static firn_status layout_of(builder *self, const plan_node *node, input_layout *out) {
    plan_columns columns;
    TRY(plan_outputs(node, &self->run->memory, &columns, self->err));
    uint32_t *ids = ARENA_NEW(&self->run->memory, uint32_t, columns.count + 1);
    if (ids == NULL) {
        return ARENA_FULL(&self->run->memory, self->err);
    }
    for (uint32_t i = 0; i < columns.count; i++) {
        ids[i] = columns.items[i].id;
    }
    *out = (input_layout){.count = columns.count, .ids = ids};
    return input_layout_index(out, &self->run->memory, self->err);
}

// Opens an operator for `node`; `input` is the node whose rows it takes, NULL for sources.
static firn_status add_instance(builder *self, const operator_kind *kind, const plan_node *node,
                                const plan_node *input, pipeline *into, op_instance **out) {
    execution *run = self->run;
    TRY(cancel_check(&run->cancel, self->err));
    op_instance *instance = ARENA_NEW(&run->memory, op_instance, 1);
    if (instance == NULL) {
        return ARENA_FULL(&run->memory, self->err);
    }
    *instance = (op_instance){
        .kind = kind, .node = node, .pipeline = into, .local_index = into->local_count++};
    input_layout layout = {0};
    if (input != NULL) {
        TRY(layout_of(self, input, &layout));
    }
    TRY(kind->open(node, &layout, run, &instance->shared, self->err));
    instance->listed = run->instances;
    run->instances = instance;
    if (kind->close != NULL) {
        instance->closed_after = run->closing;
        run->closing = instance;
    }
    instance->beside = into->instances;
    into->instances = instance;
    *out = instance;
    return FIRN_OK;
}

static firn_status add_pipeline(builder *self, uint32_t distance, pipeline **out) {
    execution *run = self->run;
    pipeline *made = ARENA_NEW(&run->memory, pipeline, 1);
    pipeline_worker **workers = ARENA_NEW(&run->memory, pipeline_worker *, run->worker_count);
    if (made == NULL || workers == NULL) {
        return ARENA_FULL(&run->memory, self->err);
    }
    *made = (pipeline){.run = run,
                       .number = run->pipeline_count++,
                       .distance = distance,
                       .workers = workers,
                       .following = run->pipelines};
    mutex_begin(&made->lock, MUTEX_QUERY);
    run->pipelines = made;
    *out = made;
    return FIRN_OK;
}

// `later` begins when `earlier` is done.
static firn_status depend(builder *self, pipeline *later, pipeline *earlier) {
    pipeline_link *link = ARENA_NEW(&self->run->memory, pipeline_link, 1);
    if (link == NULL) {
        return ARENA_FULL(&self->run->memory, self->err);
    }
    *link = (pipeline_link){.target = later, .following = earlier->dependents};
    earlier->dependents = link;
    later->waits_for++;
    return FIRN_OK;
}

static firn_status add_chain(builder *self, pipeline *into, op_instance *source,
                             op_instance *downstream, bool is_drain) {
    chain *made = ARENA_NEW(&self->run->memory, chain, 1);
    if (made == NULL) {
        return ARENA_FULL(&self->run->memory, self->err);
    }
    *made = (chain){.source = source,
                    .is_drain = is_drain,
                    .number = into->chain_count,
                    .step_count = downstream->step_count};
    source->next = downstream;
    if (made->step_count > into->step_count_max) {
        into->step_count_max = made->step_count;
    }
    *(into->last_chain == NULL ? &into->first_chain : &into->last_chain->following) = made;
    into->last_chain = made;
    into->chain_count++;
    return FIRN_OK;
}

static firn_status add_source(builder *self, const operator_kind *kind, const plan_node *node,
                              pipeline *into, op_instance *downstream, bool is_drain) {
    op_instance *source;
    TRY(add_instance(self, kind, node, NULL, into, &source));
    return add_chain(self, into, source, downstream, is_drain);
}

static firn_status build_step(builder *self, const operator_kind *kind, const plan_node *node,
                              const plan_node *input, pipeline *into, op_instance *downstream) {
    op_instance *step;
    TRY(add_instance(self, kind, node, input, into, &step));
    step->next = downstream;
    step->step_count = downstream->step_count + 1;
    return build(self, input, into, step);
}

// A pipeline that ends in a sink over `input`; `into` waits for it.
static firn_status build_sink(builder *self, const operator_kind *kind, const plan_node *node,
                              const plan_node *input, pipeline *into) {
    pipeline *made;
    TRY(add_pipeline(self, into->distance + 1, &made));
    TRY(depend(self, into, made));
    TRY(add_instance(self, kind, node, input, made, &made->sink));
    return build(self, input, made, made->sink);
}

static const operator_kind *insert_sink_of(const builder *self, const plan_node *node) {
    const row_sink_kind *sink = self->run->tables[node->insert_.table]->kind->sink;
    return sink != NULL && sink->needs_order ? &operator_write_sink : &operator_insert_sink;
}

static firn_status build_breaker(builder *self, const operator_kind *sink,
                                 const operator_kind *source, const plan_node *node,
                                 const plan_node *input, pipeline *into, op_instance *downstream) {
    TRY(build_sink(self, sink, node, input, into));
    return add_source(self, source, node, into, downstream, false);
}

static firn_status build_join(builder *self, const plan_node *node, pipeline *into,
                              op_instance *downstream) {
    const bool has_keys = node->join_.left_keys.count > 0;
    const operator_kind *sink = has_keys ? &operator_join_build_sink : &operator_nested_build_sink;
    const operator_kind *probe = has_keys ? &operator_join_probe_step : &operator_nested_probe_step;
    const operator_kind *drain =
        has_keys ? &operator_join_drain_source : &operator_nested_drain_source;
    TRY(build_sink(self, sink, node, node->join_.right, into));
    TRY(build_step(self, probe, node, node->join_.left, into, downstream));
    return add_source(self, drain, node, into, downstream, true);
}

// Renames the columns of input i to the union's: a projection by position.
static firn_status build_union(builder *self, const plan_node *node, pipeline *into,
                               op_instance *downstream) {
    for (uint32_t i = 0; i < node->union_.inputs.count; i++) {
        TRY(build_step(self, &operator_union_step, node, node->union_.inputs.items[i], into,
                       downstream));
    }
    return FIRN_OK;
}

static firn_status build(builder *self, const plan_node *node, pipeline *into,
                         op_instance *downstream) {
    switch (node->kind) {
    case PLAN_SCAN:
        return add_source(self, &operator_scan_source, node, into, downstream, false);
    case PLAN_VALUES:
        return add_source(self, &operator_values_source, node, into, downstream, false);
    case PLAN_TABLE_FUNCTION:
        return add_source(self, &operator_series_source, node, into, downstream, false);
    case PLAN_FILTER:
        return build_step(self, &operator_filter_step, node, node->filter_.input, into, downstream);
    case PLAN_PROJECT:
        return build_step(self, &operator_project_step, node, node->project_.input, into,
                          downstream);
    case PLAN_JOIN:
        return build_join(self, node, into, downstream);
    case PLAN_AGGREGATE:
        return build_breaker(self, &operator_aggregate_sink, &operator_aggregate_source, node,
                             node->aggregate_.input, into, downstream);
    case PLAN_SORT:
        return build_breaker(self, &operator_sort_sink, &operator_sort_source, node,
                             node->sort_.input, into, downstream);
    case PLAN_LIMIT:
        return build_breaker(self, &operator_limit_sink, &operator_limit_source, node,
                             node->limit_.input, into, downstream);
    case PLAN_UNION:
        return build_union(self, node, into, downstream);
    case PLAN_REPEAT:
        return build_step(self, &operator_repeat_step, node, node->repeat_.input, into, downstream);
    case PLAN_NUMBER:
        return build_step(self, &operator_number_step, node, node->number_.input, into, downstream);
    case PLAN_UNNEST:
        return build_step(self, &operator_unnest_step, node, node->unnest_.input, into, downstream);
    case PLAN_SINGLE_ROW:
        return build_step(self, &operator_single_row_step, node, node->single_row_.input, into,
                          downstream);
    case PLAN_SHARED:
        TRY(build_sink(self, &operator_shared_sink, node, node->shared_.definition, into));
        return build(self, node->shared_.body, into, downstream);
    case PLAN_SHARED_SCAN:
        return add_source(self, &operator_shared_source, node, into, downstream, false);
    case PLAN_CHANGE_ONCE:
        return build_step(self, &operator_change_once_step, node, node->change_once_.input, into,
                          downstream);
    case PLAN_INSERT:
        return build_breaker(self, insert_sink_of(self, node), &operator_count_source, node,
                             node->insert_.input, into, downstream);
    case PLAN_OUTPUT:
    case PLAN_DEPENDENT_JOIN:
    case PLAN_WINDOW:
    case PLAN_RECURSIVE:
    case PLAN_KIND_COUNT:
        break;
    }
    return FAIL(self->err, FIRN_INTERNAL, "a plan node of kind %u cannot run",
                (unsigned)node->kind);
}

static firn_status new_makers(builder *self, uint32_t count, pipeline ***out) {
    *out = ARENA_NEW(&self->run->memory, pipeline *, count + 1);
    if (*out == NULL) {
        return ARENA_FULL(&self->run->memory, self->err);
    }
    for (uint32_t i = 0; i <= count; i++) {
        (*out)[i] = NULL;
    }
    return FIRN_OK;
}

// A source of a shared subplan runs in whatever pipeline mentions it, also in one that was built
// before its definition's: those wait for it as well.
static firn_status order_shared(builder *self) {
    pipeline **makers; // By slot.
    TRY(new_makers(self, self->run->plan->shared_count, &makers));
    for (pipeline *maker = self->run->pipelines; maker != NULL; maker = maker->following) {
        if (maker->sink != NULL && maker->sink->kind == &operator_shared_sink) {
            makers[maker->sink->node->shared_.slot] = maker;
        }
    }
    for (pipeline *user = self->run->pipelines; user != NULL; user = user->following) {
        for (const chain *way = user->first_chain; way != NULL; way = way->following) {
            if (way->source->kind == &operator_shared_source) {
                pipeline *maker = makers[way->source->node->shared_scan_.slot];
                if (maker != NULL) {
                    TRY(depend(self, user, maker));
                }
            }
        }
    }
    return FIRN_OK;
}

// Whether `later` begins only after `earlier` is done, by way of others or at once.
static bool must_follow(const pipeline *later, const pipeline *earlier, uint32_t *visited,
                        uint32_t round) {
    if (later == earlier) {
        return true;
    }
    if (visited[earlier->number] == round) {
        return false;
    }
    visited[earlier->number] = round;
    for (const pipeline_link *link = earlier->dependents; link != NULL; link = link->following) {
        if (must_follow(later, link->target, visited, round)) {
            return true;
        }
    }
    return false;
}

// By dynamic slot: the join's pipeline that fills it; NULL if that is no join.
static firn_status find_publishers(builder *self, pipeline ***out) {
    const uint32_t slot_count = self->run->dynamic.count;
    TRY(new_makers(self, slot_count, out));
    for (pipeline *maker = self->run->pipelines; maker != NULL; maker = maker->following) {
        if (maker->sink->kind != &operator_join_build_sink) {
            continue;
        }
        const u32_list *slots = &maker->sink->node->join_.dynamic_slots;
        for (uint32_t i = 0; i < slots->count; i++) {
            if (slots->items[i] < slot_count) {
                (*out)[slots->items[i]] = maker;
            }
        }
    }
    return FIRN_OK;
}

// A scan below another breaker (an aggregate, a sort) on a join's probe side could begin before
// the join's build rows are there and read all that its dynamic filter would have left out: it
// waits. Filters of a Top-N come from behind the scan; nobody waits for those.
static firn_status wait_for_filter(builder *self, pipeline *user, pipeline *maker,
                                   uint32_t *visited, uint32_t *round) {
    if (maker == NULL || maker == user || must_follow(user, maker, visited, ++*round)) {
        return FIRN_OK;
    }
    return must_follow(maker, user, visited, ++*round) ? FIRN_OK : depend(self, user, maker);
}

static firn_status order_filtered(builder *self) {
    uint32_t *visited = ARENA_NEW(&self->run->memory, uint32_t, self->run->pipeline_count);
    if (visited == NULL) {
        return ARENA_FULL(&self->run->memory, self->err);
    }
    memset(visited, 0, self->run->pipeline_count * sizeof *visited);
    pipeline **publishers;
    TRY(find_publishers(self, &publishers));
    uint32_t round = 0;
    for (pipeline *user = self->run->pipelines; user != NULL; user = user->following) {
        for (const chain *way = user->first_chain; way != NULL; way = way->following) {
            if (way->source->kind != &operator_scan_source) {
                continue;
            }
            const expr_list *filters = &way->source->node->scan_.filters;
            for (uint32_t i = 0; i < filters->count; i++) {
                const expr *filter = filters->items[i];
                if (filter->kind == EXPR_DYNAMIC &&
                    filter->dynamic_.slot < self->run->dynamic.count) {
                    TRY(wait_for_filter(self, user, publishers[filter->dynamic_.slot], visited,
                                        &round));
                }
            }
        }
    }
    return FIRN_OK;
}

// Rows that a sort puts out are in order whatever the setting says.
static bool has_sorted_rows(const pipeline *self) {
    bool found = false;
    for (const chain *way = self->first_chain; way != NULL; way = way->following) {
        found |= way->source->kind == &operator_sort_source;
    }
    return found;
}

static firn_status open_gates(builder *self) {
    for (pipeline *each = self->run->pipelines; each != NULL; each = each->following) {
        if (each->sink->kind->needs_order &&
            (self->run->options->preserve_order || has_sorted_rows(each))) {
            TRY(order_gate_open(&self->run->memory, each->chain_count, self->run->worker_count,
                                &each->order, self->err));
        }
    }
    return FIRN_OK;
}

firn_status pipelines_build(execution *run, const plan_node *root, firn_error *err) {
    assert(root->kind == PLAN_OUTPUT);
    builder state = {.run = run, .err = err};
    const plan_node *input = root->output_.input;
    pipeline *last;
    TRY(add_pipeline(&state, 0, &last));
    // A limit at the root is the result's own: rows stream until it is reached.
    const plan_node *rows =
        input->kind == PLAN_LIMIT && plan_limit_is_known(input) ? input->limit_.input : input;
    TRY(add_instance(&state, &operator_result_sink, root, rows, last, &last->sink));
    TRY(build(&state, rows, last, last->sink));
    TRY(order_shared(&state));
    TRY(order_filtered(&state));
    TRY(open_gates(&state));
    result_set_order(run->result, last->order);
    return FIRN_OK;
}
