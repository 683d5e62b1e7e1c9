#include "functions/scalar/regular.h"
#include "functions/scalar/regular_case.h"

#include "base/utf8.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

struct regular {
    arena *memory;    // For the time of a compilation.
    pcre2_code *code; // NULL: no pattern yet, or the last one was bad.
    pcre2_match_data *data;
    pcre2_match_context *limits;
    uint32_t group_count;
    bool is_for_long;       // For texts that are searched part by part, at some cost for all.
    bool is_of_one_search;  // Searched for part by part it may mean something else.
    int error_code;         // Of the last pattern that was bad.
    PCRE2_SIZE error_place; // In it.
    // Of the pattern that `code` is of; key_size 0: of none, or it is too long to be remembered.
    size_t key_size;
    char key[REGULAR_KEY_SIZE_MAX];
};

firn_status regular_open(arena *memory, void **local, firn_error *err) {
    regular *self = ARENA_NEW(memory, regular, 1);
    *local = self;
    if (self == NULL) {
        return ARENA_FULL(memory, err);
    }
    *self = (regular){.memory = memory, .limits = pcre2_match_context_create(NULL)};
    if (self->limits == NULL) {
        *local = NULL;
        return FAIL(err, FIRN_NO_MEMORY, "no memory for a regular expression");
    }
    pcre2_set_match_limit(self->limits, REGULAR_MATCH_LIMIT);
    return FIRN_OK;
}

static void drop_code(regular *self) {
    pcre2_match_data_free(self->data);
    pcre2_code_free(self->code);
    self->data = NULL;
    self->code = NULL;
    self->key_size = 0;
}

void regular_close(void *local) {
    regular *self = local;
    if (self != NULL) {
        drop_code(self);
        pcre2_match_context_free(self->limits);
    }
}

// ---- SIMILAR TO --------------------------------------------------------------------------------

// Bytes that PCRE2 would read as more than themselves and SIMILAR TO does not.
static bool is_quoted(char byte) {
    return byte == '.' || byte == '^' || byte == '$' || byte == '\\';
}

// Whether the escape character stands at a byte, and something behind it.
static bool is_escape_at(text pattern, text escape, size_t at) {
    return escape.size > 0 && pattern.size - at > escape.size &&
           memcmp(pattern.data + at, escape.data, escape.size) == 0;
}

// What REGULAR_PART splits a pattern by: the escape character and a ".
static uint32_t separator_count(text pattern, text escape) {
    uint32_t count = 0;
    for (size_t at = 0; at < pattern.size; (void)utf8_next(pattern, &at)) {
        if (is_escape_at(pattern, escape, at)) {
            at += escape.size;
            count += pattern.data[at] == '"';
        }
    }
    return count;
}

typedef struct similar_text {
    char *out;
    size_t size;
} similar_text;

static void put_bytes(similar_text *self, const char *data, size_t size) {
    memcpy(self->out + self->size, data, size);
    self->size += size;
}

static void put_words(similar_text *self, const char *words) {
    put_bytes(self, words, strlen(words));
}

// Room for a pattern as PCRE2 reads it: 4 bytes each, and what is put around the parts.
#define SIMILAR_ROOM (REGULAR_KEY_SIZE_MAX * 4 + 48)

