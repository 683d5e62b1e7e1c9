// ~ ~* SIMILAR TO, SUBSTRING(s FROM pattern), regexp_like, regexp_match, regexp_matches,
// regexp_replace, regexp_extract, regexp_count, regexp_substr, regexp_split_to_array.
#include "base/utf8.h"
#include "functions/scalar/list_build.h"
#include "functions/scalar/regular.h"

static firn_status open(const function_bind_call *bound, arena *memory, void **local,
                        firn_error *err) {
    (void)bound;
    return regular_open(memory, local, err);
}

// Where the pattern, its flags and its escape character are among the arguments; 0: nowhere.
typedef struct regular_call {
    regular_syntax syntax;
    uint32_t flags_at;
    uint32_t escape_at;
} regular_call;

static text argument_text(const column *const *args, uint32_t at, uint32_t row, text otherwise) {
    return at == 0 ? otherwise : text_at(text_rows_of(args[at]), row);
}

static regular_answer use(function_call *call, const column *const *args, regular_call how,
                          uint32_t row) {
    return regular_use(call->local, text_at(text_rows_of(args[0]), row),
                       text_at(text_rows_of(args[1]), row), how.syntax,
                       argument_text(args, how.flags_at, row, TEXT("")),
                       argument_text(args, how.escape_at, row, TEXT("\\")));
}

// What a kernel returns for an answer that is neither found nor not found.
static uint32_t fault(regular_answer answer, uint32_t visit) {
    return answer == REGULAR_NO_MEMORY ? KERNEL_NO_MEMORY : visit;
}

static void explain_how(const function_call *call, const column *const *args, regular_call how,
                        uint32_t row, firn_error *err) {
    regular_explain(call->local, text_at(text_rows_of(args[1]), row), how.syntax,
                    argument_text(args, how.flags_at, row, TEXT("")),
                    argument_text(args, how.escape_at, row, TEXT("\\")), err);
}

#define FLAGS (FUNCTION_NULL_STRICT | FUNCTION_CAN_FAIL)

// ---- Whether ---------------------------------------------------------------------------------

static uint32_t matches(function_call *call, const column *const *args, regular_call how,
                        column *out) {
    const text_rows values = text_rows_of(args[0]);
    FOR_ROWS(call, row) {
        regular_answer answer = use(call, args, how, row);
        if (answer == REGULAR_FOUND) {
            answer = regular_find(call, text_at(values, row), 0);
        }
        if (answer != REGULAR_FOUND && answer != REGULAR_NOT_FOUND) {
            return fault(answer, ROW_VISIT(row));
        }
        put_bit(out, row, answer == REGULAR_FOUND);
    }
    return call->count;
}

static regular_call plain_call(uint32_t arg_count, uint32_t flags_at) {
    return (regular_call){.flags_at = arg_count > flags_at ? flags_at : 0};
}

static regular_call similar_call(uint32_t arg_count) {
    return (regular_call){.syntax = REGULAR_SIMILAR, .escape_at = arg_count == 3 ? 2 : 0};
}

static uint32_t match_case(function_call *call, const column *const *args, column *out) {
    return matches(call, args, plain_call(call->arg_count, 2), out);
}

static uint32_t match_nocase(function_call *call, const column *const *args, column *out) {
    return matches(call, args, (regular_call){.syntax = REGULAR_NOCASE}, out);
}

static uint32_t match_similar(function_call *call, const column *const *args, column *out) {
    return matches(call, args, similar_call(call->arg_count), out);
}

static void explain_plain(const function_call *call, const column *const *args, uint32_t row,
                          firn_error *err) {
    explain_how(call, args, plain_call(call->arg_count, 2), row, err);
}

static void explain_similar(const function_call *call, const column *const *args, uint32_t row,
                            firn_error *err) {
    explain_how(call, args, similar_call(call->arg_count), row, err);
}

