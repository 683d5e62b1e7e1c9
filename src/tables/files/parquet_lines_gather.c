// Fan-out: the rows of a worker's pushes are kept until they are many, then parted.
//
//     numbers    each row's partition, found while the rows come: few keys are made of a batch, the
//                others are equal to one of those
//     positions  counts of each partition say where its rows begin; so the order stays within each
//     values     go from where they were copied to their positions, column by column
#include "base/hash.h"
#include "kernels/hash_column.h"
#include "tables/files/parquet_lines_private.h"

#define GATHERED_ROWS UINT32_C(65536)
#define GATHERED_SHARE 8 // Of what waits at most, for the rows of a worker.

// ---- Which partition ---------------------------------------------------------------------------

typedef struct numbering {
    parquet_lines *owner;
    const batch *rows;
    const column *values;
    uint32_t value_count;
    uint64_t *hashes;
    uint32_t *numbers;
    uint32_t *slots; // By hash: one more than a row of each partition; 0: free.
    uint32_t mask;
    arena *scratch;
} numbering;

static firn_status number_of_key(const numbering *self, uint32_t k, firn_error *err) {
    parquet_lines *owner = self->owner;
    text key;
    TRY(owner->user->key(owner->of_user, self->values, batch_row(self->rows, k), self->scratch,
                         &key, err));
    mutex_lock(&owner->lock);
    const firn_status status = lines_find_place(owner, key, &self->numbers[k], err);
    mutex_unlock(&owner->lock);
    return status;
}

static firn_status number_row(const numbering *self, uint32_t k, firn_error *err) {
    uint32_t slot = (uint32_t)self->hashes[k] & self->mask;
    while (self->slots[slot] > 0) {
        const uint32_t other = self->slots[slot] - 1;
        if (self->hashes[other] == self->hashes[k] &&
            parquet_lines_is_same(self->values, self->value_count, batch_row(self->rows, other),
                                  batch_row(self->rows, k))) {
            self->numbers[k] = self->numbers[other];
            return FIRN_OK;
        }
        slot = (slot + 1) & self->mask;
    }
    self->slots[slot] = k + 1;
    return number_of_key(self, k, err);
}

static firn_status number_rows(parquet_lines *owner, const batch *rows, arena *scratch,
                               uint32_t *numbers, firn_error *err) {
    const uint32_t count = rows->selected_count;
    numbering self = {.owner = owner,
                      .rows = rows,
                      .hashes = ARENA_NEW(scratch, uint64_t, count),
                      .numbers = numbers,
                      .mask = 1,
                      .scratch = scratch};
    while (self.mask < count * 2) {
        self.mask = self.mask * 2 + 1;
    }
    self.slots = ARENA_NEW(scratch, uint32_t, (size_t)self.mask + 1);
    if (self.hashes == NULL || self.slots == NULL) {
        return ARENA_FULL(scratch, err);
    }
    memset(self.slots, 0, ((size_t)self.mask + 1) * sizeof *self.slots);
    TRY(owner->user->values(owner->of_user, rows, scratch, &self.values, &self.value_count, err));
    for (uint32_t i = 0; i < self.value_count; i++) {
        if (!hash_column(&self.values[i], rows->selection, count, i > 0, scratch, self.hashes)) {
            return ARENA_FULL(scratch, err);
        }
    }
    for (uint32_t k = 0; k < count; k++) {
        TRY(number_row(&self, k, err));
    }
    return FIRN_OK;
}

// ---- Gathering ---------------------------------------------------------------------------------

// Bytes of flat values that lie together.
static uint64_t bytes_of(const column *self) {
    uint64_t bytes = column_values_size(self);
    if (type_physical(self->type) == PHYSICAL_STRING) {
        const string_value *values = COLUMN_VALUES(self, string_value);
        for (uint32_t i = 0; i < self->length; i++) {
            bytes += string_is_inline(&values[i]) ? 0 : values[i].size;
        }
    }
    for (uint32_t i = 0; i < self->type->child_count; i++) {
        bytes += bytes_of(&self->children[i]);
    }
    return bytes;
}

static firn_status copy_piece(parquet_lines_worker *self, const batch *compact,
                              gathered_piece *piece, firn_error *err) {
    gathering_rows *to = &self->gathered;
    column *columns = ARENA_NEW(&to->plain, column, (size_t)compact->column_count + 1);
    if (columns == NULL) {
        return ARENA_FULL(&to->plain, err);
    }
    for (uint32_t i = 0; i < compact->column_count; i++) {
        const column *from = &compact->columns[i];
        if (from->type->id == TYPE_NULL) {
            TRY(column_new_null(&to->plain, from->type, from->length, &columns[i], err));
            continue;
        }
        column flat;
        TRY(column_flatten(&self->with.scratch, from, &flat, err));
        arena *memory = type_has_any_length(from->type) ? &to->texts : &to->plain;
        TRY(column_copy(memory, &flat, &columns[i], err));
        to->bytes += bytes_of(&columns[i]);
    }
    piece->columns = columns;
    piece->row_count = compact->row_count;
    return FIRN_OK;
}

