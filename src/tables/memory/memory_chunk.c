// Chunks: a batch copied into one block, and batches joined into one chunk.
//
// A copy is made twice: into scratch memory, where column_copy leaves what it needs on the way, and
// from there, packed, into a block of the size that was measured. Numbers skip the first step.
#include "tables/memory/memory_chunk.h"

#include <assert.h>

#include "base/host.h"
#include "memory/pool.h"

// ---- Packing ------------------------------------------------------------------------------------

#define ALIGNMENT ((size_t)16)
#define LINE ((size_t)64) // As arenas do: what is larger begins at a cache line.
#define LINE_FROM ((size_t)256)

// A block that is filled; without `base` it is only measured.
typedef struct packing {
    uint8_t *base;
    size_t used;
} packing;

// The next `size` bytes; NULL while it is measured.
static void *place(packing *self, size_t size) {
    const size_t step = size < LINE_FROM ? ALIGNMENT : LINE;
    const size_t from = (self->used + step - 1) / step * step;
    self->used = from + size;
    return self->base == NULL ? NULL : self->base + from;
}

static void *put(packing *self, const void *bytes, size_t size) {
    void *to = place(self, size);
    if (to != NULL && size > 0) {
        memcpy(to, bytes, size);
    }
    return to;
}

// The bytes that long texts of a column lie in, which are one run of memory after column_copy.
static void find_texts(const column *self, const char **from, const char **to) {
    const string_value *values = COLUMN_VALUES(self, string_value);
    *from = NULL;
    *to = NULL;
    for (uint32_t i = 0; i < self->length; i++) {
        if (!string_is_inline(&values[i])) {
            const char *data = values[i].data;
            *from = *from == NULL || data < *from ? data : *from;
            *to = *to == NULL || data + values[i].size > *to ? data + values[i].size : *to;
        }
    }
}

static void pack_texts(packing *self, const column *from, string_value *values) {
    const char *first;
    const char *end;
    find_texts(from, &first, &end);
    const char *copies = put(self, first, first == NULL ? 0 : (size_t)(end - first));
    for (uint32_t i = 0; values != NULL && i < from->length; i++) {
        if (!string_is_inline(&values[i])) {
            values[i].data = copies + (values[i].data - first);
        }
    }
}

// NOLINTNEXTLINE(misc-no-recursion): as deep as the type.
static void pack_column(packing *self, const column *from, const type *own, column *out) {
    assert(from->form == FORM_FLAT || own->id == TYPE_NULL);
    const uint32_t length = from->length;
    const physical kind = type_physical(own);
    column made = {.type = own, .form = from->form, .length = length};
    if (kind == PHYSICAL_NONE) { // A constant, all of whose rows are NULL.
        const uint64_t none[2] = {0};
        made.form = FORM_CONSTANT;
        made.values = put(self, none, sizeof none);
        made.validity = made.values;
    } else if (from->validity != NULL) {
        made.validity = put(self, from->validity, BITMAP_WORDS(length) * sizeof(uint64_t));
    }
    if (kind == PHYSICAL_BIT) {
        made.values = put(self, from->values, BITMAP_WORDS(length) * sizeof(uint64_t));
    } else if (kind != PHYSICAL_NONE && kind != PHYSICAL_STRUCT) {
        made.values = put(self, from->values, (size_t)length * physical_size(kind));
    }
    if (kind == PHYSICAL_STRING) {
        pack_texts(self, from, COLUMN_OUT(&made, string_value));
    }
    if (own->child_count > 0) {
        column *children = place(self, own->child_count * sizeof *children);
        for (uint32_t i = 0; i < own->child_count; i++) {
            pack_column(self, &from->children[i], own->children[i].type,
                        children == NULL ? NULL : &children[i]);
        }
        made.children = children;
    }
    if (out != NULL) {
        *out = made;
    }
}