const scalar_function function_match = {
    .name = "~",
    .aliases = "regexp_like regexp_matches",
    .category = "regex",
    .summary = "whether a regular expression is found in the text",
    .examples = (const char *const[]){"'abcdef' ~ 'b.d'",
                                      "true",
                                      "'abc' ~ '^B'",
                                      "false",
                                      "'abc' ~* '^B|A'",
                                      "true",
                                      "regexp_like('a\nb', 'a.b')",
                                      "false",
                                      "regexp_like('a\nb', 'A.b', 'si')",
                                      "true",
                                      "'Straße' ~ '^\\w+$'",
                                      "true",
                                      "'' ~ ''",
                                      "true",
                                      "'abc' !~ 'x'",
                                      "true",
                                      "NULL ~ 'a'",
                                      "NULL",
                                      "'a' ~ '('",
                                      "error: the regular expression \"(\": missing",
                                      "repeat('a', 90) || 'b' ~ '^(a|aa)+$'",
                                      "error: takes more than",
                                      "regexp_like('a', 'a', 'k')",
                                      "error: the flags \"k\"",
                                      "1 ~ 'a'",
                                      "error: no \"~\" takes",
                                      NULL},
    .flags = FLAGS,
    .overloads =
        (const overload[]){
            {.signature = "BOOLEAN <- VARCHAR, VARCHAR", .kernel = match_case},
            {.signature = "BOOLEAN <- VARCHAR, VARCHAR, VARCHAR", .kernel = match_case},
            {0},
        },
    .open = open,
    .close = regular_close,
    .explain_failure = explain_plain,
};

const scalar_function function_match_nocase = {
    .name = "~*",
    .category = "regex",
    .summary = "whether a regular expression is found in the text, whatever the case of letters",
    .examples = (const char *const[]){"'abc' ~* 'BC$'", "true", "'ÄB' ~* 'äb'", "true",
                                      "'abc' !~* 'B'", "false", "'' ~* 'a'", "false", "NULL ~* 'a'",
                                      "NULL", "'a' ~* '['", "error: the regular expression", NULL},
    .flags = FLAGS,
    .overloads =
        (const overload[]){{.signature = "BOOLEAN <- VARCHAR, VARCHAR", .kernel = match_nocase},
                           {0}},
    .open = open,
    .close = regular_close,
    .explain_failure = explain_plain,
};

const scalar_function function_similar_to = {
    .name = "similar_to",
    .category = "regex",
    .summary = "SIMILAR TO: LIKE with |, *, +, ?, {m,n}, groups and classes",
    .examples = (const char *const[]){"'abc' SIMILAR TO 'abc'",
                                      "true",
                                      "'abc' SIMILAR TO 'a'",
                                      "false",
                                      "'abc' SIMILAR TO '%(b|d)%'",
                                      "true",
                                      "'a.c' SIMILAR TO 'a.c'",
                                      "true",
                                      "'abc' SIMILAR TO 'a.c'",
                                      "false",
                                      "'abc' SIMILAR TO '_[a-c]{2}'",
                                      "true",
                                      "'a%' SIMILAR TO 'a\\%'",
                                      "true",
                                      "'a%' SIMILAR TO 'a#%' ESCAPE '#'",
                                      "true",
                                      "'' SIMILAR TO '%'",
                                      "true",
                                      "'a' NOT SIMILAR TO 'b'",
                                      "true",
                                      "NULL SIMILAR TO 'a'",
                                      "NULL",
                                      "'a' SIMILAR TO '('",
                                      "error: the regular expression",
                                      NULL},
    .flags = FLAGS,
    .overloads =
        (const overload[]){
            {.signature = "BOOLEAN <- VARCHAR, VARCHAR", .kernel = match_similar},
            {.signature = "BOOLEAN <- VARCHAR, VARCHAR, VARCHAR", .kernel = match_similar},
            {0},
        },
    .open = open,
    .close = regular_close,
    .explain_failure = explain_similar,
};

// ---- What -----------------------------------------------------------------------------------

// The groups of the first match as a list, the whole of it if there are none.
static uint32_t regexp_match(function_call *call, const column *const *args, column *out) {
    const text_rows values = text_rows_of(args[0]);
    const regular_call how = plain_call(call->arg_count, 2);
    text_list build = text_list_of(call);
    FOR_ROWS(call, row) {
        const text value = text_at(values, row);
        regular_answer answer = use(call, args, how, row);
        if (answer == REGULAR_FOUND) {
            answer = regular_find(call, value, 0);
        }
        if (answer == REGULAR_NOT_FOUND) {
            if (!column_set_null(call->scratch, out, row)) {
                return KERNEL_NO_MEMORY;
            }
            continue;
        }
        if (answer != REGULAR_FOUND) {
            return fault(answer, ROW_VISIT(row));
        }
        const uint32_t groups = regular_group_count(call->local);
        const uint32_t first = groups == 0 ? 0 : 1;
        const uint32_t from = build.count;
        for (uint32_t i = first; i <= groups; i++) {
            text part;
            const bool is_there = regular_group(call->local, value, i, &part);
            if (!text_list_add(&build, is_there ? &part : NULL)) {
                return KERNEL_NO_MEMORY;
            }
        }
        COLUMN_OUT(out, list_value)
        [row] = (list_value){.offset = from, .size = build.count - from};
    }
    out->children = text_list_finish(&build);
    return out->children == NULL ? KERNEL_NO_MEMORY : call->count;
}

