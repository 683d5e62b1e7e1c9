#include "tables/iceberg/iceberg_position_list.h"

#include <stdlib.h>

#include "base/hash.h"
#include "memory/arena_grow.h"
#include "memory/text_builder.h"

#define EXPECTED_MAX (UINT64_C(1) << 20) // Of positions that nobody has seen yet.
#define CAPACITY_MIN UINT64_C(1024)

// ---- Paths -------------------------------------------------------------------------------------

static ice_position_path **slot_of(ice_position_path **slots, uint32_t count, text path,
                                   uint64_t hash) {
    uint32_t at = (uint32_t)(hash & (count - 1));
    while (slots[at] != NULL && (slots[at]->hash != hash || !text_equal(slots[at]->path, path))) {
        at = (at + 1) & (count - 1);
    }
    return &slots[at];
}

static firn_status grow_slots(ice_position_list *self, firn_error *err) {
    if (self->path_count < self->slot_count / 2) {
        return FIRN_OK;
    }
    const uint32_t count = self->slot_count == 0 ? 16 : self->slot_count * 2;
    ice_position_path **slots =
        count == 0 ? NULL : ARENA_NEW(self->memory, ice_position_path *, count);
    if (slots == NULL) {
        return ARENA_FULL(self->memory, err);
    }
    memset(slots, 0, count * sizeof *slots);
    for (uint32_t i = 0; i < self->slot_count; i++) {
        ice_position_path *each = self->slots[i];
        if (each != NULL) {
            *slot_of(slots, count, each->path, each->hash) = each;
        }
    }
    self->slots = slots;
    self->slot_count = count;
    return FIRN_OK;
}

static firn_status take_path(ice_position_list *self, text path, ice_position_path **out,
                             firn_error *err) {
    TRY(grow_slots(self, err));
    const uint64_t hash = hash_bytes(path.data, path.size);
    ice_position_path **slot = slot_of(self->slots, self->slot_count, path, hash);
    if (*slot == NULL) {
        ice_position_path *made = ARENA_NEW(self->memory, ice_position_path, 1);
        if (made == NULL) {
            return ARENA_FULL(self->memory, err);
        }
        *made = (ice_position_path){.hash = hash, .is_sorted = true};
        TRY(text_copy(self->memory, path, &made->path, err));
        *slot = made;
        self->path_count++;
    }
    *out = *slot;
    return FIRN_OK;
}

// ---- In ----------------------------------------------------------------------------------------

static firn_status reserve(ice_position_list *self, uint64_t capacity, firn_error *err) {
    uint64_t *grown = ARENA_NEW(self->memory, uint64_t, capacity);
    if (grown == NULL) {
        return ARENA_FULL(self->memory, err);
    }
    if (self->count > 0) {
        memcpy(grown, self->positions, self->count * sizeof *grown);
    }
    self->positions = grown;
    self->capacity = capacity;
    return FIRN_OK;
}

firn_status ice_position_list_open(arena *memory, uint64_t expected, ice_position_list *out,
                                   firn_error *err) {
    *out = (ice_position_list){.memory = memory};
    const uint64_t most = expected < EXPECTED_MAX ? expected : EXPECTED_MAX;
    return reserve(out, most > CAPACITY_MIN ? most : CAPACITY_MIN, err);
}

// The piece that rows of the path go on with, or begin.
static firn_status piece_of(ice_position_list *self, ice_position_path *path,
                            ice_position_piece **out, firn_error *err) {
    *out = self->piece_count == 0 ? NULL : &self->pieces[self->piece_count - 1];
    if (*out != NULL && (*out)->path == path) {
        return FIRN_OK;
    }
    ice_position_piece *pieces = ARENA_GROW(self->memory, ice_position_piece, self->pieces,
                                            self->piece_count, 1, &self->piece_capacity);
    if (pieces == NULL) {
        return ARENA_FULL(self->memory, err);
    }
    self->pieces = pieces;
    *out = &pieces[self->piece_count++];
    **out = (ice_position_piece){.path = path};
    return FIRN_OK;
}

// Positions of one data file.
static firn_status add_run(ice_position_list *self, ice_position_path *path,
                           const int64_t *positions, uint32_t count, firn_error *err) {
    ice_position_piece *piece;
    TRY(piece_of(self, path, &piece, err));
    if (count > self->capacity - self->count) {
        TRY(reserve(self, (self->count + count) * 2, err));
    }
    uint64_t *out = self->positions + self->count;
    int64_t least = 0;
    bool is_sorted = piece->count == 0 || out[-1] <= (uint64_t)positions[0];
    for (uint32_t i = 0; i < count; i++) {
        least = positions[i] < least ? positions[i] : least;
        is_sorted &= i == 0 || positions[i - 1] <= positions[i];
        out[i] = (uint64_t)positions[i];
    }
    if (least < 0) {
        return FAIL(err, FIRN_CORRUPT, "position %lld is deleted", (long long)least);
    }
    path->is_sorted &= is_sorted;
    self->count += count;
    piece->count += count;
    path->count += count;
    return FIRN_OK;
}

static firn_status say_null(firn_error *err) {
    return FAIL(err, FIRN_CORRUPT, "a position delete has no path or no position");
}

