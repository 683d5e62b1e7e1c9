// The oracle and the plans of join_testing.h.
#include "exec/join/join_testing.h"

#include <math.h>

#include "expr/expr.h"

#define M ((uint64_t)1 << 20)

// ---- Values ------------------------------------------------------------------------------------

// Eight bytes at a time: most of what a test with padding does is this. The size tells apart what
// ends in zeros.
WRAPS static int64_t hash_bytes(const char *data, size_t size) {
    uint64_t hash = UINT64_C(1469598103934665603) + size;
    for (size_t i = 0; i < size; i += sizeof(uint64_t)) {
        uint64_t word = 0;
        memcpy(&word, data + i, size - i < sizeof word ? size - i : sizeof word);
        hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
        hash ^= hash >> 29;
    }
    return (int64_t)(hash >> 1);
}

static uint32_t pad_text(char *out, int64_t id, uint32_t padding) {
    const uint32_t size = (uint32_t)snprintf(out, 24, "row %lld ", (long long)id);
    const uint32_t more = padding + (uint32_t)((uint64_t)id % 5);
    memset(out + size, 'a' + (int)((uint64_t)id % 26), more);
    return size + more;
}

static uint32_t key_text(char *out, int64_t key) {
    return (uint32_t)snprintf(out, 64, "%lld%s", (long long)key,
                              key % 2 == 0 ? " and a long end of the key" : "");
}

static double key_double(int64_t key) {
    return key == 0 ? (double)NAN : key == 1 ? -0.0 : (double)key - 2;
}

// The oracle's value of a key of a side: floats 1 and 2 are the zeros.
static int64_t key_value(join_test_keys keys, int64_t key) {
    return keys == TEST_KEYS_DOUBLE && key == 2 ? 1 : key;
}

static join_test_side make_side(const join_test *test, uint32_t count, int64_t first_id,
                                uint64_t *seed, arena *memory) {
    join_test_side out = {.count = count, .padding = test->padding};
    out.ids = ARENA_NEW(memory, int64_t, count + 1);
    out.keys[0] = ARENA_NEW(memory, int64_t, count + 1);
    out.keys[1] = ARENA_NEW(memory, int64_t, count + 1);
    out.others = ARENA_NEW(memory, int64_t, count + 1);
    for (uint32_t i = 0; i < count; i++) {
        out.ids[i] = first_id + i;
        for (uint32_t k = 0; k < 2; k++) {
            const uint64_t random = test_random(seed);
            const uint64_t domain = k == 0 ? test->domain : 3;
            out.keys[k][i] = (int64_t)(random % (domain == 0 ? 1 : domain));
            if (test->null_each > 0 && test_random(seed) % test->null_each == 0) {
                out.keys[k][i] = TEST_CELL_NULL;
            }
        }
        out.others[i] = (int64_t)(test_random(seed) % 100);
        if (test_random(seed) % 7 == 0) {
            out.others[i] = TEST_CELL_NULL;
        }
    }
    return out;
}

// ---- The oracle --------------------------------------------------------------------------------

enum { SAYS_NO, SAYS_UNKNOWN, SAYS_YES };

static int least(int left, int right) {
    return left < right ? left : right;
}

static uint32_t key_count_of(const join_test *test) {
    return test->keys == TEST_KEYS_NONE ? 0 : test->keys == TEST_KEYS_TWO ? 2 : 1;
}

// less says whether one is less than two, if both are there.
static int judge_pair(int64_t one, int64_t two, bool less) {
    return one == TEST_CELL_NULL || two == TEST_CELL_NULL ? SAYS_UNKNOWN
           : less                                         ? SAYS_YES
                                                          : SAYS_NO;
}

static int judge_others(join_test_residual residual, int64_t one, int64_t two) {
    switch (residual) {
    case TEST_RESIDUAL_NULL:
        return judge_pair(one, two, one < two);
    case TEST_RESIDUAL_BAND:
        return judge_pair(one, two, two >= one - 5 && two < one + 6);
    case TEST_RESIDUAL_OVERLAP:
        return judge_pair(one, two, one < two + 4 && one > two - 3);
    case TEST_RESIDUAL_SIDES:
        return least(judge_pair(one, 0, one < 50), judge_pair(two, 0, two > 20));
    case TEST_RESIDUAL_NONE:
    case TEST_RESIDUAL_LESS:
    case TEST_RESIDUAL_COUNT:
        break;
    }
    return SAYS_YES;
}

