// LIKE and ILIKE. A constant pattern is taken apart once a worker, others once as long as they stay
// the same from row to row, as they do beside a join's rows.
#include "functions/scalar/like_pattern.h"
#include "functions/scalar/row_values.h"
#include "functions/scalar/text_case.h"

static const text default_escape = {.data = "\\", .size = 1};

static bool constant_pattern(const expr *const *args, uint32_t count, text *pattern, text *escape) {
    *escape = default_escape;
    return literal_text(args[1], pattern) && (count == 2 || literal_text(args[2], escape));
}

// `call`: NULL where there is none.
static bool lower_copy(const function_call *call, arena *memory, text value, text *out) {
    char *room = ARENA_NEW(memory, char, text_case_size_max(value.size) + 1);
    if (room == NULL) {
        return false;
    }
    *out = (text){.data = room};
    size_t at = 0;
    text piece;
    while (text_next_piece(call, value, &at, &piece)) {
        out->size += text_case_write(piece, TEXT_LOWER, room + out->size);
    }
    return true;
}

static like_answer make_pattern(text pattern, text escape, bool is_nocase, arena *memory,
                                like_pattern *out) {
    if (is_nocase && (!lower_copy(NULL, memory, pattern, &pattern) ||
                      !lower_copy(NULL, memory, escape, &escape))) {
        return LIKE_NO_MEMORY;
    }
    return like_pattern_make(pattern, escape, memory, out);
}

// A pattern that is none is told by the row that meets it.
static firn_status open_pattern(const function_bind_call *bound, bool is_nocase, arena *memory,
                                void **local, firn_error *err) {
    text pattern;
    text escape;
    *local = NULL;
    if (!constant_pattern(bound->args, bound->arg_count, &pattern, &escape)) {
        return FIRN_OK;
    }
    like_pattern *made = ARENA_NEW(memory, like_pattern, 1);
    if (made == NULL) {
        return ARENA_FULL(memory, err);
    }
    const like_answer answer = make_pattern(pattern, escape, is_nocase, memory, made);
    if (answer == LIKE_NO_MEMORY) {
        return ARENA_FULL(memory, err);
    }
    *local = answer == LIKE_OK ? made : NULL;
    return FIRN_OK;
}

static firn_status open_like(const function_bind_call *bound, arena *memory, void **local,
                             firn_error *err) {
    return open_pattern(bound, false, memory, local, err);
}

static firn_status open_ilike(const function_bind_call *bound, arena *memory, void **local,
                              firn_error *err) {
    return open_pattern(bound, true, memory, local, err);
}

static bool cannot_fail(const expr *call) {
    text pattern;
    text escape;
    return constant_pattern((const expr *const *)call->call_.args.items, call->call_.args.count,
                            &pattern, &escape) &&
           like_pattern_is_good(pattern, escape);
}

typedef struct like_rows {
    text_rows values;
    text_rows patterns;
    text_rows escapes;
    bool has_escapes;
    bool is_nocase;
} like_rows;

// The pattern that the last row had, in scratch memory up to `end`.
typedef struct last_pattern {
    const like_pattern *made; // NULL: none yet.
    like_pattern own;
    text pattern;
    text escape;
    arena_mark begin;
    arena_mark end;
} last_pattern;

static like_answer set_pattern(const like_rows *rows, uint32_t row, arena *scratch,
                               last_pattern *self) {
    const text pattern = text_at(rows->patterns, row);
    const text escape = rows->has_escapes ? text_at(rows->escapes, row) : default_escape;
    if (self->made != NULL && text_equal(pattern, self->pattern) &&
        text_equal(escape, self->escape)) {
        return LIKE_OK;
    }
    arena_rewind(scratch, self->begin);
    const like_answer answer = make_pattern(pattern, escape, rows->is_nocase, scratch, &self->own);
    self->made = answer == LIKE_OK ? &self->own : NULL;
    self->pattern = pattern;
    self->escape = escape;
    self->end = arena_mark_take(scratch);
    return answer;
}

static like_answer match_row(const function_call *call, const like_rows *rows, uint32_t row,
                             bool is_constant, last_pattern *last, bool *out) {
    if (!is_constant) {
        const like_answer answer = set_pattern(rows, row, call->scratch, last);
        if (answer != LIKE_OK) {
            return answer;
        }
    }
    text value = text_at(rows->values, row);
    if (rows->is_nocase && !lower_copy(call, call->scratch, value, &value)) {
        return LIKE_NO_MEMORY;
    }
    *out = like_pattern_matches(last->made, value, call);
    arena_rewind(call->scratch, last->end);
    return LIKE_OK;
}

