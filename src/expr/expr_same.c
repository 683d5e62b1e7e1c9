// Expressions compared, hashed and copied: three walks over the field lists of expr.h.
#include "base/hash.h"
#include "expr/aggregate.h"
#include "expr/expr.h"

// ---- Equality --------------------------------------------------------------------------------

static bool lanes_are_identical(const column *left, uint32_t left_lane, const column *right,
                                uint32_t right_lane);

static bool children_are_identical(const column *left, uint32_t left_lane, const column *right,
                                   uint32_t right_lane) {
    for (uint32_t i = 0; i < left->type->child_count; i++) {
        if (!lanes_are_identical(&left->children[i], left_lane, &right->children[i], right_lane)) {
            return false;
        }
    }
    return true;
}

static bool lists_are_identical(const column *left, list_value l, const column *right,
                                list_value r) {
    bool same = l.size == r.size;
    for (uint32_t i = 0; same && i < l.size; i++) {
        same = children_are_identical(left, l.offset + i, right, r.offset + i);
    }
    return same;
}

// Two lanes of flat (or one-row) columns of the same type: the same value to the last bit, which is
// less than SQL's equality: -0.0 is not 0.0, 30 days are not a month.
static bool lanes_are_identical(const column *left, uint32_t left_lane, const column *right,
                                uint32_t right_lane) {
    const bool left_valid = column_row_is_valid(left, left_lane);
    const bool right_valid = column_row_is_valid(right, right_lane);
    if (!left_valid || !right_valid || left->type->id == TYPE_NULL) {
        return left_valid == right_valid;
    }
    switch ((int)type_physical(left->type)) {
    case PHYSICAL_BIT:
        return bitmap_get(left->values, left_lane) == bitmap_get(right->values, right_lane);
    case PHYSICAL_STRING:
        return string_equal(&COLUMN_VALUES(left, string_value)[left_lane],
                            &COLUMN_VALUES(right, string_value)[right_lane]);
    case PHYSICAL_LIST:
        return lists_are_identical(left, COLUMN_VALUES(left, list_value)[left_lane], right,
                                   COLUMN_VALUES(right, list_value)[right_lane]);
    case PHYSICAL_STRUCT:
        return children_are_identical(left, left_lane, right, right_lane);
    default: {
        const size_t size = physical_size(type_physical(left->type));
        return memcmp((const uint8_t *)left->values + left_lane * size,
                      (const uint8_t *)right->values + right_lane * size, size) == 0;
    }
    }
}

static bool equal_literal(literal left, literal right) {
    if (left.is_null || right.is_null) {
        return left.is_null == right.is_null;
    }
    return lanes_are_identical(left.value, 0, right.value, 0);
}

static bool equal_data(const column *left, const column *right) {
    if (left == NULL || right == NULL) {
        return left == right;
    }
    bool same = left->length == right->length && type_equal(left->type, right->type);
    for (uint32_t row = 0; same && row < left->length; row++) {
        same = lanes_are_identical(left, row, right, row);
    }
    return same;
}

static bool equal_optional(const expr *left, const expr *right) {
    if (left == NULL || right == NULL) {
        return left == right;
    }
    return expr_equal(left, right);
}

static bool equal_exprs(expr_list left, expr_list right) {
    bool same = left.count == right.count;
    for (uint32_t i = 0; same && i < left.count; i++) {
        same = equal_optional(left.items[i], right.items[i]);
    }
    return same;
}

static bool equal_keys(sort_key_list left, sort_key_list right) {
    bool same = left.count == right.count;
    for (uint32_t i = 0; same && i < left.count; i++) {
        same = equal_optional(left.items[i].value, right.items[i].value) &&
               left.items[i].is_descending == right.items[i].is_descending &&
               left.items[i].nulls_first == right.items[i].nulls_first;
    }
    return same;
}

static bool equal_bytes(bytes left, bytes right) {
    return left.size == right.size &&
           (left.size == 0 || memcmp(left.data, right.data, left.size) == 0);
}

static bool equal_u32s(u32_list left, u32_list right) {
    return left.count == right.count &&
           (left.count == 0 || memcmp(left.items, right.items, left.count * sizeof(uint32_t)) == 0);
}

#define EQUAL_U32(l, r) ((l) == (r))
#define EQUAL_BOOL(l, r) ((l) == (r))
#define EQUAL_TEXT(l, r) text_equal(l, r)
#define EQUAL_BYTES(l, r) equal_bytes(l, r)
#define EQUAL_LITERAL(l, r) equal_literal(l, r)
#define EQUAL_COLUMN_DATA(l, r) equal_data(l, r)
#define EQUAL_EXPR(l, r) equal_optional(l, r)
#define EQUAL_EXPRS(l, r) equal_exprs(l, r)
#define EQUAL_U32S(l, r) equal_u32s(l, r)
#define EQUAL_SORT_KEYS(l, r) equal_keys(l, r)
#define EQUAL_FUNCTION(l, r) ((l) == (r))
#define EQUAL_AGGREGATE(l, r) ((l) == (r))
#define EQUAL_PLAN(l, r) ((l) == (r))