static int judge(const join_test *test, const join_test_side *left, uint32_t l,
                 const join_test_side *right, uint32_t r) {
    int says = SAYS_YES;
    for (uint32_t k = 0; k < key_count_of(test); k++) {
        const int64_t one = left->keys[k][l];
        const int64_t two = right->keys[k][r];
        const bool has_null = one == TEST_CELL_NULL || two == TEST_CELL_NULL;
        if (has_null && !test->null_equal[k]) {
            says = least(says, SAYS_UNKNOWN);
        } else {
            const bool same =
                has_null ? one == two : key_value(test->keys, one) == key_value(test->keys, two);
            if (!same) {
                return SAYS_NO;
            }
        }
    }
    if (test->residual == TEST_RESIDUAL_LESS) {
        says = least(says, left->ids[l] < right->ids[r] - 1000000 ? SAYS_YES : SAYS_NO);
    }
    says = least(says, judge_others(test->residual, left->others[l], right->others[r]));
    return says;
}

static int64_t cell_of_key(const join_test *test, uint32_t k, int64_t key) {
    char text[64];
    if (key == TEST_CELL_NULL) {
        return key;
    }
    if (test->keys == TEST_KEYS_TEXT || k == 1) {
        return hash_bytes(text, key_text(text, key));
    }
    if (test->keys == TEST_KEYS_DOUBLE) {
        return key == 0 ? 0 : key == 1 ? 1 : key - 2 + 100;
    }
    return test->keys == TEST_KEYS_WIDE ? key * 1000000007 : key;
}

static uint32_t put_side(const join_test *test, const join_test_side *side, uint32_t row,
                         int64_t *cells) {
    uint32_t count = 0;
    char text[4096];
    const bool is_null = row == UINT32_MAX;
    cells[count++] = is_null ? TEST_CELL_NULL : side->ids[row];
    if (test->is_pruned) {
        return count;
    }
    for (uint32_t k = 0; k < 2; k++) {
        cells[count++] = is_null ? TEST_CELL_NULL : cell_of_key(test, k, side->keys[k][row]);
    }
    cells[count++] =
        is_null ? TEST_CELL_NULL : hash_bytes(text, pad_text(text, side->ids[row], side->padding));
    return count;
}

static void add_row(join_test_rows *out, const join_test_row *row) {
    if (out->count == out->capacity) {
        out->capacity = out->capacity == 0 ? 1024 : out->capacity * 2;
        join_test_row *grown = realloc(out->rows, out->capacity * sizeof *out->rows);
        REQUIRE(grown != NULL);
        out->rows = grown;
    }
    out->rows[out->count++] = *row;
}

static bool has_left(join_kind kind) {
    return kind != JOIN_RIGHT_SEMI && kind != JOIN_RIGHT_ANTI;
}
static bool has_right(join_kind kind) {
    return kind != JOIN_SEMI && kind != JOIN_ANTI && kind != JOIN_MARK;
}

static void add_pair(const join_test *test, const join_test_side *left, uint32_t l,
                     const join_test_side *right, uint32_t r, join_test_rows *out) {
    join_test_row row = {0};
    uint32_t count = 0;
    if (has_left(test->kind)) {
        count += put_side(test, left, l, row.cells);
    }
    if (has_right(test->kind)) {
        put_side(test, right, r, row.cells + count);
    }
    add_row(out, &row);
}