static uint32_t match(function_call *call, const column *const *args, bool is_nocase, column *out) {
    const like_pattern *constant = call->local;
    const like_rows rows = {.values = text_rows_of(args[0]),
                            .patterns = text_rows_of(args[1]),
                            .escapes = text_rows_of(args[call->arg_count - 1]),
                            .has_escapes = call->arg_count == 3,
                            .is_nocase = is_nocase};
    if (constant != NULL && !is_nocase) {
        FOR_ROWS(call, row) {
            put_bit(out, row, like_pattern_matches(constant, text_at(rows.values, row), call));
        }
        return call->count;
    }
    const arena_mark mark = arena_mark_take(call->scratch);
    last_pattern last = {.made = constant, .begin = mark, .end = mark};
    FOR_ROWS(call, row) {
        bool is_match = false;
        const like_answer answer = match_row(call, &rows, row, constant != NULL, &last, &is_match);
        if (answer != LIKE_OK) {
            return answer == LIKE_NO_MEMORY ? KERNEL_NO_MEMORY : ROW_VISIT(row);
        }
        put_bit(out, row, is_match);
    }
    arena_rewind(call->scratch, mark);
    return call->count;
}

static uint32_t like(function_call *call, const column *const *args, column *out) {
    return match(call, args, false, out);
}

static uint32_t ilike(function_call *call, const column *const *args, column *out) {
    return match(call, args, true, out);
}

static void explain(const function_call *call, const column *const *args, uint32_t row,
                    firn_error *err) {
    const text pattern = text_at(text_rows_of(args[1]), row);
    text escape = default_escape;
    if (call->arg_count == 3) {
        escape = text_at(text_rows_of(args[2]), row);
    }
    if (escape.size > 0 && utf8_count(escape) != 1) {
        err_set_sql(err, FIRN_INVALID, "22019", NO_POSITION,
                    "the escape \"%.*s\" is not one character", TEXT_ARGS(escape));
        return;
    }
    err_set_sql(err, FIRN_INVALID, "22025", NO_POSITION,
                "the pattern \"%.*s\" ends with its escape character", TEXT_ARGS(pattern));
}

#define OVERLOADS(kernel_)                                                                         \
    (const overload[]) {                                                                           \
        {.signature = "BOOLEAN <- VARCHAR, VARCHAR",                                               \
         .kernel = kernel_,                                                                        \
         .cannot_fail = cannot_fail},                                                              \
            {.signature = "BOOLEAN <- VARCHAR, VARCHAR, VARCHAR",                                  \
             .kernel = kernel_,                                                                    \
             .cannot_fail = cannot_fail},                                                          \
            {0},                                                                                   \
    }

const scalar_function function_like = {
    .name = "like",
    .category = "string",
    .summary = "LIKE: whether the whole text is as the pattern says: % any text, _ one character",
    .examples = (const char *const[]){"'forest green' LIKE 'forest%'",
                                      "true",
                                      "'abc' LIKE 'a_c'",
                                      "true",
                                      "'aäc' LIKE 'a_c'",
                                      "true",
                                      "'abc' LIKE 'b'",
                                      "false",
                                      "'x special y requests' LIKE '%special%requests%'",
                                      "true",
                                      "'abab' LIKE '%ab'",
                                      "true",
                                      "'ab' LIKE 'ab%ab'",
                                      "false",
                                      "'' LIKE ''",
                                      "true",
                                      "'' LIKE '%'",
                                      "true",
                                      "'a%c' LIKE 'a\\%c'",
                                      "true",
                                      "'abc' LIKE 'a\\%c'",
                                      "false",
                                      "'a%' LIKE 'a!%' ESCAPE '!'",
                                      "true",
                                      "'a\\b' LIKE 'a\\b' ESCAPE ''",
                                      "true",
                                      "NULL LIKE 'a'",
                                      "NULL",
                                      "'äxxb' LIKE '_%_b'",
                                      "true",
                                      "'abc' NOT LIKE '%c'",
                                      "false",
                                      "'a' LIKE 'a\\'",
                                      "error: ends with its escape character",
                                      "'a' LIKE 'a' ESCAPE 'ab'",
                                      "error: is not one character",
                                      "1 LIKE 'a'",
                                      "error: no \"like\" takes",
                                      NULL},
    .flags = FUNCTION_NULL_STRICT | FUNCTION_CAN_FAIL,
    .overloads = OVERLOADS(like),
    .open = open_like,
    .explain_failure = explain,
};

const scalar_function function_ilike = {
    .name = "ilike",
    .category = "string",
    .summary = "ILIKE: LIKE whatever the case of letters",
    .examples =
        (const char *const[]){"'Straße ÄB' ILIKE 'STRA%äb'", "true", "'ABC' ILIKE 'a_c'", "true",
                              "'ABC' ILIKE 'b%'", "false", "'' ILIKE '_'", "false",
                              "NULL ILIKE '%'", "NULL", "'A%' ILIKE 'aX%' ESCAPE 'x'", "true",
                              "'a' ILIKE '\\'", "error: ends with its escape character",
                              "true ILIKE 'a'", "error: no \"ilike\" takes", NULL},
    .flags = FUNCTION_NULL_STRICT | FUNCTION_CAN_FAIL,
    .overloads = OVERLOADS(ilike),
    .open = open_ilike,
    .explain_failure = explain,
};