bool expr_equal(const expr *left, const expr *right) {
    if (left->kind != right->kind || !type_equal(left->type, right->type)) {
        return false;
    }
    if (left->kind == EXPR_CALL && (expr_call_flags(left) & FUNCTION_VOLATILE) != 0) {
        return false; // Even the same random() is another value each time.
    }
    if (left->kind == EXPR_COLUMN) {
        return left->column_.id == right->column_.id; // Its name is only for printing.
    }
    if (left->kind == EXPR_SUBQUERY && left->subquery_.same != 0) {
        return left->subquery_.same == right->subquery_.same && // Their plans' ids differ.
               left->subquery_.subquery == right->subquery_.subquery &&
               text_equal(left->subquery_.comparison, right->subquery_.comparison) &&
               equal_exprs(left->subquery_.args, right->subquery_.args) &&
               equal_u32s(left->subquery_.outer_ids, right->subquery_.outer_ids);
    }
    switch (left->kind) {
#define EQUAL(kind, name) &&EQUAL_##kind(l->name, r->name)
#define X(NAME, word, text)                                                                        \
    case EXPR_##NAME: {                                                                            \
        const __typeof__(left->word##_) *l = &left->word##_;                                       \
        const __typeof__(left->word##_) *r = (const void *)&right->word##_;                        \
        return true EXPR_##NAME##_FIELDS(EQUAL);                                                   \
    }
        EXPR_KIND_LIST(X)
#undef X
#undef EQUAL
    case EXPR_KIND_COUNT:
        break;
    }
    return false;
}

// ---- Hash ------------------------------------------------------------------------------------

static uint64_t hash_exprs(expr_list list) {
    uint64_t hash = hash_u32(list.count);
    for (uint32_t i = 0; i < list.count; i++) {
        hash = hash_combine(hash, expr_hash(list.items[i]));
    }
    return hash;
}

static uint64_t hash_keys(sort_key_list list) {
    uint64_t hash = hash_u32(list.count);
    for (uint32_t i = 0; i < list.count; i++) {
        hash = hash_combine(hash, expr_hash(list.items[i].value));
        hash = hash_combine(hash, (uint64_t)list.items[i].is_descending * 2 +
                                      (uint64_t)list.items[i].nulls_first);
    }
    return hash;
}

#define HASHED_SIZE_MAX 1024 // What is larger is told apart by its beginning, or by its size alone.

static uint64_t hash_literal(literal value) {
    if (value.is_null) {
        return HASH_NULL;
    }
    const column *held = value.value;
    const physical kind = type_physical(held->type);
    if (kind == PHYSICAL_STRING) {
        const text whole = string_text(COLUMN_VALUES(held, string_value));
        const size_t seen = whole.size < HASHED_SIZE_MAX ? whole.size : HASHED_SIZE_MAX;
        return hash_combine(hash_u64(whole.size), hash_bytes(whole.data, seen));
    }
    const uint32_t size = kind == PHYSICAL_LIST ? COLUMN_VALUES(held, list_value)->size : 0;
    return size > HASHED_SIZE_MAX ? hash_u64(size) : column_hash_row(held, 0);
}

static uint64_t hash_data(const column *values) {
    uint64_t hash = HASH_NULL;
    for (uint32_t row = 0; values != NULL && row < values->length; row++) {
        hash = hash_combine(hash, column_hash_row(values, row));
    }
    return hash;
}

#define HASH_U32(value) hash_u32(value)
#define HASH_BOOL(value) hash_u32((value) ? 1 : 0)
#define HASH_TEXT(value) hash_bytes((value).data, (value).size)
#define HASH_BYTES(value) hash_bytes((value).data, (value).size)
#define HASH_LITERAL(value) hash_literal(value)
#define HASH_COLUMN_DATA(value) hash_data(value)
#define HASH_EXPR(value) ((value) == NULL ? HASH_NULL : expr_hash(value))
#define HASH_EXPRS(value) hash_exprs(value)
#define HASH_U32S(value) hash_bytes((value).items, (value).count * sizeof(uint32_t))
#define HASH_SORT_KEYS(value) hash_keys(value)
#define HASH_FUNCTION(value) hash_u64((uint64_t)(uintptr_t)(value))
#define HASH_AGGREGATE(value) hash_u64((uint64_t)(uintptr_t)(value))
#define HASH_PLAN(value) ((void)(value), UINT64_C(0)) // Equal subqueries have plans of their own.

uint64_t expr_hash(const expr *self) {
    // Of nested types their kind is enough: each level of an expression would walk its whole type.
    const uint64_t kind =
        self->type->child_count > 0 ? hash_u32((uint32_t)self->type->id) : type_hash(self->type);
    uint64_t hash = hash_combine(hash_u32((uint32_t)self->kind), kind);
    if (self->kind == EXPR_COLUMN) {
        return hash_combine(hash, hash_u32(self->column_.id));
    }
    switch (self->kind) {
#define HASH(kind, name) hash = hash_combine(hash, HASH_##kind(node->name));
#define X(NAME, word, text)                                                                        \
    case EXPR_##NAME: {                                                                            \
        const __typeof__(self->word##_) *node = &self->word##_;                                    \
        EXPR_##NAME##_FIELDS(HASH) break;                                                          \
    }
        EXPR_KIND_LIST(X)
#undef X
#undef HASH
    case EXPR_KIND_COUNT:
        break;
    }
    return hash;
}

// ---- Copy ------------------------------------------------------------------------------------

// Each makes `*to`, a shallow copy of the original's field, independent of it. False when full.

static bool copy_type(arena *memory, const type **to) {
    firn_error err = ERR_INIT;
    return type_copy(memory, *to, to, &err) == FIRN_OK;
}

static bool copy_text(arena *memory, text *to) {
    firn_error err = ERR_INIT;
    return text_copy(memory, *to, to, &err) == FIRN_OK;
}

static bool copy_bytes(arena *memory, bytes *to) {
    if (to->size == 0) {
        return true;
    }
    uint8_t *copy = ARENA_NEW(memory, uint8_t, to->size);
    if (copy == NULL) {
        return false;
    }
    memcpy(copy, to->data, to->size);
    to->data = copy;
    return true;
}

static bool copy_data(arena *memory, const column **to) {
    if (*to == NULL) {
        return true;
    }
    const column_form form = (*to)->form;
    column *copy = ARENA_NEW(memory, column, 1);
    firn_error err = ERR_INIT;
    if (copy == NULL || column_copy(memory, *to, copy, &err) != FIRN_OK ||
        !copy_type(memory, &copy->type)) {
        return false;
    }
    copy->form = form == FORM_CONSTANT ? FORM_CONSTANT : copy->form;
    *to = copy;
    return true;
}

static bool copy_expr(arena *memory, expr **to) {
    if (*to != NULL) {
        *to = expr_copy(memory, *to);
        return *to != NULL;
    }
    return true;
}

static bool copy_exprs(arena *memory, expr_list *to) {
    expr **items = ARENA_NEW(memory, expr *, to->count == 0 ? 1 : to->count);
    if (items == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < to->count; i++) {
        items[i] = to->items[i];
        if (!copy_expr(memory, &items[i])) {
            return false;
        }
    }
    to->items = items;
    to->capacity = to->count;
    return true;
}

static bool copy_u32s(arena *memory, u32_list *to) {
    uint32_t *items = ARENA_NEW(memory, uint32_t, to->count == 0 ? 1 : to->count);
    if (items == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < to->count; i++) {
        items[i] = to->items[i];
    }
    to->items = items;
    to->capacity = to->count;
    return true;
}

static bool copy_keys(arena *memory, sort_key_list *to) {
    sort_key *items = ARENA_NEW(memory, sort_key, to->count == 0 ? 1 : to->count);
    if (items == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < to->count; i++) {
        items[i] = to->items[i];
        if (!copy_expr(memory, &items[i].value)) {
            return false;
        }
    }
    to->items = items;
    return true;
}

#define NOTHING(slot) true
#define COPY_U32 NOTHING
#define COPY_BOOL NOTHING
#define COPY_FUNCTION NOTHING
#define COPY_AGGREGATE NOTHING
#define COPY_PLAN NOTHING
#define COPY_TEXT(slot) copy_text(memory, slot)
#define COPY_BYTES(slot) copy_bytes(memory, slot)
#define COPY_LITERAL(slot) copy_data(memory, &(slot)->value)
#define COPY_COLUMN_DATA(slot) copy_data(memory, slot)
#define COPY_EXPR(slot) copy_expr(memory, slot)
#define COPY_EXPRS(slot) copy_exprs(memory, slot)
#define COPY_U32S(slot) copy_u32s(memory, slot)
#define COPY_SORT_KEYS(slot) copy_keys(memory, slot)

expr *expr_copy(arena *memory, const expr *self) {
    expr *copy = ARENA_NEW(memory, expr, 1);
    if (copy == NULL) {
        return NULL;
    }
    *copy = *self;
    bool fits = copy_type(memory, &copy->type);
    switch (self->kind) {
#define COPY(kind, name) &&COPY_##kind(&node->name)
#define X(NAME, word, text)                                                                        \
    case EXPR_##NAME: {                                                                            \
        __typeof__(copy->word##_) *node = &copy->word##_;                                          \
        (void)node;                                                                                \
        fits = fits EXPR_##NAME##_FIELDS(COPY);                                                    \
        break;                                                                                     \
    }
        EXPR_KIND_LIST(X)
#undef X
#undef COPY
    case EXPR_KIND_COUNT:
        break;
    }
    return fits ? copy : NULL;
}
