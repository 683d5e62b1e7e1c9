// The part of pw_chunk.c that parts what comes in into what goes to a page at once.
#include <assert.h>
#include <string.h>

#include "base/checked.h"
#include "formats/parquet/write/pw_chunk_private.h"

#define PIECE_ENTRIES 1024 // Go to a page at once.

// ---- Values ------------------------------------------------------------------------------------

static firn_status open_source(pw_chunk *self, const column *coded, firn_error *err) {
    pw_source *source = &self->source;
    const dictionary *entries = coded->dictionary;
    if (source->identity != entries->identity) {
        arena_reset(&source->memory);
        source->identity = 0;
        source->stored = NULL;
        source->map = ARENA_NEW(&source->memory, uint32_t, (size_t)entries->size + 1);
        if (source->map == NULL) {
            return ARENA_FULL(&source->memory, err);
        }
        memset(source->map, 0xff, entries->size * sizeof *source->map); // PW_NO_CODE
    }
    if (source->stored != entries->values->values) { // A copy of the same dictionary elsewhere.
        source->identity = 0;
        TRY(pw_store(self->leaf, entries->values, NULL, entries->size, &source->memory,
                     &source->entries, err));
        source->stored = entries->values->values;
    }
    source->identity = entries->identity;
    return FIRN_OK;
}

// Floats are counted by occurrence (NaN), and an interval in the dictionary that no row has may be
// one that Parquet has no form for: both are taken value by value.
static bool may_translate(const pw_chunk *self, const column *values) {
    const pq_order order = pq_order_of(self->leaf);
    return values->form == FORM_DICTIONARY && self->page.is_coded && order != PQ_ORDER_FLOAT &&
           order != PQ_ORDER_FLOAT16 && order != PQ_ORDER_NONE;
}

firn_status pw_chunk_prepare(pw_chunk *self, const pw_entries *entries, pw_worker *with,
                             pw_put_values *out, firn_error *err) {
    const column *values = entries->values;
    column flat;
    *out = (pw_put_values){0};
    if (may_translate(self, values)) {
        firn_error refused = ERR_INIT;
        const firn_status status = open_source(self, values, &refused);
        if (status == FIRN_OK) {
            out->is_source = true;
            out->values = self->source.entries;
            out->indexes = ARENA_NEW(&with->scratch, uint32_t, (size_t)entries->value_count + 1);
            if (out->indexes == NULL) {
                return ARENA_FULL(&with->scratch, err);
            }
            const uint32_t *codes = values->values;
            for (uint32_t i = 0; i < entries->value_count; i++) {
                out->indexes[i] = codes[entries->rows == NULL ? i : entries->rows[i]];
            }
            return FIRN_OK;
        }
        if (status != FIRN_INVALID) { // Else an entry is refused, perhaps one that no row has.
            *err = refused;
            return status;
        }
    }
    if (values->form == FORM_DICTIONARY || values->form == FORM_RUNS) {
        TRY(column_flatten(&with->scratch, values, &flat, err));
        values = &flat;
    }
    return pw_store(self->leaf, values, entries->rows, entries->value_count, &with->scratch,
                    &out->values, err);
}

// The source's entries that indexes name.
static firn_status gather(const pw_put_values *all, uint32_t from, uint32_t count, arena *scratch,
                          pw_values *out, firn_error *err) {
    const size_t size = pw_values_size(all->values.type, all->values.width);
    uint8_t *copies = ARENA_NEW(scratch, uint8_t, size *((size_t)count + 1));
    if (copies == NULL) {
        return ARENA_FULL(scratch, err);
    }
    const uint8_t *entries = all->values.data;
    for (uint32_t i = 0; i < count; i++) {
        memcpy(copies + i * size, entries + all->indexes[from + i] * size, size);
    }
    out->data = copies;
    return FIRN_OK;
}