const scalar_function function_regexp_match = {
    .name = "regexp_match",
    .category = "regex",
    .summary = "the groups of the first match as a list, or all of it; NULL if there is none",
    .examples =
        (const char *const[]){"regexp_match('foobarbequebaz', '(bar)(beque)')", "[bar, beque]",
                              "regexp_match('abc', 'b.')", "[bc]", "regexp_match('abc', 'x')",
                              "NULL", "regexp_match('a', '(b)?a')", "[NULL]",
                              "regexp_match('ABC', 'b', 'i')", "[B]", "regexp_match(NULL, 'a')",
                              "NULL", "regexp_match('a', '*')", "error: the regular expression",
                              "regexp_match(1, 'a')", "error: no \"regexp_match\" takes", NULL},
    .flags = FLAGS,
    .overloads =
        (const overload[]){
            {.signature = "LIST<VARCHAR> <- VARCHAR, VARCHAR", .kernel = regexp_match},
            {.signature = "LIST<VARCHAR> <- VARCHAR, VARCHAR, VARCHAR", .kernel = regexp_match},
            {0},
        },
    .open = open,
    .close = regular_close,
    .explain_failure = explain_plain,
};

// The text of a group of the first match. Without a match: empty, or NULL.
static uint32_t extract(function_call *call, const column *const *args, bool empties, column *out) {
    const text_rows values = text_rows_of(args[0]);
    FOR_ROWS(call, row) {
        const text value = text_at(values, row);
        const int64_t group = call->arg_count > 2 ? i64_at(i64_rows_of(args[2]), row) : 0;
        regular_answer answer = use(call, args, (regular_call){.flags_at = 0}, row);
        if (answer == REGULAR_FOUND && (group < 0 || group > regular_group_count(call->local))) {
            return ROW_VISIT(row);
        }
        if (answer == REGULAR_FOUND) {
            answer = regular_find(call, value, 0);
        }
        if (answer != REGULAR_FOUND && answer != REGULAR_NOT_FOUND) {
            return fault(answer, ROW_VISIT(row));
        }
        text part = text_slice(value, 0, 0);
        const bool is_there =
            answer == REGULAR_FOUND && regular_group(call->local, value, (uint32_t)group, &part);
        put_slice(out, row, part);
        if (!is_there && !empties && !column_set_null(call->scratch, out, row)) {
            return KERNEL_NO_MEMORY;
        }
    }
    return call->count;
}

static uint32_t regexp_extract(function_call *call, const column *const *args, column *out) {
    return extract(call, args, true, out);
}

static uint32_t regexp_substr(function_call *call, const column *const *args, column *out) {
    return extract(call, args, false, out);
}

static void explain_extract(const function_call *call, const column *const *args, uint32_t row,
                            firn_error *err) {
    const int64_t group = call->arg_count > 2 ? i64_at(i64_rows_of(args[2]), row) : 0;
    const text pattern = text_at(text_rows_of(args[1]), row);
    if (regular_use(call->local, TEXT(""), pattern, REGULAR_PLAIN, TEXT(""), TEXT("\\")) ==
            REGULAR_FOUND &&
        (group < 0 || group > regular_group_count(call->local))) {
        err_set_sql(err, FIRN_INVALID, "22023", NO_POSITION, "the group %lld, only 0 to %u exist",
                    (long long)group, regular_group_count(call->local));
        return;
    }
    explain_how(call, args, (regular_call){.flags_at = 0}, row, err);
}

const scalar_function function_regexp_extract = {
    .name = "regexp_extract",
    .category = "regex",
    .summary = "the text of the first match, or of one of its groups; empty if there is none",
    .examples =
        (const char *const[]){"regexp_extract('abc123', '[0-9]+')", "123",
                              "regexp_extract('key=val', '(\\w+)=(\\w+)', 2)", "val",
                              "regexp_extract('abc', 'x')", "", "regexp_extract(NULL, 'a')", "NULL",
                              "regexp_extract('a', 'a', 1)", "error: the group 1, only 0 to 0",
                              "regexp_extract(1, 'a')", "error: no \"regexp_extract\" takes", NULL},
    .flags = FLAGS,
    .overloads =
        (const overload[]){
            {.signature = "VARCHAR <- VARCHAR, VARCHAR", .kernel = regexp_extract},
            {.signature = "VARCHAR <- VARCHAR, VARCHAR, BIGINT", .kernel = regexp_extract},
            {0},
        },
    .open = open,
    .close = regular_close,
    .explain_failure = explain_extract,
};