static void pack(packing *self, const chunk_home *home, const batch *rows) {
    chunk *made = place(self, sizeof *made);
    column *columns = place(self, rows->column_count * sizeof *columns);
    for (uint32_t i = 0; i < rows->column_count; i++) {
        pack_column(self, &rows->columns[i], home->columns->fields[i].type,
                    columns == NULL ? NULL : &columns[i]);
    }
    if (made != NULL) {
        *made = (chunk){.pool = home->pool,
                        .rows = batch_of(columns, rows->column_count, rows->row_count)};
        made->rows.sequence = rows->sequence;
        atomic_init(&made->references, 1);
    }
}

static firn_status refuse(const chunk_home *home, size_t size, firn_error *err) {
    pool_report report;
    pool_describe(home->pool, &report);
    err_set(err, FIRN_NO_MEMORY,
            "no memory for %zu bytes of rows in the table \"%.*s\": of memory_limit %llu, %llu are "
            "in use, %llu of them by tables in memory",
            size, TEXT_ARGS(home->table), (unsigned long long)report.limit,
            (unsigned long long)report.used, (unsigned long long)pool_used(home->pool));
    err_hint(err, "raise memory_limit, or drop tables in memory that are no longer needed");
    return FIRN_NO_MEMORY;
}

static firn_status take_block(const chunk_home *home, size_t size, void **out, size_t *capacity,
                              firn_error *err) {
    *out = pool_block_take(home->pool, size, capacity);
    if (*out == NULL) {
        *out = pool_block_take_urgent(home->pool, size, capacity);
    }
    return *out == NULL ? refuse(home, size, err) : FIRN_OK;
}

// A chunk of flat columns without anything between their values.
static firn_status pack_batch(const chunk_home *home, const batch *rows, chunk **out,
                              firn_error *err) {
    packing measured = {0};
    size_t capacity;
    void *block;
    pack(&measured, home, rows);
    TRY(take_block(home, measured.used, &block, &capacity, err));
    packing filled = {.base = block};
    pack(&filled, home, rows);
    assert(filled.used == measured.used);
    *out = block;
    (*out)->capacity = capacity;
    return FIRN_OK;
}

// ---- Making -------------------------------------------------------------------------------------

// Texts, lists and structs point to what is not theirs alone; other values are what they are.
static bool is_plain(const type *self) {
    const physical kind = type_physical(self);
    return kind != PHYSICAL_STRING && kind != PHYSICAL_LIST && kind != PHYSICAL_STRUCT;
}

firn_status chunk_make(const chunk_home *home, arena *scratch, const batch *rows, chunk **out,
                       firn_error *err) {
    batch compact;
    TRY(batch_compact(scratch, rows, &compact, err));
    column *columns = ARENA_NEW(scratch, column, compact.column_count + 1);
    if (columns == NULL) {
        return ARENA_FULL(scratch, err);
    }
    for (uint32_t i = 0; i < compact.column_count; i++) {
        const column *from = &compact.columns[i];
        TRY(is_plain(from->type) ? column_flatten(scratch, from, &columns[i], err)
                                 : column_copy(scratch, from, &columns[i], err));
    }
    compact.columns = columns;
    return pack_batch(home, &compact, out, err);
}

// Validity of all parts, one behind the other.
static firn_status join_validity(arena *scratch, const batch *const *parts, uint32_t count,
                                 uint32_t number, column *out, firn_error *err) {
    uint32_t at = 0;
    for (uint32_t i = 0; i < count; i++) {
        const column *part = &parts[i]->columns[number];
        for (uint32_t row = 0; part->validity != NULL && row < part->length; row++) {
            if (!bitmap_get(part->validity, row) && !column_set_null(scratch, out, at + row)) {
                return ARENA_FULL(scratch, err);
            }
        }
        at += part->length;
    }
    return FIRN_OK;
}