static void finish_left(const join_test *test, const join_test_side *left, uint32_t l, int best,
                        const join_test_side *right, join_test_rows *out) {
    join_test_row row = {0};
    const int known = test->null_aware ? best : best == SAYS_YES ? SAYS_YES : SAYS_NO;
    switch ((int)test->kind) {
    case JOIN_SEMI:
    case JOIN_ANTI:
        if ((test->kind == JOIN_SEMI && best == SAYS_YES) ||
            (test->kind == JOIN_ANTI && known == SAYS_NO)) {
            add_pair(test, left, l, right, UINT32_MAX, out);
        }
        break;
    case JOIN_MARK:
        row.cells[put_side(test, left, l, row.cells)] = known == SAYS_YES  ? 1
                                                        : known == SAYS_NO ? 0
                                                                           : TEST_CELL_NULL;
        add_row(out, &row);
        break;
    case JOIN_LEFT:
    case JOIN_FULL:
    case JOIN_SINGLE:
        if (best != SAYS_YES) {
            add_pair(test, left, l, right, UINT32_MAX, out);
        }
        break;
    default:
        break;
    }
}

join_test_rows join_test_expect(const join_test *test, const join_test_side *left,
                                const join_test_side *right, bool *fails) {
    join_test_rows out = {0};
    bool *right_matched = calloc(right->count + 1, sizeof *right_matched);
    *fails = false;
    const join_kind kind = test->kind;
    const bool gives_pairs =
        has_left(kind) && has_right(kind); // All others hand out one side's rows.
    for (uint32_t l = 0; l < left->count; l++) {
        int best = SAYS_NO;
        uint32_t matches = 0;
        for (uint32_t r = 0; r < right->count; r++) {
            const int says = judge(test, left, l, right, r);
            best = says > best ? says : best;
            if (says == SAYS_YES) {
                matches++;
                right_matched[r] = true;
                if (gives_pairs) {
                    add_pair(test, left, l, right, r, &out);
                }
            }
        }
        *fails = *fails || (kind == JOIN_SINGLE && matches > 1);
        finish_left(test, left, l, best, right, &out);
    }
    for (uint32_t r = 0; r < right->count; r++) {
        const bool survives = kind == JOIN_RIGHT || kind == JOIN_FULL || kind == JOIN_RIGHT_ANTI;
        if ((survives && !right_matched[r]) || (kind == JOIN_RIGHT_SEMI && right_matched[r])) {
            add_pair(test, left, UINT32_MAX, right, r, &out);
        }
    }
    free(right_matched);
    return out;
}

// ---- Plans -------------------------------------------------------------------------------------

typedef struct planner {
    const join_test *test;
    arena *memory;
    uint32_t next_id;
    firn_error *err;
} planner;

static const type *key_type(const join_test *test, uint32_t k) {
    static const type_id types[] = {
        [TEST_KEYS_NONE] = TYPE_INTEGER,  [TEST_KEYS_DENSE] = TYPE_INTEGER,
        [TEST_KEYS_WIDE] = TYPE_BIGINT,   [TEST_KEYS_TEXT] = TYPE_VARCHAR,
        [TEST_KEYS_DOUBLE] = TYPE_DOUBLE, [TEST_KEYS_TWO] = TYPE_INTEGER};
    return &type_constants[k == 1 ? TYPE_VARCHAR : types[test->keys]];
}

static void put_text(planner *self, column *out, uint32_t row, const char *data, uint32_t size) {
    char *kept = ARENA_NEW(self->memory, char, size + 1);
    memcpy(kept, data, size);
    COLUMN_OUT(out, string_value)[row] = string_of(kept, size);
}

static void put_key(planner *self, column *out, uint32_t row, int64_t key, uint32_t k) {
    char text[64];
    if (key == TEST_CELL_NULL) {
        memset(COLUMN_OUT(out, uint8_t) + row * physical_size(type_physical(out->type)), 0,
               physical_size(type_physical(out->type)));
        CHECK(column_set_null(self->memory, out, row));
        return;
    }
    switch ((int)type_physical(out->type)) {
    case PHYSICAL_I32:
        COLUMN_OUT(out, int32_t)[row] = (int32_t)key;
        break;
    case PHYSICAL_I64:
        COLUMN_OUT(out, int64_t)
        [row] = k == 0 && self->test->keys == TEST_KEYS_WIDE ? key * 1000000007 : key;
        break;
    case PHYSICAL_F64:
        COLUMN_OUT(out, double)[row] = key_double(key);
        break;
    default:
        put_text(self, out, row, text, key_text(text, key));
    }
}

