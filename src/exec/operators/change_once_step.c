// ChangeOnce: hands rows on, and fails when a row id comes twice: a row of a table that a statement
// would change by several rows of its source, so that it hung on their order what becomes of it.
//
// Ids are remembered in blocks of neighbours: of a few by their places, of many as a bitmap. That
// is an eighth of a byte a row where many are changed, and some fifty bytes where they lie far
// apart. Blocks are shared out by hash, each part with a lock of its own.
#include "exec/operator.h"

#include <assert.h>

#include "base/hash.h"
#include "base/mutex.h"
#include "tables/row_change.h"

#define PARTS 16
#define MEMORY_MAX ((size_t)1 << 40) // The pool is what limits it.
#define BLOCK_BITS 12
#define BLOCK_ROWS (1U << BLOCK_BITS)
#define FEW_MIN 2
#define FEW_MAX 32 // Places of a block; more become a bitmap.
#define TABLE_MIN 64

typedef struct id_block {
    uint64_t number; // Of ids without their last bits.
    uint16_t count;  // Of `few`, as long as there is no bitmap.
    uint16_t capacity;
    bool is_bitmap;
    union {
        uint16_t *few;
        uint64_t *bits;
    }; // NULL: the place in the table is free.
} id_block;

typedef struct id_part {
    mutex lock;
    arena memory;
    uint32_t count, capacity; // A power of two.
    id_block *blocks;
} id_part;

typedef struct once_shared {
    const plan_node *node;
    uint32_t place; // Of the ids in the input.
    id_part parts[PARTS];
} once_shared;

static firn_status open_shared(const plan_node *node, const input_layout *input, execution *run,
                               void **shared, firn_error *err) {
    once_shared *self = ARENA_NEW(&run->memory, once_shared, 1);
    if (self == NULL) {
        return ARENA_FULL(&run->memory, err);
    }
    *self = (once_shared){.node = node, .place = input_layout_find(input, node->change_once_.id)};
    for (uint32_t i = 0; i < PARTS; i++) {
        mutex_begin(&self->parts[i].lock, MUTEX_OPERATOR);
        self->parts[i].memory = execution_arena(run, MEMORY_MAX);
    }
    *shared = self;
    return self->place == NO_PLACE ? FAIL(err, FIRN_INTERNAL, "a row id is made nowhere") : FIRN_OK;
}

static void give_memory(void *shared) {
    once_shared *self = shared;
    for (uint32_t i = 0; i < PARTS; i++) {
        arena_close(&self->parts[i].memory);
        self->parts[i].blocks = NULL;
    }
}

static void close_shared(void *shared) {
    once_shared *self = shared;
    if (self != NULL) {
        give_memory(self);
        for (uint32_t i = 0; i < PARTS; i++) {
            mutex_end(&self->parts[i].lock);
        }
    }
}

// ---- Ids ----------------------------------------------------------------------------------------

static id_block *find(id_block *blocks, uint32_t capacity, uint64_t number) {
    uint64_t at = hash_u64(number) / PARTS;
    for (;; at++) {
        id_block *block = &blocks[at & (capacity - 1)];
        if (block->few == NULL || block->number == number) {
            return block;
        }
    }
}

// At most half full.
static firn_status make_room(id_part *self, firn_error *err) {
    if (self->blocks != NULL && self->count < self->capacity / 2) {
        return FIRN_OK;
    }
    const uint32_t capacity = self->blocks == NULL ? TABLE_MIN : self->capacity * 2;
    id_block *blocks = ARENA_NEW(&self->memory, id_block, capacity);
    if (blocks == NULL || capacity == 0) {
        return ARENA_FULL(&self->memory, err);
    }
    memset(blocks, 0, capacity * sizeof *blocks);
    for (uint32_t i = 0; self->blocks != NULL && i < self->capacity; i++) {
        if (self->blocks[i].few != NULL) {
            *find(blocks, capacity, self->blocks[i].number) = self->blocks[i];
        }
    }
    self->blocks = blocks;
    self->capacity = capacity;
    return FIRN_OK;
}

