#include "functions/overload.h"

#include "base/test.h"
#include "functions/overload_private.h"
#include "functions/registry.h"

static uint32_t no_kernel(function_call *call, const column *const *args, column *out) {
    (void)args;
    (void)out;
    return call->count;
}

static firn_status bind_wider(function_bind_call *call, firn_error *err) {
    const type *arg = call->types[0];
    call->result = type_decimal(call->memory, (uint8_t)(arg->precision + 1), arg->scale);
    return call->result == NULL ? ARENA_FULL(call->memory, err) : FIRN_OK;
}

static const scalar_function function_sum_like = {
    .name = "plus",
    .overloads =
        (const overload[]){
            {.signature = "INTEGER <- INTEGER, INTEGER", .kernel = no_kernel},
            {.signature = "BIGINT <- BIGINT, BIGINT", .kernel = no_kernel},
            {.signature = "? <- DECIMAL(p,s), DECIMAL(q,t)",
             .kernel = no_kernel,
             .bind = bind_wider},
            {.signature = "DOUBLE <- DOUBLE, DOUBLE", .kernel = no_kernel},
            {.signature = "REAL <- REAL, REAL", .kernel = no_kernel},
            {0},
        },
};

static const scalar_function function_equal_like = {
    .name = "=",
    .category = "comparison",
    .overloads =
        (const overload[]){
            {.signature = "BOOLEAN <- T, T", .kernel = no_kernel},
            {0},
        },
};

static const scalar_function function_mixed = {
    .name = "mixed",
    .overloads =
        (const overload[]){
            {.signature = "T <- LIST<T>, BIGINT", .kernel = no_kernel},
            {.signature = "V <- MAP<T,V>, T", .kernel = no_kernel},
            {.signature = "LIST<U> <- LIST<T>, LAMBDA(T)->U", .kernel = no_kernel},
            {.signature = "LIST<T> <- LIST<T>, LAMBDA(T, BIGINT)->T", .kernel = no_kernel},
            {.signature = "TIMESTAMP(u) <- VARCHAR, TIMESTAMP(u)", .kernel = no_kernel},
            {.signature = "DECIMAL(38,s) <- DECIMAL(p,s)", .kernel = no_kernel},
            {.signature = "DECIMAL(p-s+1,0) <- DECIMAL(p,s), BOOLEAN", .kernel = no_kernel},
            {.signature = "VARCHAR <- ANY, ANY, ANY, BOOLEAN...?", .kernel = no_kernel},
            {0},
        },
};

static const scalar_function function_tied = {
    .name = "tied",
    .overloads =
        (const overload[]){
            {.signature = "DATE <- DATE", .kernel = no_kernel},
            {.signature = "INTERVAL <- INTERVAL", .kernel = no_kernel},
            {0},
        },
};

#define D(precision_, scale_)                                                                      \
    &(const type){.id = TYPE_DECIMAL, .precision = (precision_), .scale = (scale_)}
#define LIST_OF(element_)                                                                          \
    &(const type){.id = TYPE_LIST,                                                                 \
                  .child_count = 1,                                                                \
                  .children = &(const field){.name = TEXT("element"), .type = (element_)}}
#define MAP_OF(key_, value_)                                                                       \
    &(const type){.id = TYPE_MAP,                                                                  \
                  .child_count = 2,                                                                \
                  .children = (const field[]){{.name = TEXT("key"), .type = (key_)},               \
                                              {.name = TEXT("value"), .type = (value_)}}}

// What a resolution gives, as text: "0 BIGINT <- BIGINT, BIGINT".
static void check_call(const scalar_function *function, const overload_request *call,
                       const char *expected) {
    arena memory = arena_open(1 << 20);
    firn_error err = ERR_INIT;
    overload_choice choice;
    text_builder out = text_builder_open(&memory);
    if (function_resolve(function, call, &memory, &choice, &err) == FIRN_OK) {
        text_append_format(&out, "%u ", choice.overload);
        type_print(choice.result, &out);
        for (uint32_t i = 0; i < call->arg_count; i++) {
            text_append(&out, i == 0 ? TEXT(" <- ") : TEXT(", "));
            type_print(choice.types[i], &out);
        }
    } else {
        text_append_format(&out, "%s %s", err.sqlstate, err.text);
    }
    text got;
    REQUIRE(text_builder_finish(&out, &got, &err) == FIRN_OK);
    const bool is_right = text_find(got, text_of(expected)) < got.size;
    if (!is_right) {
        fprintf(stderr, "expected %s, got %.*s\n", expected, TEXT_ARGS(got));
    }
    CHECK(is_right);
    arena_close(&memory);
}

