#include "functions/scalar/like_pattern.h"

#include "base/utf8.h"
#include "functions/scalar/text_seek.h"

// ---- Taking apart ----------------------------------------------------------------------------

typedef struct pattern_parser {
    text pattern;
    text escape;
    char *bytes; // Of all pieces, one behind another.
    bool *is_any;
    size_t size;
    like_piece *pieces;
    uint32_t piece_count;
    cancel_watch watch; // That of `memory`.
} pattern_parser;

static bool is_escape_at(const pattern_parser *self, size_t at) {
    const text escape = self->escape;
    return escape.size > 0 && self->pattern.size - at >= escape.size &&
           memcmp(self->pattern.data + at, escape.data, escape.size) == 0;
}

static void end_piece(pattern_parser *self, size_t from) {
    if (self->size == from) {
        return;
    }
    like_piece *piece = &self->pieces[self->piece_count++];
    *piece = (like_piece){.plain = {.data = self->bytes + from, .size = self->size - from}};
    for (size_t i = from; i < self->size && !cancel_watch_is_raised(&self->watch, 1); i++) {
        if (self->is_any[i]) {
            piece->is_any = self->is_any + from;
        }
    }
    piece->code_count = (uint32_t)utf8_count(piece->plain);
}

static like_answer split(pattern_parser *self) {
    size_t from = 0;
    size_t at = 0;
    while (at < self->pattern.size && !cancel_watch_is_raised(&self->watch, 1)) {
        const char byte = self->pattern.data[at];
        const bool is_escaped = is_escape_at(self, at);
        if (!is_escaped && byte == '%') {
            end_piece(self, from);
            from = self->size;
            at++;
            continue;
        }
        if (is_escaped) {
            at += self->escape.size;
            if (at == self->pattern.size) {
                return LIKE_CUT_ESCAPE;
            }
        }
        const bool is_any = !is_escaped && byte == '_';
        const size_t start = at;
        (void)utf8_next(self->pattern, &at);
        for (size_t i = start; i < at; i++) {
            self->is_any[self->size] = is_any;
            self->bytes[self->size++] = (char)(is_any ? 0 : self->pattern.data[i]);
        }
    }
    end_piece(self, from);
    return LIKE_OK;
}

static bool ends_open(pattern_parser *self) {
    const text pattern = self->pattern;
    if (pattern.size == 0 || pattern.data[pattern.size - 1] != '%') {
        return false;
    }
    // The last % counts unless it is escaped; what is escaped is only known from the front.
    size_t at = 0;
    bool is_open = false;
    while (at < pattern.size && !cancel_watch_is_raised(&self->watch, 1)) {
        const bool is_escaped = is_escape_at(self, at);
        is_open = !is_escaped && pattern.data[at] == '%';
        at += is_escaped ? self->escape.size : 0;
        if (at < pattern.size) {
            (void)utf8_next(pattern, &at);
        }
    }
    return is_open;
}

like_answer like_pattern_make(text pattern, text escape, arena *memory, like_pattern *out) {
    if (escape.size > 0 && utf8_count(escape) != 1) {
        return LIKE_BAD_ESCAPE;
    }
    pattern_parser parser = {
        .pattern = pattern, .escape = escape, .watch = {.cancel = memory->cancel}};
    parser.bytes = ARENA_NEW(memory, char, pattern.size + 1);
    parser.is_any = ARENA_NEW(memory, bool, pattern.size + 1);
    parser.pieces = ARENA_NEW(memory, like_piece, pattern.size / 2 + 1);
    if (parser.bytes == NULL || parser.is_any == NULL || parser.pieces == NULL) {
        return LIKE_NO_MEMORY;
    }
    const like_answer answer = split(&parser);
    *out = (like_pattern){
        .pieces = parser.pieces,
        .piece_count = parser.piece_count,
        .is_open_at_start = pattern.size > 0 && pattern.data[0] == '%' && !is_escape_at(&parser, 0),
        .is_open_at_end = ends_open(&parser),
    };
    return cancel_is_raised(memory->cancel) ? LIKE_NO_MEMORY : answer;
}