// Writes the pattern as PCRE2 reads it; the size. Of parts the outer ones are as short as can be,
// and only the inner one is a group.
static size_t similar_write(text pattern, regular_syntax syntax, text escape, char *out) {
    static const char *const between[] = {")(?<part>", ")(?U:"};
    similar_text made = {.out = out};
    size_t at = 0;
    uint32_t separators = 0;
    bool is_in_class = false;
    put_words(&made, syntax == REGULAR_PART ? "\\A(?s)(?U:" : "\\A(?s:");
    while (at < pattern.size) {
        const bool is_escaped = is_escape_at(pattern, escape, at);
        at += is_escaped ? escape.size : 0;
        const char byte = pattern.data[at];
        const size_t from = at;
        (void)utf8_next(pattern, &at);
        if (is_escaped && byte == '"' && syntax == REGULAR_PART) {
            put_words(&made, between[separators++ % 2]);
            continue;
        }
        if (is_escaped || (is_quoted(byte) && !is_in_class)) {
            if (at - from == 1 && !((byte | 0x20) >= 'a' && (byte | 0x20) <= 'z') &&
                !(byte >= '0' && byte <= '9')) {
                put_words(&made, "\\");
            }
        } else if (byte == '%' && !is_in_class) {
            put_words(&made, ".*");
            continue;
        } else if (byte == '_' && !is_in_class) {
            put_words(&made, ".");
            continue;
        } else if (byte == '[' || byte == ']') {
            is_in_class = byte == '[';
        }
        put_bytes(&made, pattern.data + from, at - from);
    }
    put_words(&made, ")\\z");
    return made.size;
}

#define SIMILAR_SEPARATORS_MAX 2

static bool has_more_parts(text pattern, regular_syntax syntax, text escape) {
    return syntax == REGULAR_PART && separator_count(pattern, escape) > SIMILAR_SEPARATORS_MAX;
}

static bool is_similar(regular_syntax syntax) {
    return syntax == REGULAR_SIMILAR || syntax == REGULAR_PART;
}

// ---- Compiling -------------------------------------------------------------------------------

static bool read_flags(text flags, uint32_t *options) {
    for (size_t i = 0; i < flags.size; i++) {
        switch (flags.data[i]) {
        case 'i':
            *options |= PCRE2_CASELESS;
            break;
        case 'c':
            *options &= ~PCRE2_CASELESS;
            break;
        case 's':
            *options |= PCRE2_DOTALL;
            break;
        case 'm':
        case 'n':
            *options |= PCRE2_MULTILINE;
            break;
        case 'x':
            *options |= PCRE2_EXTENDED;
            break;
        case 'q':
        case 'l':
            *options |= PCRE2_LITERAL;
            break;
        case 'g':
            break;
        default:
            return false;
        }
    }
    return true;
}

// What a compiled pattern is remembered by; its size, 0 if it is too long.
static size_t key_of(text pattern, regular_syntax syntax, text flags, text escape, char *out) {
    if (pattern.size + flags.size + escape.size + 4 > REGULAR_KEY_SIZE_MAX) {
        return 0;
    }
    size_t size = 0;
    out[size++] = (char)('0' + (int)syntax);
    const text parts[] = {flags, escape, pattern};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (parts[i].size > 0) {
            memcpy(out + size, parts[i].data, parts[i].size);
            size += parts[i].size;
        }
        out[size++] = '\0';
    }
    return size;
}

static regular_answer compile(regular *self, text pattern, uint32_t options) {
    self->code = pcre2_compile((PCRE2_SPTR)(pattern.data == NULL ? "" : pattern.data), pattern.size,
                               options, &self->error_code, &self->error_place, NULL);
    if (self->code == NULL) {
        return REGULAR_BAD_PATTERN;
    }
    (void)pcre2_jit_compile(self->code, PCRE2_JIT_COMPLETE); // Without it: slower, not wrong.
    (void)pcre2_pattern_info(self->code, PCRE2_INFO_CAPTURECOUNT, &self->group_count);
    uint32_t all = 0;
    (void)pcre2_pattern_info(self->code, PCRE2_INFO_ALLOPTIONS, &all);
    self->is_of_one_search = (all & PCRE2_ANCHORED) != 0 ||
                             text_find(pattern, TEXT("\\G")) < pattern.size ||
                             text_find(pattern, TEXT("(*")) < pattern.size;
    self->data = pcre2_match_data_create_from_pattern(self->code, NULL);
    if (self->data == NULL) {
        drop_code(self);
        return REGULAR_NO_MEMORY;
    }
    return REGULAR_FOUND;
}