// Values of one width, which may point to what the parts keep.
static firn_status join_values(arena *scratch, const batch *const *parts, uint32_t count,
                               uint32_t number, column *out, firn_error *err) {
    const uint32_t width = physical_size(type_physical(out->type));
    TRY(column_new_unset(scratch, out->type, out->length, out, err));
    uint8_t *to = COLUMN_OUT(out, uint8_t);
    for (uint32_t i = 0; i < count; i++) {
        const column *part = &parts[i]->columns[number];
        const size_t size = (size_t)part->length * width;
        if (size > 0) {
            memcpy(to, part->values, size);
            to += size;
        }
    }
    return join_validity(scratch, parts, count, number, out, err);
}

// Bits, lists and structs, row by row.
static firn_status join_rows(arena *scratch, const batch *const *parts, uint32_t count,
                             uint32_t number, column *out, firn_error *err) {
    const column **sources = ARENA_NEW(scratch, const column *, (size_t)out->length + 1);
    uint32_t *rows = ARENA_NEW(scratch, uint32_t, (size_t)out->length + 1);
    if (sources == NULL || rows == NULL) {
        return ARENA_FULL(scratch, err);
    }
    uint32_t at = 0;
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t row = 0; row < parts[i]->row_count; row++) {
            sources[at] = &parts[i]->columns[number];
            rows[at++] = row;
        }
    }
    const gathered_rows from = {.sources = sources, .rows = rows, .count = at};
    return column_gather(scratch, out->type, &from, out, err);
}

firn_status chunk_join(const chunk_home *home, arena *scratch, const batch *const *parts,
                       uint32_t count, chunk **out, firn_error *err) {
    uint32_t row_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        row_count += parts[i]->row_count;
    }
    assert(row_count <= BATCH_ROWS);
    const uint32_t width = parts[0]->column_count;
    column *columns = ARENA_NEW(scratch, column, width + 1);
    if (columns == NULL) {
        return ARENA_FULL(scratch, err);
    }
    for (uint32_t i = 0; i < width; i++) {
        columns[i] = (column){.type = parts[0]->columns[i].type, .length = row_count};
        const physical kind = type_physical(columns[i].type);
        const bool by_row = kind == PHYSICAL_NONE || kind == PHYSICAL_BIT ||
                            kind == PHYSICAL_LIST || kind == PHYSICAL_STRUCT;
        TRY(by_row ? join_rows(scratch, parts, count, i, &columns[i], err)
                   : join_values(scratch, parts, count, i, &columns[i], err));
    }
    batch joined = batch_of(columns, width, row_count);
    joined.sequence = parts[0]->sequence;
    return chunk_make(home, scratch, &joined, out, err);
}

firn_status chunk_cut(const chunk_home *home, chunk *from, const uint16_t *selection,
                      uint32_t count, chunk **out, firn_error *err) {
    size_t capacity;
    void *block;
    const size_t size = (size_t)count * sizeof *selection;
    TRY(take_block(home, sizeof(chunk) + size, &block, &capacity, err));
    chunk *made = block;
    chunk *whole = from->whole == NULL ? from : from->whole;
    *made = (chunk){.pool = home->pool,
                    .capacity = capacity,
                    .rows = from->rows,
                    .number = from->number,
                    .whole = chunk_retain(whole)};
    memcpy(made + 1, selection, size);
    made->rows.selection = (const uint16_t *)(made + 1);
    made->rows.selected_count = count;
    atomic_init(&made->references, 1);
    *out = made;
    return FIRN_OK;
}

chunk *chunk_retain(chunk *self) {
    (void)atomic_fetch_add_explicit(&self->references, 1, memory_order_relaxed);
    return self;
}

void chunk_release(chunk *self) {
    if (self != NULL &&
        atomic_fetch_sub_explicit(&self->references, 1, memory_order_acq_rel) == 1) {
        chunk *whole = self->whole;
        pool_block_give(self->pool, self, self->capacity);
        if (whole != NULL) { // Which has none itself.
            chunk_release(whole);
        }
    }
}