bool lines_can_gather(const parquet_lines_worker *self, const batch *rows) {
    const gathering_rows *gathered = &self->gathered;
    return gathered->row_count == 0 ||
           (gathered->row_count + rows->selected_count <= GATHERED_ROWS &&
            gathered->bytes < lines_queue_bytes(self->owner) / GATHERED_SHARE);
}

firn_status lines_gather(parquet_lines_worker *self, const batch *rows, firn_error *err) {
    gathering_rows *to = &self->gathered;
    arena *scratch = &self->with.scratch;
    const arena_mark mark = arena_mark_take(scratch);
    gathered_piece *piece = ARENA_NEW(&to->plain, gathered_piece, 1);
    uint32_t *numbers = ARENA_NEW(&to->plain, uint32_t, rows->selected_count);
    if (piece == NULL || numbers == NULL) {
        return ARENA_FULL(&to->plain, err);
    }
    *piece = (gathered_piece){.positions = numbers};
    TRY(number_rows(self->owner, rows, scratch, numbers, err));
    const batch whole = lines_file_columns(self, rows);
    batch compact;
    TRY(batch_compact(scratch, &whole, &compact, err));
    TRY(copy_piece(self, &compact, piece, err));
    *(to->last == NULL ? &to->first : &to->last->following) = piece;
    to->last = piece;
    to->row_count += piece->row_count;
    arena_rewind(scratch, mark);
    return FIRN_OK;
}

void lines_close_gathered(parquet_lines_worker *self) {
    arena_close(&self->gathered.plain);
    arena_close(&self->gathered.texts);
}

// ---- By partition ------------------------------------------------------------------------------

// How many partitions were met so far, those of the gathered rows among them.
static uint32_t count_places(parquet_lines *self) {
    mutex_lock(&self->lock);
    const uint32_t count = self->keys.count;
    mutex_unlock(&self->lock);
    return count;
}

static void name_runs(parquet_lines *self, const uint32_t *counts, staged *made) {
    uint32_t end = 0;
    mutex_lock(&self->lock);
    for (uint32_t number = 0; end < made->rows.row_count; number++) {
        if (counts[number] > 0) {
            end += counts[number];
            made->runs.ends[made->runs.count] = end;
            made->runs.partitions[made->runs.count] = self->keys.entries[number].name;
            made->places[made->runs.count] = self->places[number];
            made->runs.count++;
        }
    }
    mutex_unlock(&self->lock);
}

// Makes the runs, and positions of the numbers of partitions.
static firn_status part_rows(parquet_lines_worker *self, staged *made, firn_error *err) {
    arena *scratch = &self->with.scratch;
    const uint32_t most = count_places(self->owner);
    uint32_t *counts = ARENA_NEW(scratch, uint32_t, (size_t)most + 1);
    if (counts == NULL) {
        return ARENA_FULL(scratch, err);
    }
    memset(counts, 0, most * sizeof *counts);
    for (const gathered_piece *each = self->gathered.first; each != NULL; each = each->following) {
        for (uint32_t i = 0; i < each->row_count; i++) {
            counts[each->positions[i]]++;
        }
    }
    uint32_t run_count = 0;
    for (uint32_t i = 0; i < most; i++) {
        run_count += counts[i] > 0;
    }
    made->runs.ends = ARENA_NEW(&made->memory, uint32_t, run_count);
    made->runs.partitions = ARENA_NEW(&made->memory, text, run_count);
    made->places = ARENA_NEW(&made->memory, place *, run_count);
    if (made->runs.ends == NULL || made->runs.partitions == NULL || made->places == NULL) {
        return ARENA_FULL(&made->memory, err);
    }
    name_runs(self->owner, counts, made);
    uint32_t begin = 0;
    for (uint32_t i = 0; i < most; i++) {
        const uint32_t count = counts[i];
        counts[i] = begin;
        begin += count;
    }
    for (gathered_piece *each = self->gathered.first; each != NULL; each = each->following) {
        for (uint32_t i = 0; i < each->row_count; i++) {
            each->positions[i] = counts[each->positions[i]]++;
        }
    }
    return FIRN_OK;
}

#define SCATTER(width)                                                                             \
    for (uint32_t i = 0; i < count; i++) {                                                         \
        memcpy(out + (size_t)positions[i] * (width), in + (size_t)i * (width), width);             \
    }