const scalar_function function_regexp_substr = {
    .name = "regexp_substr",
    .category = "regex",
    .summary = "the text of the first match; NULL if there is none",
    .examples =
        (const char *const[]){"regexp_substr('abc123', '[0-9]+')", "123",
                              "regexp_substr('abc', 'x')", "NULL", "regexp_substr('', '')", "",
                              "regexp_substr(NULL, 'a')", "NULL", "regexp_substr('a', '+')",
                              "error: the regular expression", "regexp_substr(1, 'a')",
                              "error: no \"regexp_substr\" takes", NULL},
    .flags = FLAGS,
    .overloads =
        (const overload[]){{.signature = "VARCHAR <- VARCHAR, VARCHAR", .kernel = regexp_substr},
                           {0}},
    .open = open,
    .close = regular_close,
    .explain_failure = explain_extract,
};

// The first group of the first match, or all of it; of three arguments the second is SQL's own
// pattern, which is all of the text, and the third its escape character.
static regular_call part_call(uint32_t arg_count) {
    return arg_count == 3 ? (regular_call){.syntax = REGULAR_PART, .escape_at = 2}
                          : (regular_call){.syntax = REGULAR_PLAIN};
}

static uint32_t substring_match(function_call *call, const column *const *args, column *out) {
    const text_rows values = text_rows_of(args[0]);
    const regular_call how = part_call(call->arg_count);
    FOR_ROWS(call, row) {
        const text value = text_at(values, row);
        regular_answer answer = use(call, args, how, row);
        if (answer == REGULAR_FOUND) {
            answer = regular_find(call, value, 0);
        }
        if (answer != REGULAR_FOUND && answer != REGULAR_NOT_FOUND) {
            return fault(answer, ROW_VISIT(row));
        }
        text part = text_slice(value, 0, 0);
        const bool is_there =
            answer == REGULAR_FOUND &&
            regular_group(call->local, value, regular_group_count(call->local) > 0, &part);
        put_slice(out, row, part);
        if (!is_there && !column_set_null(call->scratch, out, row)) {
            return KERNEL_NO_MEMORY;
        }
    }
    return call->count;
}

static void explain_part(const function_call *call, const column *const *args, uint32_t row,
                         firn_error *err) {
    explain_how(call, args, part_call(call->arg_count), row, err);
}

const scalar_function function_substring_match = {
    .name = "substring_match",
    .category = "regex",
    .summary = "SUBSTRING(s FROM pattern): the first group of the first match, or all of it; "
               "SUBSTRING(s FROM pattern FOR escape): what lies between two escaped \" of a "
               "pattern of SIMILAR TO, or all of it; NULL if there is none",
    .examples = (const char *const[]){"substring('foobar' FROM 'o.b')",
                                      "oob",
                                      "substring('foobar' FROM 'o(.)b')",
                                      "o",
                                      "substring('foobar', '^x')",
                                      "NULL",
                                      "substring('foobar' FROM '%#\"o_b#\"%' FOR '#')",
                                      "oob",
                                      "substring('foobar' FROM '#\"o_b#\"%' FOR '#')",
                                      "NULL",
                                      "substring('aabbb' FROM 'a+#\"(b|a)*#\"%' FOR '#')",
                                      "abbb",
                                      "substring('a\"b' FROM '_\"_' FOR '#')",
                                      "a\"b",
                                      "substring(NULL FROM 'a' FOR '#')",
                                      "NULL",
                                      "substring('a' FROM '(')",
                                      "error: the regular expression \"(\"",
                                      "substring('a' FROM '#\"#\"#\"' FOR '#')",
                                      "error: 3 separators",
                                      "substring(X'00' FROM 'a')",
                                      "error: no \"substring_match\" takes",
                                      NULL},
    .flags = FLAGS,
    .overloads =
        (const overload[]){
            {.signature = "VARCHAR <- VARCHAR, VARCHAR", .kernel = substring_match},
            {.signature = "VARCHAR <- VARCHAR, VARCHAR, VARCHAR", .kernel = substring_match},
            {0},
        },
    .open = open,
    .close = regular_close,
    .explain_failure = explain_part,
};

// ---- How often, and what is between ------------------------------------------------------------