#define CALL(function_, expected_, ...)                                                            \
    do {                                                                                           \
        const type *const types_[] = {__VA_ARGS__};                                                \
        const overload_request call_ = {.types = types_,                                           \
                                        .arg_count = sizeof types_ / sizeof types_[0],             \
                                        .position = UINT32_MAX};                                   \
        check_call(&(function_), &call_, (expected_));                                             \
    } while (0)

TEST(overload_takes_the_cheapest_casts) {
    const type *integer = TYPE_OF(INTEGER);
    CALL(function_sum_like, "0 INTEGER <- INTEGER, INTEGER", integer, integer);
    CALL(function_sum_like, "0 INTEGER <- INTEGER, INTEGER", TYPE_OF(TINYINT), TYPE_OF(USMALLINT));
    CALL(function_sum_like, "1 BIGINT <- BIGINT, BIGINT", integer, TYPE_OF(BIGINT));
    CALL(function_sum_like, "1 BIGINT <- BIGINT, BIGINT", TYPE_OF(UINTEGER), integer);
    CALL(function_sum_like, "2 DECIMAL(21,0) <- DECIMAL(20,0), DECIMAL(19,0)", TYPE_OF(UBIGINT),
         TYPE_OF(BIGINT));
    CALL(function_sum_like, "2 DECIMAL(13,2) <- DECIMAL(12,2), DECIMAL(10,0)", D(12, 2), integer);
    CALL(function_sum_like, "3 DOUBLE <- DOUBLE, DOUBLE", D(12, 2), TYPE_OF(DOUBLE));
    CALL(function_sum_like, "3 DOUBLE <- DOUBLE, DOUBLE", integer, TYPE_OF(REAL));
    CALL(function_sum_like, "4 REAL <- REAL, REAL", TYPE_OF(REAL), TYPE_OF(FLOAT16));
    CALL(function_sum_like, "0 INTEGER <- INTEGER, INTEGER", TYPE_OF(NULL), integer);
    CALL(function_sum_like, "0 INTEGER <- INTEGER, INTEGER", TYPE_OF(NULL), TYPE_OF(NULL));
}

TEST(overload_lets_letters_stand_for_the_common_type) {
    CALL(function_equal_like, "0 BOOLEAN <- BIGINT, BIGINT", TYPE_OF(INTEGER), TYPE_OF(BIGINT));
    CALL(function_equal_like, "0 BOOLEAN <- DECIMAL(48,10), DECIMAL(48,10)", D(38, 0), D(38, 10));
    CALL(function_equal_like, "0 BOOLEAN <- INTEGER, INTEGER", TYPE_OF(VARCHAR), TYPE_OF(INTEGER));
    CALL(function_equal_like, "0 BOOLEAN <- TIMESTAMP, TIMESTAMP", TYPE_OF(DATE),
         TYPE_OF(TIMESTAMP));
    CALL(function_equal_like, "0 BOOLEAN <- DOUBLE[], DOUBLE[]", LIST_OF(TYPE_OF(INTEGER)),
         LIST_OF(TYPE_OF(DOUBLE)));
    CALL(function_equal_like, "0 BOOLEAN <- VARCHAR, VARCHAR", TYPE_OF(NULL), TYPE_OF(NULL));
    CALL(function_mixed, "0 DATE <- DATE[], BIGINT", LIST_OF(TYPE_OF(DATE)), TYPE_OF(INTEGER));
    CALL(function_mixed, "1 DATE <- MAP(BIGINT, DATE), BIGINT",
         MAP_OF(TYPE_OF(INTEGER), TYPE_OF(DATE)), TYPE_OF(BIGINT));
    CALL(function_mixed, "4 TIMESTAMP_NS <- VARCHAR, TIMESTAMP_NS", TYPE_OF(VARCHAR),
         type_temporal(TYPE_TIMESTAMP, UNIT_NANO));
    CALL(function_mixed, "5 DECIMAL(38,2) <- DECIMAL(12,2)", D(12, 2));
    CALL(function_mixed, "6 DECIMAL(11,0) <- DECIMAL(12,2), BOOLEAN", D(12, 2), TYPE_OF(BOOLEAN));
    CALL(function_mixed, "7 VARCHAR <- DATE, UUID, INTEGER", TYPE_OF(DATE), TYPE_OF(UUID),
         TYPE_OF(INTEGER));
    CALL(function_mixed, "7 VARCHAR <- DATE, UUID, NULL, BOOLEAN, BOOLEAN", TYPE_OF(DATE),
         TYPE_OF(UUID), TYPE_OF(NULL), TYPE_OF(BOOLEAN), TYPE_OF(BOOLEAN));
}