bool like_pattern_is_good(text pattern, text escape) {
    if (escape.size == 0 || utf8_count(escape) != 1) {
        return escape.size == 0;
    }
    const pattern_parser parser = {.pattern = pattern, .escape = escape};
    size_t at = 0;
    while (at < pattern.size) {
        if (is_escape_at(&parser, at)) {
            at += escape.size;
            if (at == pattern.size) {
                return false;
            }
        }
        (void)utf8_next(pattern, &at);
    }
    return true;
}

// ---- Matching --------------------------------------------------------------------------------

// Do the bytes of a piece stand there? There is room for them.
static bool is_at(const like_piece *self, const char *place, cancel_watch *watch) {
    const text plain = self->plain;
    return cancel_watch_compare(watch, place, plain.data, plain.size) == 0;
}

// The size of what a piece takes of a text from a place on; TEXT_NOWHERE if it does not fit there.
static size_t piece_fits(const like_piece *self, text value, size_t from, cancel_watch *watch) {
    if (self->is_any == NULL) {
        const bool fits =
            value.size - from >= self->plain.size && is_at(self, value.data + from, watch);
        return fits ? self->plain.size : TEXT_NOWHERE;
    }
    size_t at = from;
    for (size_t i = 0; i < self->plain.size; i++) {
        if (at >= value.size || cancel_watch_is_raised(watch, 1)) {
            return TEXT_NOWHERE;
        }
        if (self->is_any[i]) {
            (void)utf8_next(value, &at);
        } else if (value.data[at++] != self->plain.data[i]) {
            return TEXT_NOWHERE;
        }
    }
    return at - from;
}

// Behind the first place of a piece from a place on; TEXT_NOWHERE if there is none.
static size_t piece_seek(const like_piece *self, text value, size_t from,
                         const function_call *call) {
    if (self->is_any == NULL) {
        const size_t found = text_find_place(call, value, self->plain, from);
        return found == TEXT_NOWHERE ? TEXT_NOWHERE : found + self->plain.size;
    }
    cancel_watch watch = {.cancel = function_cancel(call)};
    size_t at = from;
    while (true) {
        const size_t size = piece_fits(self, value, at, &watch);
        if (size != TEXT_NOWHERE) {
            return at + size;
        }
        if (at >= value.size || cancel_watch_is_raised(&watch, 1)) {
            return TEXT_NOWHERE;
        }
        (void)utf8_next(value, &at);
    }
}

// Does a piece stand at the end, behind a place?
static bool piece_ends(const like_piece *self, text value, size_t from, cancel_watch *watch) {
    if (self->is_any == NULL) {
        return value.size - from >= self->plain.size &&
               is_at(self, value.data + value.size - self->plain.size, watch);
    }
    size_t at = value.size;
    for (uint32_t i = 0; i < self->code_count && !cancel_watch_is_raised(watch, 1); i++) {
        if (at <= from) {
            return false;
        }
        (void)utf8_previous(value, &at);
    }
    return at >= from && piece_fits(self, value, at, watch) == value.size - at;
}

bool like_pattern_matches(const like_pattern *self, text value, const function_call *call) {
    cancel_watch watch = {.cancel = function_cancel(call)};
    uint32_t next = 0;
    uint32_t end = self->piece_count;
    size_t at = 0;
    if (end == 0) {
        return self->is_open_at_start || value.size == 0;
    }
    if (!self->is_open_at_start) {
        const size_t size = piece_fits(&self->pieces[0], value, 0, &watch);
        if (size == TEXT_NOWHERE) {
            return false;
        }
        at = size;
        next = 1;
        if (end == 1 && !self->is_open_at_end) {
            return at == value.size;
        }
    }
    if (!self->is_open_at_end) {
        end--;
    }
    for (; next < end; next++) {
        at = piece_seek(&self->pieces[next], value, at, call);
        if (at == TEXT_NOWHERE) {
            return false;
        }
    }
    return self->is_open_at_end || piece_ends(&self->pieces[end], value, at, &watch);
}
