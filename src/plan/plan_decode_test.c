#include <stdio.h>

#include "base/test.h"
#include "functions/overload.h"
#include "functions/registry.h"
#include "plan/plan.h"
#include "plan/plan_format.h"

static const struct function_lookup lookup = {.scalar = function_find, .aggregate = aggregate_find};

// SELECT upper(c0), sum(c1) … GROUP BY …: enough to hold a node, a function and an aggregate.
static plan_node *make_tree(arena *memory, firn_error *err) {
    plan_node *values = plan_new(memory, PLAN_VALUES);
    plan_node *project = plan_new(memory, PLAN_PROJECT);
    plan_node *group = plan_new(memory, PLAN_AGGREGATE);
    plan_node *output = plan_new(memory, PLAN_OUTPUT);
    uint32_t *ids = ARENA_NEW(memory, uint32_t, 8);
    expr **exprs = ARENA_NEW(memory, expr *, 8);
    field *fields = ARENA_NEW(memory, field, 2);
    if (values == NULL || project == NULL || group == NULL || output == NULL || ids == NULL ||
        exprs == NULL || fields == NULL) {
        return NULL;
    }
    for (uint32_t i = 0; i < 4; i++) {
        ids[i] = i;
    }
    values->values_.row_count = 1;
    expr *name = expr_string(memory, TYPE_OF(VARCHAR), TEXT("a name of some length"));
    if (name == NULL ||
        function_call_named(TEXT("upper"), &name, 1, memory, &exprs[0], err) != FIRN_OK) {
        return NULL;
    }
    exprs[1] = expr_i64(memory, TYPE_OF(BIGINT), 7);
    project->project_.input = values;
    project->project_.ids = (u32_list){.count = 2, .items = ids};
    project->project_.values = (expr_list){.count = 2, .items = exprs};
    exprs[2] = expr_column(memory, 0, TEXT("c0"), TYPE_OF(VARCHAR));
    expr *arg = expr_column(memory, 1, TEXT("c1"), TYPE_OF(BIGINT));
    const type *types[] = {TYPE_OF(BIGINT)};
    const overload_request request = {
        .types = types, .args = &arg, .arg_count = 1, .position = UINT32_MAX};
    if (aggregate_call_new(aggregate_find(TEXT("sum")), &request, memory, &exprs[3], err) !=
        FIRN_OK) {
        return NULL;
    }
    group->aggregate_.input = project;
    group->aggregate_.keys = (expr_list){.count = 1, .items = exprs + 2};
    group->aggregate_.key_ids = (u32_list){.count = 1, .items = ids + 2};
    group->aggregate_.aggregates = (expr_list){.count = 1, .items = exprs + 3};
    group->aggregate_.ids = (u32_list){.count = 1, .items = ids + 3};
    group->aggregate_.set_id = NO_SLOT;
    fields[0] = (field){.name = TEXT("n"), .type = TYPE_OF(VARCHAR), .id = -1};
    fields[1] = (field){.name = TEXT("s"), .type = exprs[3]->type, .id = -1};
    output->output_.input = group;
    output->output_.ids = (u32_list){.count = 2, .items = ids + 2};
    output->output_.columns = (schema){.count = 2, .fields = fields};
    return output;
}

typedef struct encoding {
    arena memory;
    firn_error err;
    plan tree;
    bytes encoded;
} encoding;

static bool encoding_open(encoding *self) {
    *self = (encoding){.memory = arena_open(1 << 24), .err = ERR_INIT};
    self->tree = (plan){.root = make_tree(&self->memory, &self->err), .id_count = 4};
    return self->tree.root != NULL &&
           plan_encode(&self->tree, &self->memory, &self->encoded, &self->err) == FIRN_OK;
}

// A copy of the bytes in which `from` stands as `to`, of the same size.
static bytes replaced(encoding *self, const char *from, const char *to) {
    const size_t size = strlen(from);
    uint8_t *copy = ARENA_NEW(&self->memory, uint8_t, self->encoded.size);
    CHECK(copy != NULL && strlen(to) == size);
    if (copy == NULL) {
        return (bytes){0};
    }
    memcpy(copy, self->encoded.data, self->encoded.size);
    uint32_t places = 0;
    for (size_t i = 0; i + size <= self->encoded.size; i++) {
        if (memcmp(copy + i, from, size) == 0) {
            memcpy(copy + i, to, size);
            places++;
        }
    }
    CHECK(places > 0);
    return (bytes){.data = copy, .size = self->encoded.size};
}

TEST(plan_decode_gives_the_plan_that_was_encoded) {
    encoding here;
    plan decoded;
    bytes again;
    REQUIRE(encoding_open(&here));
    CHECK(plan_decode(here.encoded, &lookup, &here.memory, &decoded, &here.err) == FIRN_OK);
    CHECK(plan_equal(here.tree.root, decoded.root));
    CHECK(plan_encode(&decoded, &here.memory, &again, &here.err) == FIRN_OK);
    CHECK(again.size == here.encoded.size &&
          memcmp(again.data, here.encoded.data, again.size) == 0);
    arena_close(&here.memory);
}