// Paths of dictionary entries, each looked up once.
static firn_status add_by_code(ice_position_list *self, const batch *rows, const column *position,
                               arena *scratch, firn_error *err) {
    const column *path = &rows->columns[0];
    const uint32_t *codes = path->values;
    const string_value *entries = COLUMN_VALUES(path->dictionary->values, string_value);
    ice_position_path **known = ARENA_NEW(scratch, ice_position_path *, path->dictionary->size + 1);
    if (known == NULL) {
        return ARENA_FULL(scratch, err);
    }
    memset(known, 0, path->dictionary->size * sizeof *known);
    const bool is_plain = path->validity == NULL && position->validity == NULL &&
                          rows->selection == NULL && position->form == FORM_FLAT;
    for (uint32_t k = 0, count; k < rows->selected_count; k += count) {
        const uint32_t row = batch_row(rows, k);
        if ((path->validity != NULL && !bitmap_get(path->validity, row)) ||
            !column_row_is_valid(position, row)) {
            return say_null(err);
        }
        ice_position_path **of = &known[codes[row]];
        if (*of == NULL) {
            TRY(take_path(self, string_text(&entries[codes[row]]), of, err));
        }
        count = 1;
        while (is_plain && row + count < rows->selected_count && codes[row + count] == codes[row]) {
            count++;
        }
        const uint32_t lane = row & column_mask(position);
        TRY(add_run(self, *of, &COLUMN_VALUES(position, int64_t)[lane], count, err));
    }
    return FIRN_OK;
}

static firn_status add_by_text(ice_position_list *self, const batch *rows, const column *position,
                               arena *scratch, firn_error *err) {
    column path;
    TRY(column_flatten(scratch, &rows->columns[0], &path, err));
    ice_position_path *last = NULL;
    for (uint32_t k = 0; k < rows->selected_count; k++) {
        const uint32_t row = batch_row(rows, k);
        if (!column_row_is_valid(&path, row) || !column_row_is_valid(position, row)) {
            return say_null(err);
        }
        const text is = string_text(&COLUMN_VALUES(&path, string_value)[row & column_mask(&path)]);
        if (last == NULL || !text_equal(last->path, is)) {
            TRY(take_path(self, is, &last, err));
        }
        const uint32_t lane = row & column_mask(position);
        TRY(add_run(self, last, &COLUMN_VALUES(position, int64_t)[lane], 1, err));
    }
    return FIRN_OK;
}

firn_status ice_position_list_add(ice_position_list *self, const batch *rows, arena *scratch,
                                  firn_error *err) {
    const column *path = &rows->columns[0];
    column position;
    TRY(column_flatten(scratch, &rows->columns[1], &position, err));
    return path->form == FORM_DICTIONARY && path->dictionary->size <= rows->selected_count
               ? add_by_code(self, rows, &position, scratch, err)
               : add_by_text(self, rows, &position, scratch, err);
}

// ---- The end -----------------------------------------------------------------------------------

static int compare(const void *left, const void *right) {
    const uint64_t *l = left;
    const uint64_t *r = right;
    return (*l > *r) - (*l < *r);
}

// The pieces of a path one behind another.
static firn_status put_together(ice_position_list *self, firn_error *err) {
    uint64_t *moved = ARENA_NEW(self->memory, uint64_t, self->count + 1);
    if (moved == NULL) {
        return ARENA_FULL(self->memory, err);
    }
    uint64_t first = 0;
    for (uint32_t i = 0; i < self->slot_count; i++) {
        if (self->slots[i] != NULL) {
            self->slots[i]->first = first;
            first += self->slots[i]->count;
            self->slots[i]->count = 0; // Counted anew.
        }
    }
    uint64_t from = 0;
    for (uint32_t i = 0; i < self->piece_count; i++) {
        const ice_position_piece *piece = &self->pieces[i];
        ice_position_path *of = piece->path;
        uint64_t *to = moved + of->first + of->count;
        of->is_sorted &= of->count == 0 || to[-1] <= self->positions[from];
        memcpy(to, self->positions + from, piece->count * sizeof *to);
        of->count += piece->count;
        from += piece->count;
    }
    self->positions = moved;
    return FIRN_OK;
}

firn_status ice_position_list_finish(ice_position_list *self, firn_error *err) {
    if (self->piece_count > self->path_count) {
        TRY(put_together(self, err));
    } else {
        uint64_t first = 0;
        for (uint32_t i = 0; i < self->piece_count; i++) {
            self->pieces[i].path->first = first;
            first += self->pieces[i].count;
        }
    }
    for (uint32_t i = 0; i < self->slot_count; i++) {
        const ice_position_path *each = self->slots[i];
        if (each != NULL && !each->is_sorted) {
            qsort(self->positions + each->first, each->count, sizeof *self->positions, compare);
        }
    }
    return FIRN_OK;
}

ice_positions ice_position_list_find(const ice_position_list *self, text path) {
    const ice_position_path *found =
        self->slot_count == 0
            ? NULL
            : *slot_of(self->slots, self->slot_count, path, hash_bytes(path.data, path.size));
    return found == NULL
               ? (ice_positions){.count = 0}
               : (ice_positions){.count = found->count, .items = self->positions + found->first};
}