static void scatter(const uint8_t *in, uint32_t width, const uint32_t *positions, uint32_t count,
                    uint8_t *out) {
    switch (width) {
    case 1:
        SCATTER(1)
        break;
    case 2:
        SCATTER(2)
        break;
    case 4:
        SCATTER(4)
        break;
    case 8:
        SCATTER(8)
        break;
    case 16:
        SCATTER(16)
        break;
    default:
        SCATTER(width)
    }
}

static firn_status scatter_validity(const gathered_piece *piece, const column *from, arena *memory,
                                    column *out, firn_error *err) {
    if (from->validity == NULL) {
        return FIRN_OK;
    }
    uint64_t *bits = column_validity_out(memory, out);
    if (bits == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t i = 0; i < piece->row_count; i++) {
        bitmap_put(bits, piece->positions[i], bitmap_get(from->validity, i));
    }
    return FIRN_OK;
}

static firn_status scatter_column(const gathering_rows *from, uint32_t index, arena *memory,
                                  column *out, firn_error *err) {
    const type *type = from->first->columns[index].type;
    const physical kind = type_physical(type);
    TRY(column_new(memory, type, from->row_count, out, err));
    for (const gathered_piece *each = from->first; each != NULL; each = each->following) {
        const column *piece = &each->columns[index];
        if (kind == PHYSICAL_BIT) {
            for (uint32_t i = 0; i < each->row_count; i++) {
                bitmap_put(COLUMN_OUT(out, uint64_t), each->positions[i],
                           bitmap_get(piece->values, i));
            }
        } else {
            scatter(piece->values, physical_size(kind), each->positions, each->row_count,
                    COLUMN_OUT(out, uint8_t));
        }
        TRY(scatter_validity(each, piece, memory, out, err));
    }
    return FIRN_OK;
}

// Lists have elements in each piece, and structs anything.
static firn_status gather_column(const gathering_rows *from, uint32_t index, arena *memory,
                                 arena *scratch, column *out, firn_error *err) {
    const column **sources = ARENA_NEW(scratch, const column *, from->row_count);
    uint32_t *rows = ARENA_NEW(scratch, uint32_t, from->row_count);
    if (sources == NULL || rows == NULL) {
        return ARENA_FULL(scratch, err);
    }
    for (const gathered_piece *each = from->first; each != NULL; each = each->following) {
        for (uint32_t i = 0; i < each->row_count; i++) {
            sources[each->positions[i]] = &each->columns[index];
            rows[each->positions[i]] = i;
        }
    }
    const gathered_rows all = {.sources = sources, .rows = rows, .count = from->row_count};
    return column_gather(memory, from->first->columns[index].type, &all, out, err);
}

static firn_status fill_gathered(parquet_lines_worker *self, staged *made, firn_error *err) {
    const gathering_rows *from = &self->gathered;
    arena *memory = &made->memory;
    arena *scratch = &self->with.scratch;
    const uint32_t width = self->owner->width;
    column *columns = ARENA_NEW(memory, column, (size_t)width + 1);
    if (columns == NULL) {
        return ARENA_FULL(memory, err);
    }
    made->rows = batch_of(columns, width, from->row_count);
    TRY(part_rows(self, made, err));
    for (uint32_t i = 0; i < width; i++) {
        const type *type = from->first->columns[i].type;
        if (type->id == TYPE_NULL) {
            TRY(column_new_null(memory, type, from->row_count, &columns[i], err));
        } else if (type_is_nested(type)) {
            TRY(gather_column(from, i, memory, scratch, &columns[i], err));
        } else {
            TRY(scatter_column(from, i, memory, &columns[i], err));
        }
    }
    return FIRN_OK;
}

firn_status lines_stage_gathered(parquet_lines_worker *self, staged **out, firn_error *err) {
    gathering_rows *from = &self->gathered;
    arena *scratch = &self->with.scratch;
    const arena_mark mark = arena_mark_take(scratch);
    staged *made = ARENA_NEW(&from->texts, staged, 1);
    if (made == NULL) {
        return ARENA_FULL(&from->texts, err);
    }
    *made = (staged){.memory = from->texts, .use_count = 1};
    from->texts = lines_take_spare(self->owner);
    const firn_status status = fill_gathered(self, made, err);
    if (status != FIRN_OK) {
        arena failed = made->memory;
        arena_close(&failed);
        return status;
    }
    made->bytes = made->memory.used;
    arena_reset(&from->plain);
    from->first = NULL;
    from->last = NULL;
    from->row_count = 0;
    from->bytes = 0;
    arena_rewind(scratch, mark);
    *out = made;
    return FIRN_OK;
}