TEST(overload_gives_unknown_literals_the_type_of_the_others) {
    const type *const types[] = {TYPE_OF(INTEGER), TYPE_OF(VARCHAR)};
    const bool unknown[] = {false, true};
    const overload_request call = {.types = types, .arg_count = 2, .is_unknown = unknown};
    check_call(&function_sum_like, &call, "0 INTEGER <- INTEGER, INTEGER");
    check_call(&function_equal_like, &call, "0 BOOLEAN <- INTEGER, INTEGER");
}

TEST(overload_refuses_what_fits_no_signature_and_what_fits_two) {
    CALL(function_sum_like,
         "42883 invalid: no \"plus\" takes (VARCHAR, INTEGER); there is "
         "plus(INTEGER, INTEGER), plus(BIGINT, BIGINT)",
         TYPE_OF(VARCHAR), TYPE_OF(INTEGER));
    CALL(function_sum_like, "42883", TYPE_OF(INTEGER));
    CALL(function_equal_like, "42883", TYPE_OF(DATE), TYPE_OF(INTEGER));
    CALL(function_tied, "0 DATE <- DATE", TYPE_OF(NULL));
    const type *const types[] = {TYPE_OF(VARCHAR)};
    const bool unknown[] = {true};
    const overload_request call = {.types = types, .arg_count = 1, .is_unknown = unknown};
    check_call(&function_tied, &call,
               "42725 invalid: \"tied\" is ambiguous for (unknown): tied(DATE), tied(INTERVAL)");
}

TEST(overload_tells_the_types_of_lambda_parameters) {
    arena memory = arena_open(1 << 20);
    firn_error err = ERR_INIT;
    const type *types[] = {LIST_OF(TYPE_OF(DATE)), NULL};
    const uint32_t lambdas[] = {0, 2};
    overload_request call = {.types = types, .arg_count = 2, .lambda_parameters = lambdas};
    const type *const *parameters;
    REQUIRE(function_lambda_types(&function_mixed, &call, 1, &memory, &parameters, &err) ==
            FIRN_OK);
    CHECK(parameters[0]->id == TYPE_DATE);
    CHECK(parameters[1]->id == TYPE_BIGINT);
    const uint32_t one[] = {0, 1};
    call.lambda_parameters = one;
    types[1] = TYPE_OF(INTEGER);
    check_call(&function_mixed, &call, "2 INTEGER[] <- DATE[], INTEGER");
    call.lambda_parameters = lambdas;
    types[1] = TYPE_OF(NULL);
    check_call(&function_mixed, &call, "3 DATE[] <- DATE[], DATE");
    arena_close(&memory);
}

TEST(overload_finds_the_types_of_aggregate_states) {
    arena memory = arena_open(1 << 20);
    firn_error err = ERR_INIT;
    const type *const types[] = {D(12, 2)};
    schema states;
    REQUIRE(overload_state_types("DECIMAL(38,s) <- DECIMAL(p,s)", "DECIMAL(38,s), BIGINT", types, 1,
                                 &memory, &states, &err) == FIRN_OK);
    REQUIRE(states.count == 2);
    CHECK(type_equal(states.fields[0].type, D(38, 2)));
    CHECK(states.fields[1].type->id == TYPE_BIGINT);
    REQUIRE(overload_state_types("T <- T", "", types, 1, &memory, &states, &err) == FIRN_OK);
    CHECK(states.count == 0);
    arena_close(&memory);
}

TEST(overload_can_read_every_signature_in_the_lists) {
    signature parsed;
    for (uint32_t i = 0; i < function_count(); i++) {
        const scalar_function *function = function_at(i);
        CHECK(function->summary != NULL && function->category != NULL);
        for (const overload *at = function->overloads; at->signature != NULL; at++) {
            CHECK(signature_parse(at->signature, &parsed));
            CHECK(at->kernel != NULL);
        }
    }
    for (uint32_t i = 0; i < aggregate_count(); i++) {
        const aggregate_function *function = aggregate_at(i);
        CHECK(function->summary != NULL && function->category != NULL);
        for (const aggregate_overload *at = function->overloads; at->signature != NULL; at++) {
            CHECK(signature_parse(at->signature, &parsed));
            CHECK(at->state_columns == NULL || signature_parse_list(at->state_columns, &parsed));
        }
    }
    static const char *const bad[] = {"",
                                      "INTEGER",
                                      "INTEGER <- INTEGR",
                                      "T <- T...,",
                                      "LIST <- T",
                                      "T <- DECIMAL(p)",
                                      "T <- T.., T",
                                      "MAP<T> <- INTEGER",
                                      "T <- LAMBDA(T)"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        CHECK(!signature_parse(bad[i], &parsed));
    }
}