firn_status pw_chunk_slice(const pw_put_values *all, uint32_t from, uint32_t count, arena *scratch,
                           pw_values *out, firn_error *err) {
    const pw_values *values = &all->values;
    *out = *values;
    out->count = count;
    if (all->is_source) {
        return gather(all, from, count, scratch, out, err);
    }
    if (values->type != PQ_BOOLEAN) {
        out->data = count == 0 ? values->data
                               : (const uint8_t *)values->data +
                                     (size_t)from * pw_values_size(values->type, values->width);
        return FIRN_OK;
    }
    uint64_t *bits = ARENA_NEW(scratch, uint64_t, BITMAP_WORDS(count) + 1);
    if (bits == NULL) {
        return ARENA_FULL(scratch, err);
    }
    bitmap_copy(values->bits, from, count, bits);
    out->bits = bits;
    return FIRN_OK;
}

// ---- Pieces ------------------------------------------------------------------------------------

static bool is_value(const pw_chunk *self, const pw_entries *entries, uint32_t entry) {
    return entries->definitions == NULL ||
           entries->definitions[entry] == self->leaf->definition_max;
}

// How many of the next values a page that is not coded takes: the last one fills it.
static uint32_t values_until_full(const pw_chunk *self, const pw_put_values *all, uint32_t value,
                                  uint32_t count) {
    const pw_values *values = &all->values;
    const uint64_t left = self->options->page_bytes - self->page.plain_bytes;
    if (values->type == PQ_BOOLEAN) {
        return count;
    }
    if (values->type != PQ_BYTE_ARRAY) {
        const uint64_t size = pw_values_size(values->type, values->width);
        assert(size > 0);
        const uint64_t fit = (left + size - 1) / size;
        return fit < count ? (uint32_t)fit : count;
    }
    uint64_t size = 0;
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t at = all->is_source ? all->indexes[value + i] : value + i;
        size += sizeof(uint32_t) + (uint64_t)values->strings[at].size;
        if (size >= left) {
            return i + 1;
        }
    }
    return count;
}

// The first rows of a piece, so that it has at most so many values, or one row.
static void cut_piece(const pw_chunk *self, pw_entries *piece, uint32_t values_max) {
    uint32_t rows = 0;
    uint32_t values = 0;
    uint32_t at = 0;
    while (at < piece->entry_count) {
        uint32_t more = 0;
        uint32_t end = at;
        do {
            more += is_value(self, piece, end);
            end++;
        } while (piece->repetitions != NULL && end < piece->entry_count &&
                 piece->repetitions[end] > 0);
        if (rows > 0 && values + more > values_max) {
            break;
        }
        rows++;
        values += more;
        at = end;
    }
    piece->row_count = rows;
    piece->entry_count = at;
    piece->value_count = values;
}

pw_entries pw_chunk_next_piece(const pw_chunk *self, const pw_entries *all,
                               const pw_put_values *values, pw_place at) {
    pw_entries out = *all;
    out.row_count =
        min_u32(all->row_count - at.row, self->options->page_rows - self->page.row_count);
    out.row_count = min_u32(out.row_count, PIECE_ENTRIES);
    out.entry_count = out.row_count;
    if (all->repetitions != NULL) {
        uint32_t rows = 0;
        uint32_t end = at.entry;
        while (end < all->entry_count && rows < out.row_count &&
               (rows == 0 || end - at.entry < PIECE_ENTRIES)) {
            for (end++; end < all->entry_count && all->repetitions[end] > 0; end++) {
            }
            rows++;
        }
        out.row_count = rows;
        out.entry_count = end - at.entry;
        out.repetitions = all->repetitions + at.entry;
    }
    out.value_count = out.entry_count;
    if (all->definitions != NULL) {
        out.definitions = all->definitions + at.entry;
        out.value_count = 0;
        for (uint32_t i = 0; i < out.entry_count; i++) {
            out.value_count += out.definitions[i] == self->leaf->definition_max;
        }
    }
    if (!self->page.is_coded) {
        const uint32_t most = values_until_full(self, values, at.value, out.value_count);
        if (most < out.value_count) {
            cut_piece(self, &out, most);
        }
    }
    return out;
}
