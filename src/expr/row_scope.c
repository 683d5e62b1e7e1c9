#include "expr/row_scope.h"

bool scope_is_within(const row_scope *self, uint64_t serial) {
    while (self != NULL && self->serial > serial) {
        const bool may_jump = self->jump != NULL && self->jump->serial >= serial;
        self = may_jump ? self->jump : self->outer;
    }
    return self != NULL && self->serial == serial;
}

// Where a scope inside `outer` jumps to: twice as far as `outer` and where that jumps to do, if
// those go equally far (E. Myers: "An applicative random-access stack", 1983).
static const row_scope *jump_from(const row_scope *outer) {
    const row_scope *middle = outer->jump;
    const row_scope *far = middle == NULL ? NULL : middle->jump;
    return far != NULL && outer->depth - middle->depth == middle->depth - far->depth ? far : outer;
}

const uint16_t *scope_rows(row_scope *self, arena *memory) {
    if (self->rows != NULL) {
        return self->rows;
    }
    uint16_t *rows = ARENA_NEW(memory, uint16_t, self->length + 1);
    if (rows == NULL) {
        return NULL;
    }
    if (self->bits != NULL) {
        (void)bits_to_rows(self->bits, self->length, rows);
    } else {
        for (uint32_t row = 0; row < self->length; row++) {
            rows[row] = (uint16_t)row;
        }
    }
    self->rows = rows;
    return rows;
}

const uint64_t *scope_bits(row_scope *self, arena *memory) {
    if (self->bits != NULL) {
        return self->bits;
    }
    uint64_t *bits = ARENA_NEW(memory, uint64_t, BITMAP_WORDS(self->length) + 1);
    if (bits == NULL) {
        return NULL;
    }
    if (scope_is_all(self)) {
        bits_fill(bits, self->length);
    } else {
        bits_of_rows(self->rows, self->count, self->length, bits);
    }
    self->bits = bits;
    return bits;
}

bool scope_narrow(row_scope *outer, const uint64_t *bits, bool is_set, uint64_t serial,
                  arena *memory, row_scope *out) {
    *out = (row_scope){.outer = outer,
                       .jump = jump_from(outer),
                       .depth = outer->depth + 1,
                       .serial = serial,
                       .length = outer->length};
    if (!scope_is_dense(outer)) { // Few rows: the list is looked through.
        const uint16_t *rows = scope_rows(outer, memory);
        uint16_t *kept = ARENA_NEW(memory, uint16_t, outer->count + 1);
        if (rows == NULL || kept == NULL) {
            return false;
        }
        out->count = bits_filter_rows(bits, is_set, rows, outer->count, kept);
        out->rows = kept;
        return true;
    }
    const uint64_t *before = scope_bits(outer, memory);
    uint64_t *kept = ARENA_NEW(memory, uint64_t, BITMAP_WORDS(outer->length) + 1);
    if (before == NULL || kept == NULL) {
        return false;
    }
    if (is_set) {
        bits_and(before, bits, outer->length, kept);
    } else {
        bits_and_not(before, bits, outer->length, kept);
    }
    out->bits = kept;
    out->count = (uint32_t)bitmap_count(kept, outer->length);
    return true;
}