static firn_status to_bitmap(id_part *self, id_block *block, firn_error *err) {
    uint64_t *bits = ARENA_NEW(&self->memory, uint64_t, BITMAP_WORDS(BLOCK_ROWS));
    if (bits == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    memset(bits, 0, BLOCK_ROWS / 8);
    for (uint32_t i = 0; i < block->count; i++) {
        bitmap_set(bits, block->few[i]);
    }
    block->bits = bits;
    block->is_bitmap = true;
    return FIRN_OK;
}

static firn_status grow(id_part *self, id_block *block, firn_error *err) {
    if (block->count == FEW_MAX) {
        return to_bitmap(self, block, err);
    }
    const uint16_t capacity = (uint16_t)(block->few == NULL ? FEW_MIN : block->capacity * 2);
    uint16_t *few = ARENA_NEW(&self->memory, uint16_t, capacity);
    if (few == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    if (block->few != NULL) {
        memcpy(few, block->few, block->count * sizeof *few);
    }
    block->few = few;
    block->capacity = capacity;
    return FIRN_OK;
}

static bool has(const id_block *block, uint16_t place) {
    if (block->is_bitmap) {
        return bitmap_get(block->bits, place);
    }
    for (uint32_t i = 0; i < block->count; i++) {
        if (block->few[i] == place) {
            return true;
        }
    }
    return false;
}

// Remembers an id; *is_new is false if it was there.
static firn_status add(id_part *self, uint64_t id, bool *is_new, firn_error *err) {
    const uint64_t number = id >> BLOCK_BITS;
    const uint16_t place = (uint16_t)(id & (BLOCK_ROWS - 1));
    TRY(make_room(self, err));
    id_block *block = find(self->blocks, self->capacity, number);
    *is_new = block->few == NULL || !has(block, place);
    if (!*is_new) {
        return FIRN_OK;
    }
    if (!block->is_bitmap && block->count == block->capacity) {
        self->count += block->few == NULL;
        block->number = number;
        TRY(grow(self, block, err));
    }
    if (block->is_bitmap) {
        bitmap_set(block->bits, place);
    } else {
        assert(block->few != NULL);
        block->few[block->count++] = place;
    }
    return FIRN_OK;
}

// ---- Rows ---------------------------------------------------------------------------------------

static firn_status refuse(const once_shared *self, firn_error *err) {
    const uint32_t position = self->node->position;
    const firn_status status =
        FAIL_SQL(err, FIRN_INVALID, "21000", position == UINT32_MAX ? NO_POSITION : position,
                 "several rows of the source would change one row of the table");
    err_hint(err, "let at most one of them match, by GROUP BY or a condition");
    return status;
}

static id_part *part_of(once_shared *self, uint64_t id) {
    return &self->parts[hash_u64(id >> BLOCK_BITS) % PARTS];
}

// From row `*at` on, all rows of one part: rows that lie together mostly are.
static firn_status take_run(once_shared *self, const column *ids, const batch *input, uint32_t *at,
                            bool *is_new, firn_error *err) {
    const uint64_t *values = COLUMN_VALUES(ids, uint64_t);
    id_part *part = part_of(self, values[batch_row(input, *at)]);
    firn_status status = FIRN_OK;
    mutex_lock(&part->lock);
    for (; *at < input->selected_count && status == FIRN_OK && *is_new; (*at)++) {
        const uint32_t row = batch_row(input, *at);
        const bool is_none = values[row] == ROW_ID_NONE || !column_row_is_valid(ids, row);
        if (!is_none && part_of(self, values[row]) != part) {
            break;
        }
        status = is_none ? FIRN_OK : add(part, values[row], is_new, err);
    }
    mutex_unlock(&part->lock);
    return status;
}

static firn_status push(op_call *call, const batch *input, batch *output, step_answer *out,
                        firn_error *err) {
    once_shared *self = call->shared;
    column ids;
    TRY(column_flatten(call->scratch, &input->columns[self->place], &ids, err));
    bool is_new = true;
    for (uint32_t i = 0; i < input->selected_count && is_new;) {
        TRY(take_run(self, &ids, input, &i, &is_new, err));
    }
    if (!is_new) {
        return refuse(self, err);
    }
    const batch_sequence sequence = output->sequence;
    *output = *input;
    output->sequence = sequence;
    *out = STEP_NEXT;
    return FIRN_OK;
}

const operator_kind operator_change_once_step = {
    .name = "ChangeOnce",
    .keeps_order = true,
    .takes_forms = true,
    .open = open_shared,
    .push = push,
    .release = give_memory,
    .close = close_shared,
};