// Columns id, key 0, key 1, text, other of rows [from, from + count).
static plan_node *values_of(planner *self, const join_test_side *side, uint32_t from,
                            uint32_t count, uint32_t first_id) {
    plan_node *node = plan_new(self->memory, PLAN_VALUES);
    column *columns = ARENA_NEW(self->memory, column, 5);
    uint32_t *ids = ARENA_NEW(self->memory, uint32_t, 5);
    const type *types[5] = {TYPE_OF(BIGINT), key_type(self->test, 0), key_type(self->test, 1),
                            TYPE_OF(VARCHAR), TYPE_OF(BIGINT)};
    char text[4096];
    for (uint32_t c = 0; c < 5; c++) {
        ids[c] = first_id + c;
        CHECK(column_new(self->memory, types[c], count, &columns[c], self->err) == FIRN_OK);
    }
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t row = from + i;
        COLUMN_OUT(&columns[0], int64_t)[i] = side->ids[row];
        put_key(self, &columns[1], i, side->keys[0][row], 0);
        put_key(self, &columns[2], i, side->keys[1][row], 1);
        put_text(self, &columns[3], i, text, pad_text(text, side->ids[row], side->padding));
        put_key(self, &columns[4], i, side->others[row], 2);
    }
    node->values_.ids = (u32_list){.count = 5, .items = ids};
    node->values_.columns = (column_data_list){.count = 5, .items = columns};
    node->values_.row_count = count;
    return node;
}

static plan_node *side_of(planner *self, const join_test_side *side, uint32_t first_id) {
    const uint32_t parts = self->test->parts;
    if (parts == 0) {
        return values_of(self, side, 0, side->count, first_id);
    }
    plan_node *node = plan_new(self->memory, PLAN_UNION);
    node->union_.inputs.items = ARENA_NEW(self->memory, plan_node *, parts);
    node->union_.inputs.count = parts;
    node->union_.ids = (u32_list){.count = 5, .items = ARENA_NEW(self->memory, uint32_t, 5)};
    node->union_.input_ids =
        (u32_list){.count = 5 * parts, .items = ARENA_NEW(self->memory, uint32_t, 5 * parts)};
    field *fields = ARENA_NEW(self->memory, field, 5);
    uint32_t from = 0;
    for (uint32_t i = 0; i < parts; i++) {
        const uint32_t to = (uint32_t)((uint64_t)side->count * (i + 1) / parts);
        plan_node *part = values_of(self, side, from, to - from, self->next_id);
        node->union_.inputs.items[i] = part;
        for (uint32_t c = 0; c < 5; c++) {
            node->union_.ids.items[c] = first_id + c;
            node->union_.input_ids.items[i * 5 + c] = self->next_id++;
            fields[c] = (field){.name = TEXT("c"),
                                .type = part->values_.columns.items[c].type,
                                .is_nullable = true,
                                .id = -1};
        }
        from = to;
    }
    node->union_.columns = (schema){.count = 5, .fields = fields};
    return node;
}

#define LEFT_ID 1
#define RIGHT_ID 11
#define MARK_ID 21

static expr *column_expr(planner *self, const plan_node *side, uint32_t first_id, uint32_t c) {
    const type *of = side->kind == PLAN_VALUES ? side->values_.columns.items[c].type
                                               : side->union_.columns.fields[c].type;
    return expr_column(self->memory, first_id + c, TEXT("c"), of);
}

static expr *call_of(planner *self, const char *name, expr *left, expr *right) {
    expr *args[2] = {left, right};
    expr *out = NULL;
    CHECK(function_call_named(text_of(name), args, 2, self->memory, &out, self->err) == FIRN_OK);
    return out;
}

static expr *number(planner *self, int64_t value) {
    return expr_i64(self->memory, TYPE_OF(BIGINT), value);
}