static regular_answer compile_by_case(regular *self, text pattern, uint32_t options) {
    if ((options & PCRE2_LITERAL) != 0 || !regular_names_case(pattern)) {
        return compile(self, pattern, options);
    }
    const arena_mark mark = arena_mark_take(self->memory);
    char *made = ARENA_NEW(self->memory, char, pattern.size);
    if (made == NULL) {
        return REGULAR_NO_MEMORY;
    }
    regular_write_case(pattern, (options & PCRE2_CASELESS) != 0, made);
    const regular_answer answer =
        compile(self, (text){.data = made, .size = pattern.size}, options);
    arena_rewind(self->memory, mark);
    return answer;
}

regular_answer regular_use(regular *self, text value, text pattern, regular_syntax syntax,
                           text flags, text escape) {
    char key[REGULAR_KEY_SIZE_MAX];
    const size_t key_size = key_of(pattern, syntax, flags, escape, key);
    const bool is_for_long = value.size > TEXT_LOOK_EVERY;
    if (key_size > 0 && self->code != NULL && self->key_size == key_size &&
        self->is_for_long == is_for_long && memcmp(self->key, key, key_size) == 0) {
        return REGULAR_FOUND;
    }
    drop_code(self);
    uint32_t options = PCRE2_UTF | PCRE2_UCP | PCRE2_NO_UTF_CHECK | PCRE2_NEVER_BACKSLASH_C |
                       PCRE2_DOLLAR_ENDONLY | (syntax == REGULAR_NOCASE ? PCRE2_CASELESS : 0);
    if (!read_flags(flags, &options)) {
        return REGULAR_BAD_FLAG;
    }
    self->is_for_long = is_for_long;
    if ((options & PCRE2_LITERAL) != 0) { // Only a few others go with it.
        options &= PCRE2_LITERAL | PCRE2_CASELESS | PCRE2_UTF | PCRE2_NO_UTF_CHECK;
    }
    options |= is_for_long ? PCRE2_USE_OFFSET_LIMIT : 0;
    regular_answer answer;
    if (is_similar(syntax)) {
        if (pattern.size > REGULAR_KEY_SIZE_MAX || has_more_parts(pattern, syntax, escape)) {
            return REGULAR_BAD_PATTERN;
        }
        char converted[SIMILAR_ROOM];
        const size_t size = similar_write(pattern, syntax, escape, converted);
        options |= syntax == REGULAR_PART ? PCRE2_NO_AUTO_CAPTURE : 0;
        answer = compile(self, (text){.data = converted, .size = size}, options);
    } else {
        answer = compile_by_case(self, pattern, options);
    }
    if (answer == REGULAR_FOUND && key_size > 0) {
        memcpy(self->key, key, key_size);
        self->key_size = key_size;
    }
    return answer;
}

// ---- Matching --------------------------------------------------------------------------------

// Matches that begin at byte `from` or behind it.
static int match_from(const regular *self, text value, size_t from) {
    return pcre2_match(self->code, (PCRE2_SPTR)(value.data == NULL ? "" : value.data), value.size,
                       from, PCRE2_NO_UTF_CHECK, self->data, self->limits);
}

// The same part by part, each being the places where a match begins.
static int match_in_parts(const function_call *call, text value, size_t from) {
    const regular *self = call->local;
    int found = PCRE2_ERROR_NOMATCH;
    size_t at = from;
    text part;
    while (found == PCRE2_ERROR_NOMATCH && !self->is_of_one_search &&
           value.size - at > TEXT_LOOK_EVERY && text_next_piece(call, value, &at, &part)) {
        pcre2_set_offset_limit(self->limits, at - 1);
        found = match_from(self, value, at - part.size);
    }
    pcre2_set_offset_limit(self->limits, PCRE2_UNSET);
    return found == PCRE2_ERROR_NOMATCH && !function_is_stopped(call) ? match_from(self, value, at)
                                                                      : found;
}