static uint32_t regexp_count(function_call *call, const column *const *args, column *out) {
    const text_rows values = text_rows_of(args[0]);
    const regular_call how = plain_call(call->arg_count, 2);
    FOR_ROWS(call, row) {
        const text value = text_at(values, row);
        regular_answer answer = use(call, args, how, row);
        int64_t count = 0;
        size_t from = 0;
        while (answer == REGULAR_FOUND) {
            answer = regular_find(call, value, from);
            if (answer == REGULAR_FOUND) {
                count++;
                from = regular_next_start(call->local, value);
            }
        }
        if (answer != REGULAR_NOT_FOUND) {
            return fault(answer, ROW_VISIT(row));
        }
        COLUMN_OUT(out, int64_t)[row] = count;
    }
    return call->count;
}

const scalar_function function_regexp_count = {
    .name = "regexp_count",
    .category = "regex",
    .summary = "how often a regular expression is found in the text",
    .examples =
        (const char *const[]){"regexp_count('abcabc', 'b.')", "2", "regexp_count('aAa', 'A', 'i')",
                              "3", "regexp_count('', 'a')", "0", "regexp_count('äb', '')", "3",
                              "regexp_count(NULL, 'a')", "NULL", "regexp_count('a', '(')",
                              "error: the regular expression", "regexp_count(1, 'a')",
                              "error: no \"regexp_count\" takes", NULL},
    .flags = FLAGS,
    .overloads =
        (const overload[]){
            {.signature = "BIGINT <- VARCHAR, VARCHAR", .kernel = regexp_count},
            {.signature = "BIGINT <- VARCHAR, VARCHAR, VARCHAR", .kernel = regexp_count},
            {0},
        },
    .open = open,
    .close = regular_close,
    .explain_failure = explain_plain,
};

// Adds what is between the matches. An empty match splits nowhere but between two characters.
static regular_answer split_row(const function_call *call, text value, text_list *build) {
    const regular *with = call->local;
    size_t start = 0;
    size_t from = 0;
    regular_answer answer = REGULAR_FOUND;
    while (answer == REGULAR_FOUND) {
        answer = regular_find(call, value, from);
        text found;
        if (answer != REGULAR_FOUND || !regular_group(with, value, 0, &found)) {
            break;
        }
        const size_t at = (size_t)(found.data - value.data);
        from = regular_next_start(with, value);
        if (found.size == 0 && (at == start || at >= value.size)) {
            continue;
        }
        const text part = text_slice(value, start, at);
        if (!text_list_add(build, &part)) {
            return REGULAR_NO_MEMORY;
        }
        start = at + found.size;
    }
    const text rest = text_slice(value, start, value.size);
    if (answer == REGULAR_NOT_FOUND && !text_list_add(build, &rest)) {
        return REGULAR_NO_MEMORY;
    }
    return answer;
}

static uint32_t regexp_split(function_call *call, const column *const *args, column *out) {
    const text_rows values = text_rows_of(args[0]);
    const regular_call how = plain_call(call->arg_count, 2);
    text_list build = text_list_of(call);
    FOR_ROWS(call, row) {
        const uint32_t from = build.count;
        regular_answer answer = use(call, args, how, row);
        if (answer == REGULAR_FOUND) {
            answer = split_row(call, text_at(values, row), &build);
        }
        if (answer != REGULAR_NOT_FOUND) {
            return fault(answer, ROW_VISIT(row));
        }
        COLUMN_OUT(out, list_value)
        [row] = (list_value){.offset = from, .size = build.count - from};
    }
    out->children = text_list_finish(&build);
    return out->children == NULL ? KERNEL_NO_MEMORY : call->count;
}

const scalar_function function_regexp_split_to_array = {
    .name = "regexp_split_to_array",
    .aliases = "string_split_regex str_split_regex",
    .category = "regex",
    .summary = "the parts of the text between the matches",
    .examples = (const char *const[]){"regexp_split_to_array('a1b22c', '[0-9]+')", "[a, b, c]",
                                      "regexp_split_to_array('abc', '')", "[a, b, c]",
                                      "regexp_split_to_array('abc', 'x')", "[abc]",
                                      "regexp_split_to_array(',a', ',')", "['', a]",
                                      "regexp_split_to_array(NULL, 'a')", "NULL",
                                      "regexp_split_to_array('a', '(')",
                                      "error: the regular expression", NULL},
    .flags = FLAGS,
    .overloads =
        (const overload[]){
            {.signature = "LIST<VARCHAR> <- VARCHAR, VARCHAR", .kernel = regexp_split},
            {.signature = "LIST<VARCHAR> <- VARCHAR, VARCHAR, VARCHAR", .kernel = regexp_split},
            {0},
        },
    .open = open,
    .close = regular_close,
    .explain_failure = explain_plain,
};
