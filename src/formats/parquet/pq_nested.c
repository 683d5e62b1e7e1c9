#include "formats/parquet/pq_nested.h"

#include <assert.h>
#include <string.h>

#include "formats/parquet/pq_spread.h"

typedef struct nesting {
    pq_leaf_reader *const *readers;
    arena *scratch;
} nesting;

static pq_entries entries_of(const nesting *self, const pq_pick *pick) {
    const pq_gathered *gathered = &self->readers[pick->reader]->gathered;
    return (pq_entries){.repetition = gathered->repetition,
                        .definition = gathered->definition,
                        .count = gathered->count};
}

static firn_status check_slots(const pq_pick *pick, uint32_t count, uint32_t expected,
                               firn_error *err) {
    if (count != expected) {
        return FAIL(err, FIRN_CORRUPT, "\"%.*s\" has %u values where its neighbours have %u",
                    TEXT_ARGS(pick->node->name), count, expected);
    }
    return FIRN_OK;
}

// The validity of the pick's slots; NULL if all are there.
static firn_status find_validity(const nesting *self, const pq_pick *pick, pq_slots slots,
                                 uint32_t expected, column *out, firn_error *err) {
    const pq_entries entries = entries_of(self, pick);
    uint64_t *bits = ARENA_NEW(self->scratch, uint64_t, BITMAP_WORDS(entries.count) + 1);
    if (bits == NULL) {
        return ARENA_FULL(self->scratch, err);
    }
    uint32_t valid_count;
    const uint32_t count =
        pq_nest()->validity(&entries, slots, pick->node->definition, bits, &valid_count);
    out->validity = valid_count == count ? NULL : bits;
    return check_slots(pick, count, expected, err);
}

static firn_status make_leaf(const nesting *self, const pq_pick *pick, column *out,
                             firn_error *err) {
    const pq_gathered *gathered = &self->readers[pick->reader]->gathered;
    if (pick->type->id == TYPE_NULL) {
        column nulls;
        TRY(column_new_null(self->scratch, pick->type, out->length, &nulls, err));
        return column_flatten(self->scratch, &nulls, out, err);
    }
    if (out->validity == NULL) {
        assert(gathered->value_count == out->length);
        out->values = gathered->values;
        return FIRN_OK;
    }
    const bool is_bits = pick->target.leaf->type == PQ_BOOLEAN;
    const size_t size = pick->target.conversion.size;
    const size_t room = is_bits ? (BITMAP_WORDS(out->length) + 1) * sizeof(uint64_t)
                                : ((size_t)out->length + PQ_UNPACK_SPARE) * size;
    uint8_t *values = ARENA_NEW(self->scratch, uint8_t, room + PQ_PAD);
    if (values == NULL) {
        return ARENA_FULL(self->scratch, err);
    }
    const size_t used = is_bits ? BITMAP_WORDS(gathered->value_count) * sizeof(uint64_t)
                                : gathered->value_count * size;
    if (used > 0) {
        memcpy(values, gathered->values, used);
    }
    if (is_bits) {
        pq_spread_bits((uint64_t *)(void *)values, out->validity, out->length);
    } else {
        pq_spread(values, (uint32_t)size, out->validity, out->length);
    }
    out->values = values;
    return FIRN_OK;
}

// Recursion follows the pick, whose depth is that of a type.
static firn_status make(const nesting *self, const pq_pick *pick, pq_slots slots, uint32_t count,
                        column *out, firn_error *err);

static firn_status make_children(const nesting *self, const pq_pick *pick, pq_slots slots,
                                 uint32_t count, column *out, firn_error *err) {
    column *children =
        ARENA_NEW(self->scratch, column, pick->child_count == 0 ? 1 : pick->child_count);
    if (children == NULL) {
        return ARENA_FULL(self->scratch, err);
    }
    out->children = children;
    for (uint32_t i = 0; i < pick->child_count; i++) {
        TRY(make(self, &pick->children[i], slots, count, &children[i], err));
    }
    return FIRN_OK;
}

static firn_status make_list(const nesting *self, const pq_pick *pick, pq_slots slots, column *out,
                             firn_error *err) {
    const pq_entries entries = entries_of(self, pick);
    const pq_slots elements = {.repetition = (uint8_t)(pick->node->repetition + 1),
                               .definition = pick->node->element_definition};
    list_value *lists = ARENA_NEW(self->scratch, list_value, (size_t)entries.count + 1);
    if (lists == NULL) {
        return ARENA_FULL(self->scratch, err);
    }
    uint32_t element_count;
    (void)pq_nest()->lists(&entries, slots, elements, lists, &element_count);
    out->values = lists;
    return make_children(self, pick, elements, element_count, out, err);
}

static firn_status make(const nesting *self, const pq_pick *pick, pq_slots slots, uint32_t count,
                        column *out, firn_error *err) {
    if (pick->kind == PQ_PICK_CONSTANT) {
        column repeated = *pick->constant;
        repeated.form = FORM_CONSTANT;
        repeated.length = count;
        return column_flatten(self->scratch, &repeated, out, err);
    }
    *out = (column){.type = pick->type, .form = FORM_FLAT, .length = count};
    TRY(find_validity(self, pick, slots, count, out, err));
    switch (pick->kind) {
    case PQ_PICK_LEAF:
        return make_leaf(self, pick, out, err);
    case PQ_PICK_STRUCT:
        return make_children(self, pick, slots, count, out, err);
    case PQ_PICK_LIST:
        return make_list(self, pick, slots, out, err);
    case PQ_PICK_CONSTANT:
    case PQ_PICK_POSITION:
        break;
    }
    return FAIL(err, FIRN_INTERNAL, "pick of kind %d inside a column", (int)pick->kind);
}

firn_status pq_nested_column(const pq_pick *pick, pq_leaf_reader *const *readers,
                             uint32_t row_count, arena *scratch, column *out, firn_error *err) {
    const nesting self = {.readers = readers, .scratch = scratch};
    return make(&self, pick, (pq_slots){0}, row_count, out, err);
}