static expr *residual_of(planner *self, const plan_node *left, const plan_node *right) {
    const bool is_less = self->test->residual == TEST_RESIDUAL_LESS;
    expr *one = column_expr(self, left, LEFT_ID, is_less ? 0 : 4);
    expr *two = column_expr(self, right, RIGHT_ID, is_less ? 0 : 4);
    expr *also_one = column_expr(self, left, LEFT_ID, 4);
    expr *also_two = column_expr(self, right, RIGHT_ID, 4);
    expr *first = NULL;
    expr *second = NULL;
    switch (self->test->residual) {
    case TEST_RESIDUAL_LESS:
        return call_of(self, "<", one, call_of(self, "-", two, number(self, 1000000)));
    case TEST_RESIDUAL_NULL:
        return call_of(self, "<", one, two);
    case TEST_RESIDUAL_BAND:
        first = call_of(self, ">=", two, call_of(self, "-", one, number(self, 5)));
        second = call_of(self, "<", also_two, call_of(self, "+", also_one, number(self, 6)));
        break;
    case TEST_RESIDUAL_OVERLAP:
        first = call_of(self, "<", one, call_of(self, "+", two, number(self, 4)));
        second = call_of(self, ">", also_one, call_of(self, "-", also_two, number(self, 3)));
        break;
    case TEST_RESIDUAL_SIDES:
        first = call_of(self, "<", one, number(self, 50));
        second = call_of(self, ">", two, number(self, 20));
        break;
    case TEST_RESIDUAL_NONE:
    case TEST_RESIDUAL_COUNT:
        break;
    }
    return first == NULL ? NULL : expr_and(self->memory, first, second);
}

static expr_list list_of(planner *self, uint32_t count) {
    return (expr_list){.count = count, .items = ARENA_NEW(self->memory, expr *, count + 1)};
}
static u32_list numbers_of(planner *self, uint32_t count) {
    return (u32_list){.count = count, .items = ARENA_NEW(self->memory, uint32_t, count + 1)};
}

static plan_node *join_of(planner *self, const join_test_side *left, const join_test_side *right) {
    const join_test *test = self->test;
    const uint32_t keys = key_count_of(test);
    plan_node *node = plan_new(self->memory, PLAN_JOIN);
    plan_node *one = side_of(self, left, LEFT_ID);
    plan_node *two = side_of(self, right, RIGHT_ID);
    node->join_.join = test->kind;
    node->join_.left_keys = list_of(self, keys);
    node->join_.right_keys = list_of(self, keys);
    node->join_.null_equal = numbers_of(self, keys);
    node->join_.dynamic_slots = numbers_of(self, keys);
    for (uint32_t k = 0; k < keys; k++) {
        node->join_.left_keys.items[k] = column_expr(self, one, LEFT_ID, k + 1);
        node->join_.right_keys.items[k] = column_expr(self, two, RIGHT_ID, k + 1);
        node->join_.null_equal.items[k] = test->null_equal[k];
        node->join_.dynamic_slots.items[k] = test->has_slots ? k : NO_SLOT;
    }
    node->join_.residual = residual_of(self, one, two);
    node->join_.mark_id = MARK_ID;
    node->join_.null_aware = test->null_aware;
    node->join_.left = one;
    node->join_.right = two;
    if (test->has_slots && keys > 0) {
        plan_node *filter = plan_new(self->memory, PLAN_FILTER);
        expr *both = NULL;
        for (uint32_t k = 0; k < keys; k++) {
            expr *dynamic = expr_new(self->memory, EXPR_DYNAMIC, TYPE_OF(BOOLEAN));
            dynamic->dynamic_.slot = k;
            dynamic->dynamic_.args = list_of(self, 1);
            dynamic->dynamic_.args.items[0] = node->join_.left_keys.items[k];
            both = expr_and(self->memory, both, dynamic);
        }
        filter->filter_.input = one;
        filter->filter_.predicate = both;
        node->join_.left = filter;
    }
    return node;
}