TEST(plan_decode_refuses_what_it_does_not_know_by_name) {
    static const struct {
        const char *from, *to;
        firn_status status;
        const char *words;
    } cases[] = {
        {"Project", "Teleport", FIRN_UNSUPPORTED, "unknown node \"Telepor\""},
        {"upper", "upped", FIRN_UNSUPPORTED, "unknown function \"upped\""},
        {"sum", "sun", FIRN_UNSUPPORTED, "unknown aggregate \"sun\""},
        {"call", "yell", FIRN_UNSUPPORTED, "unknown expression \"yell\""},
        {PLAN_MAGIC, NULL, FIRN_CORRUPT, "no encoded plan"},
    };
    encoding here;
    REQUIRE(encoding_open(&here));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char to[16] = "?";
        plan decoded;
        firn_error err = ERR_INIT;
        (void)snprintf(to, strlen(cases[i].from) + 1, "%s",
                       cases[i].to == NULL ? "????????" : cases[i].to);
        const bytes wrong = replaced(&here, cases[i].from, to);
        CHECK(plan_decode(wrong, &lookup, &here.memory, &decoded, &err) == cases[i].status);
        if (strstr(err.text, cases[i].words) == NULL) {
            printf("%s: %s\n", cases[i].words, err.text);
        }
        CHECK(strstr(err.text, cases[i].words) != NULL);
    }
    arena_close(&here.memory);
}

TEST(plan_decode_refuses_other_versions) {
    encoding here;
    plan decoded;
    REQUIRE(encoding_open(&here));
    uint8_t *copy = ARENA_NEW(&here.memory, uint8_t, here.encoded.size);
    REQUIRE(copy != NULL);
    memcpy(copy, here.encoded.data, here.encoded.size);
    copy[sizeof PLAN_MAGIC - 1] = PLAN_ENCODING_VERSION + 1;
    CHECK(plan_decode((bytes){.data = copy, .size = here.encoded.size}, &lookup, &here.memory,
                      &decoded, &here.err) == FIRN_UNSUPPORTED);
    CHECK(strstr(here.err.text, "encoding version 2, this firn reads 1") != NULL);
    arena_close(&here.memory);
}

// Cut anywhere: an error. Changed anywhere: an error, or another plan that hangs together.
TEST(plan_decode_survives_cuts_and_changes) {
    encoding here;
    REQUIRE(encoding_open(&here));
    for (size_t size = 0; size < here.encoded.size; size++) {
        arena memory = arena_open(1 << 24);
        plan decoded;
        firn_error err = ERR_INIT;
        CHECK(plan_decode((bytes){.data = here.encoded.data, .size = size}, &lookup, &memory,
                          &decoded, &err) != FIRN_OK);
        arena_close(&memory);
    }
    uint8_t *copy = ARENA_NEW(&here.memory, uint8_t, here.encoded.size);
    REQUIRE(copy != NULL);
    uint32_t refused = 0;
    for (size_t i = 0; i < here.encoded.size; i++) {
        for (uint32_t bit = 0; bit < 8; bit++) {
            arena memory = arena_open(1 << 24);
            plan decoded;
            firn_error err = ERR_INIT;
            memcpy(copy, here.encoded.data, here.encoded.size);
            copy[i] ^= (uint8_t)(1U << bit);
            const bytes wrong = {.data = copy, .size = here.encoded.size};
            refused += plan_decode(wrong, &lookup, &memory, &decoded, &err) != FIRN_OK;
            arena_close(&memory);
        }
    }
    CHECK(refused > here.encoded.size);
    arena_close(&here.memory);
}

// Where a subquery stands whose second row is an error.
TEST(plan_decode_keeps_the_position_of_a_single_join) {
    firn_error err = ERR_INIT;
    arena memory = arena_open(1 << 24);
    plan_node *output = plan_new(&memory, PLAN_OUTPUT);
    plan_node *join = plan_new(&memory, PLAN_JOIN);
    plan_node *left = plan_new(&memory, PLAN_VALUES);
    plan_node *right = plan_new(&memory, PLAN_VALUES);
    REQUIRE(output != NULL && join != NULL && left != NULL && right != NULL);
    left->values_.row_count = 1;
    right->values_.row_count = 1;
    CHECK(join->position == UINT32_MAX);
    join->join_.left = left;
    join->join_.right = right;
    join->join_.join = JOIN_SINGLE;
    join->join_.mark_id = NO_SLOT;
    join->position = 300;
    output->output_.input = join;
    const plan tree = {.root = output};
    bytes encoded;
    plan decoded;
    REQUIRE(plan_encode(&tree, &memory, &encoded, &err) == FIRN_OK);
    REQUIRE(plan_decode(encoded, &lookup, &memory, &decoded, &err) == FIRN_OK);
    CHECK(decoded.root->output_.input->position == 300);
    arena_close(&memory);
}