regular_answer regular_find(const function_call *call, text value, size_t from) {
    const regular *self = call->local;
    if (from > value.size) {
        return REGULAR_NOT_FOUND;
    }
    const int found =
        self->is_for_long ? match_in_parts(call, value, from) : match_from(self, value, from);
    if (self->is_for_long && function_is_stopped(call)) {
        return REGULAR_NO_MEMORY;
    }
    if (found > 0) {
        return REGULAR_FOUND;
    }
    return found == PCRE2_ERROR_NOMATCH    ? REGULAR_NOT_FOUND
           : found == PCRE2_ERROR_NOMEMORY ? REGULAR_NO_MEMORY
                                           : REGULAR_TOO_LONG;
}

uint32_t regular_group_count(const regular *self) {
    return self->group_count;
}

bool regular_group(const regular *self, text value, uint32_t index, text *out) {
    const PCRE2_SIZE *places = pcre2_get_ovector_pointer(self->data);
    const PCRE2_SIZE from = places[2 * (size_t)index];
    const PCRE2_SIZE to = places[2 * (size_t)index + 1];
    if (index > self->group_count || from == PCRE2_UNSET || from > to) {
        return false;
    }
    *out = text_slice(value, from, to);
    return true;
}

size_t regular_next_start(const regular *self, text value) {
    const PCRE2_SIZE *places = pcre2_get_ovector_pointer(self->data);
    size_t next = places[1];
    if (places[1] > places[0]) {
        return next;
    }
    if (next >= value.size) {
        return value.size + 1;
    }
    (void)utf8_next(value, &next); // Behind an empty match.
    return next;
}

void regular_explain(regular *self, text pattern, regular_syntax syntax, text flags, text escape,
                     firn_error *err) {
    PCRE2_UCHAR words[160];
    switch (regular_use(self, TEXT(""), pattern, syntax, flags, escape)) {
    case REGULAR_BAD_FLAG:
        err_set_sql(err, FIRN_INVALID, "22023", NO_POSITION,
                    "the flags \"%.*s\", only g, i, c, s, m, n, x and q are known",
                    TEXT_ARGS(flags));
        return;
    case REGULAR_BAD_PATTERN:
        if (is_similar(syntax) && pattern.size > REGULAR_KEY_SIZE_MAX) {
            err_set_sql(err, FIRN_INVALID, "2201B", NO_POSITION,
                        "a pattern of %zu bytes, SIMILAR TO takes %d", pattern.size,
                        REGULAR_KEY_SIZE_MAX);
            return;
        }
        if (has_more_parts(pattern, syntax, escape)) {
            err_set_sql(err, FIRN_INVALID, "2200C", NO_POSITION,
                        "the pattern \"%.*s\" has %u separators %.*s\", at most %d are allowed",
                        TEXT_ARGS(pattern), separator_count(pattern, escape), TEXT_ARGS(escape),
                        SIMILAR_SEPARATORS_MAX);
            return;
        }
        if (pcre2_get_error_message(self->error_code, words, sizeof words) < 0) {
            words[0] = '\0';
        }
        err_set_sql(err, FIRN_INVALID, "2201B", NO_POSITION,
                    "the regular expression \"%.*s\": %s at byte %zu", TEXT_ARGS(pattern),
                    (const char *)words, self->error_place + 1);
        return;
    case REGULAR_FOUND:
    case REGULAR_NOT_FOUND:
    case REGULAR_TOO_LONG:
    case REGULAR_NO_MEMORY:
        break;
    }
    err_set_sql(err, FIRN_INVALID, "2201B", NO_POSITION,
                "the regular expression \"%.*s\" takes more than %d steps", TEXT_ARGS(pattern),
                REGULAR_MATCH_LIMIT);
}