static plan_node *output_of(planner *self, plan_node *join) {
    const join_test *test = self->test;
    plan_node *node = plan_new(self->memory, PLAN_OUTPUT);
    plan_columns all;
    CHECK(plan_outputs(join, self->memory, &all, self->err) == FIRN_OK);
    field *fields = ARENA_NEW(self->memory, field, all.count + 1);
    node->output_.ids = numbers_of(self, 0);
    node->output_.ids.items = ARENA_NEW(self->memory, uint32_t, all.count + 1);
    for (uint32_t i = 0; i < all.count; i++) {
        const uint32_t id = all.items[i].id;
        const bool is_other = id == LEFT_ID + 4 || id == RIGHT_ID + 4;
        const bool is_id = id == LEFT_ID || id == RIGHT_ID || id == MARK_ID;
        if (is_other || (test->is_pruned && !is_id)) {
            continue;
        }
        fields[node->output_.ids.count] =
            (field){.name = TEXT("c"), .type = all.items[i].type, .is_nullable = true, .id = -1};
        node->output_.ids.items[node->output_.ids.count++] = id;
    }
    node->output_.input = join;
    node->output_.columns = (schema){.count = node->output_.ids.count, .fields = fields};
    if (test->is_pruned) {
        join->join_.is_pruned = true;
        join->join_.outputs = node->output_.ids;
    }
    return node;
}

// ---- Running -----------------------------------------------------------------------------------

static int64_t read_cell(const struct ArrowArray *array, const type *of, int64_t row) {
    const uint8_t *validity = array->buffers[0];
    row += array->offset;
    if (validity != NULL && (validity[row / 8] >> (row % 8) & 1) == 0) {
        return TEST_CELL_NULL;
    }
    if (of->id == TYPE_BOOLEAN) {
        return ((const uint8_t *)array->buffers[1])[row / 8] >> (row % 8) & 1;
    }
    if (of->id == TYPE_VARCHAR) {
        const int32_t *offsets = array->buffers[1];
        return hash_bytes((const char *)array->buffers[2] + offsets[row],
                          (size_t)(offsets[row + 1] - offsets[row]));
    }
    if (of->id == TYPE_DOUBLE) {
        const double value = ((const double *)array->buffers[1])[row];
        return value != value ? 0 : signbit(value) && value == 0 ? 1 : (int64_t)value + 100;
    }
    return of->id == TYPE_INTEGER ? ((const int32_t *)array->buffers[1])[row]
                                  : ((const int64_t *)array->buffers[1])[row];
}

static void read_rows(const struct ArrowArray *array, const schema *columns, join_test_rows *out) {
    for (int64_t row = 0; row < array->length; row++) {
        join_test_row made = {0};
        for (uint32_t c = 0; c < columns->count; c++) {
            made.cells[c] = read_cell(array->children[c], columns->fields[c].type, row);
        }
        add_row(out, &made);
    }
}

static int compare_rows(const void *left, const void *right) {
    const join_test_row *one = left;
    const join_test_row *two = right;
    for (uint32_t c = 0; c < TEST_CELLS_MAX; c++) {
        if (one->cells[c] != two->cells[c]) {
            return one->cells[c] < two->cells[c] ? -1 : 1;
        }
    }
    return 0;
}

typedef struct runner {
    pool *engine;
    pool *session;
    scheduler *scheduler;
    spill_area *area;
} runner;

static bool runner_open(runner *self, const join_test *test, firn_error *err) {
    const uint64_t limit = test->memory_limit == 0 ? 1024 * M : test->memory_limit;
    const pool_options options = {.kind = POOL_SESSION, .name = "session"};
    const spill_options spilling = {.folder = "/tmp", .form = SPILL_RAW};
    const scheduler_options scheduling = {
        .threads = test->threads, .order_seed = (test->modes & TEST_MODE_ORDER) != 0 ? 17 : 0};
    *self = (runner){0};
    const bool is_open = pool_open_engine(limit, &self->engine, err) == FIRN_OK &&
                         pool_open(self->engine, &options, &self->session, err) == FIRN_OK &&
                         scheduler_open(&scheduling, &self->scheduler, err) == FIRN_OK &&
                         spill_area_open(self->engine, &spilling, &self->area, err) == FIRN_OK;
    if (is_open && (test->modes & TEST_MODE_SPILL) != 0) {
        pool_refuse_for_test(self->engine, true);
    }
    return is_open;
}

static void runner_close(runner *self) {
    scheduler_close(self->scheduler);
    spill_area_close(self->area);
    CHECK(pool_used(self->engine) == 0);
    pool_close(self->session);
    pool_close(self->engine);
}

static firn_status run_plan(runner *self, const join_test *test, const plan *made,
                            join_test_rows *out, text_builder *report, firn_error *err) {
    const run_options options = {
        .threads = test->threads, .batch_rows = test->batch_rows, .test_modes = test->modes};
    const arrow_options arrow = {.batch_rows =
                                     test->memory_limit == 0 ? ARROW_BATCH_ROWS_DEFAULT : 32};
    const statement_context context = {0};
    const cancel_flag cancel = {0};
    const execution_request request = {.plan = made,
                                       .options = &options,
                                       .arrow = &arrow,
                                       .context = &context,
                                       .cancel = &cancel,
                                       .pool = self->session,
                                       .scheduler = self->scheduler,
                                       .spill_area = self->area};
    execution *run;
    TRY(execution_open(&request, &run, err));
    firn_status status = FIRN_OK;
    for (;;) {
        struct ArrowArray rows = {0};
        status = execution_next(run, NULL, &rows, err);
        if (status != FIRN_OK || rows.release == NULL) {
            break;
        }
        read_rows(&rows, &made->root->output_.columns, out);
        rows.release(&rows);
    }
    if (report != NULL && status == FIRN_OK) {
        execution_report(run, made->root->output_.input->number, report);
    }
    execution_close(run);
    return status;
}

void join_test_print(const join_test *test) {
    fprintf(stderr,
            "join kind %d keys %d residual %d null_equal %d %d aware %d left %u right %u domain %u "
            "null %u parts %u threads %u batch %u modes %u limit %llu pruned %d slots %d\n",
            (int)test->kind, (int)test->keys, (int)test->residual, test->null_equal[0],
            test->null_equal[1], test->null_aware, test->left_count, test->right_count,
            test->domain, test->null_each, test->parts, test->threads, test->batch_rows,
            test->modes, (unsigned long long)test->memory_limit, test->is_pruned, test->has_slots);
}

static bool same_rows(join_test_rows *expected, join_test_rows *found) {
    if (expected->count != found->count) {
        fprintf(stderr, "%zu rows instead of %zu\n", found->count, expected->count);
        return false;
    }
    if (expected->count == 0) {
        return true;
    }
    qsort(expected->rows, expected->count, sizeof *expected->rows, compare_rows);
    qsort(found->rows, found->count, sizeof *found->rows, compare_rows);
    for (size_t i = 0; i < expected->count; i++) {
        if (compare_rows(&expected->rows[i], &found->rows[i]) != 0) {
            for (uint32_t c = 0; c < TEST_CELLS_MAX; c++) {
                fprintf(stderr, "row %zu: %lld, expected %lld\n", i,
                        (long long)found->rows[i].cells[c], (long long)expected->rows[i].cells[c]);
            }
            return false;
        }
    }
    return true;
}

bool join_test_run(const join_test *test, uint64_t seed, text_builder *report) {
    firn_error err = FIRN_ERROR_INIT;
    arena memory = arena_open(SIZE_MAX);
    planner planning = {.test = test, .memory = &memory, .next_id = 30, .err = &err};
    const join_test_side left = make_side(test, test->left_count, 1, &seed, &memory);
    const join_test_side right = make_side(test, test->right_count, 1000001, &seed, &memory);
    plan made = {.root = output_of(&planning, join_of(&planning, &left, &right)),
                 .id_count = 1000,
                 .slot_count = 2};
    plan_number(made.root);
    bool fails;
    join_test_rows expected = join_test_expect(test, &left, &right, &fails);
    join_test_rows found = {0};
    runner running;
    bool is_right = runner_open(&running, test, &err);
    if (is_right) {
        const firn_status status = run_plan(&running, test, &made, &found, report, &err);
        if (fails) {
            is_right = status == FIRN_INVALID && memcmp(err.sqlstate, "21000", 5) == 0;
        } else {
            is_right = status == FIRN_OK && same_rows(&expected, &found);
        }
        if (!is_right) {
            join_test_print(test);
            fprintf(stderr, "status %d: %s\n", (int)status, err.text);
        }
    }
    CHECK(is_right);
    runner_close(&running);
    free(expected.rows);
    free(found.rows);
    arena_close(&memory);
    return is_right;
}
