#include "tables/iceberg/iceberg_metrics.h"

#include "base/number_text.h"
#include "base/utf8.h"

#define BOUND_BYTES_LEAST 64 // Of Parquet's own readers.

bool ice_metrics_mode_read(text word, ice_metrics_mode *out) {
    static const struct {
        const char *word;
        ice_metrics_kind kind;
    } words[] = {
        {"none", ICE_METRICS_NONE}, {"counts", ICE_METRICS_COUNTS}, {"full", ICE_METRICS_FULL}};
    const text beginning = TEXT("truncate(");
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (text_equal_nocase(word, text_of(words[i].word))) {
            *out = (ice_metrics_mode){.kind = words[i].kind};
            return true;
        }
    }
    if (word.size <= beginning.size + 1 || word.data[word.size - 1] != ')' ||
        !text_equal_nocase(text_slice(word, 0, beginning.size), beginning)) {
        return false;
    }
    uint64_t length;
    if (number_parse_u64(text_slice(word, beginning.size, word.size - 1), &length) != NUMBER_OK ||
        length == 0 || length > INT32_MAX) {
        return false;
    }
    *out = (ice_metrics_mode){.kind = ICE_METRICS_TRUNCATE, .length = (uint32_t)length};
    return true;
}

// ---- Leaves ------------------------------------------------------------------------------------

static uint32_t leaf_count_of(const type *of) {
    uint32_t count = type_is_nested(of) ? 0 : 1;
    for (uint32_t i = 0; i < of->child_count; i++) {
        count += leaf_count_of(of->children[i].type);
    }
    return count;
}

typedef struct leaf_walk {
    arena *memory;
    ice_leaf_list *out;
    uint32_t rank;
} leaf_walk;

static firn_status add_leaves(leaf_walk *self, const type *parent, text before, const field *fields,
                              uint32_t count, bool is_repeated, firn_error *err);

static firn_status add_field(leaf_walk *self, const type *parent, text before, const field *each,
                             uint32_t index, bool is_repeated, firn_error *err) {
    static const char *const of_list[] = {"element"};
    static const char *const of_map[] = {"key", "value"};
    const bool is_list = parent != NULL && parent->id == TYPE_LIST;
    const bool is_map = parent != NULL && parent->id == TYPE_MAP;
    text name = is_list ? text_of(of_list[index]) : is_map ? text_of(of_map[index]) : each->name;
    if (before.size > 0) {
        TRY(text_format(self->memory, &name, err, "%.*s.%.*s", TEXT_ARGS(before), TEXT_ARGS(name)));
    }
    if (type_is_nested(each->type)) {
        return add_leaves(self, each->type, name, each->type->children, each->type->child_count,
                          is_repeated || each->type->id != TYPE_STRUCT, err);
    }
    self->out->items[self->out->count++] =
        (ice_leaf){.is = each, .name = name, .is_repeated = is_repeated, .mode = ICE_METRICS_USUAL};
    return FIRN_OK;
}

static firn_status add_leaves(leaf_walk *self, const type *parent, text before, const field *fields,
                              uint32_t count, bool is_repeated, firn_error *err) {
    for (uint32_t i = 0; i < count; i++) {
        TRY(add_field(self, parent, before, &fields[i], i, is_repeated, err));
    }
    return FIRN_OK;
}

// The leaves of this level first, then those inside each of the others.
static void rank_leaves(leaf_walk *self, const field *fields, uint32_t count, uint32_t first) {
    uint32_t leaf = first;
    for (uint32_t i = 0; i < count; i++) {
        if (!type_is_nested(fields[i].type)) {
            self->out->items[leaf].rank = self->rank++;
        }
        leaf += leaf_count_of(fields[i].type);
    }
    leaf = first;
    for (uint32_t i = 0; i < count; i++) {
        const type *of = fields[i].type;
        if (type_is_nested(of)) {
            rank_leaves(self, of->children, of->child_count, leaf);
        }
        leaf += leaf_count_of(of);
    }
}

firn_status ice_leaves_of(const schema *columns, arena *memory, ice_leaf_list *out,
                          firn_error *err) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < columns->count; i++) {
        count += leaf_count_of(columns->fields[i].type);
    }
    *out = (ice_leaf_list){.items = ARENA_NEW(memory, ice_leaf, (size_t)count + 1)};
    if (out->items == NULL) {
        return ARENA_FULL(memory, err);
    }
    leaf_walk walk = {.memory = memory, .out = out};
    TRY(add_leaves(&walk, NULL, TEXT(""), columns->fields, columns->count, false, err));
    rank_leaves(&walk, columns->fields, columns->count, 0);
    return FIRN_OK;
}

// ---- Bounds ------------------------------------------------------------------------------------

static bool is_cut(const ice_leaf *leaf) {
    const type *of = leaf->is->type;
    return leaf->mode.kind == ICE_METRICS_TRUNCATE &&
           (of->id == TYPE_VARCHAR || (of->id == TYPE_BINARY && of->width == 0));
}

// One code point, or byte, more than is kept shows that there was more.
uint32_t ice_leaf_bound_bytes(const ice_leaf *self) {
    const type *of = self->is->type;
    if (self->mode.kind == ICE_METRICS_FULL) {
        return UINT32_MAX;
    }
    if (is_cut(self)) {
        const uint64_t wanted = ((uint64_t)self->mode.length + 1) * UTF8_SIZE_MAX;
        return wanted < BOUND_BYTES_LEAST ? BOUND_BYTES_LEAST
               : wanted > UINT32_MAX      ? UINT32_MAX
                                          : (uint32_t)wanted;
    }
    return of->width > BOUND_BYTES_LEAST ? of->width : BOUND_BYTES_LEAST;
}

// Where the first `count` code points, or bytes, end.
static size_t end_of(const ice_leaf *leaf, bytes value) {
    if (leaf->is->type->id != TYPE_VARCHAR) {
        return value.size < leaf->mode.length ? value.size : leaf->mode.length;
    }
    size_t at = 0;
    for (uint32_t i = 0; i < leaf->mode.length && at < value.size; i++) {
        at++;
        while (at < value.size && (value.data[at] & 0xc0) == 0x80) {
            at++;
        }
    }
    return at;
}

static firn_status cut_bound(const ice_leaf *leaf, bytes stored, bool is_upper, arena *memory,
                             bytes *out, firn_error *err) {
    size_t size = end_of(leaf, stored);
    // A code point may grow by a byte.
    uint8_t *made = ARENA_NEW(memory, uint8_t, size + UTF8_SIZE_MAX);
    if (made == NULL) {
        return ARENA_FULL(memory, err);
    }
    if (size > 0) {
        memcpy(made, stored.data, size);
    }
    if (is_upper && size < stored.size) {
        size = leaf->is->type->id == TYPE_VARCHAR
                   ? utf8_raise((char *)made, size, size + UTF8_SIZE_MAX)
                   : bytes_raise(made, size);
        if (size == 0) {
            return FIRN_OK;
        }
    }
    *out = (bytes){.data = made, .size = size};
    return FIRN_OK;
}

// Those of decimals come lowest byte first where Parquet has them as numbers.
static firn_status decimal_bound(const type *of, bytes stored, arena *memory, bytes *out,
                                 firn_error *err) {
    uint8_t turned[16];
    const bool is_little = of->precision <= 18;
    if (stored.size > sizeof turned) {
        return FAIL(err, FIRN_INTERNAL, "a bound of a decimal has %zu bytes", stored.size);
    }
    for (size_t i = 0; i < stored.size; i++) {
        turned[i] = stored.data[is_little ? stored.size - 1 - i : i];
    }
    const ice_scalar value = ice_scalar_of_bytes(of, (bytes){.data = turned, .size = stored.size});
    return ice_scalar_bytes(of, &value, memory, out, err);
}

static firn_status bound_of(const ice_leaf *leaf, bytes stored, bool is_upper, arena *memory,
                            bytes *out, firn_error *err) {
    const type *of = leaf->is->type;
    if (ice_scalar_kind_of(of) == ICE_SCALAR_NONE) {
        return FIRN_OK; // Geometry has another kind of bounds.
    }
    if (of->id == TYPE_DECIMAL) {
        return decimal_bound(of, stored, memory, out, err);
    }
    if (is_cut(leaf)) {
        return cut_bound(leaf, stored, is_upper, memory, out, err);
    }
    TRY(bytes_copy(memory, stored, out, err));
    if (out->size == 0) { // Not NULL, which is no bound.
        *out = (bytes){.data = (const uint8_t *)"", .size = 0};
    }
    return FIRN_OK;
}

static firn_status metric_of(const ice_leaf *leaf, const pw_leaf_report *report, arena *memory,
                             ice_column_metric *out, firn_error *err) {
    const bool is_real = type_category_of(leaf->is->type) == CATEGORY_FLOAT;
    *out = (ice_column_metric){.field_id = leaf->is->id,
                               .size = (int64_t)report->size,
                               .value_count = -1,
                               .null_count = -1,
                               .nan_count = -1};
    if (leaf->mode.kind == ICE_METRICS_NONE) {
        return FIRN_OK;
    }
    out->value_count = (int64_t)report->entry_count;
    out->null_count = (int64_t)report->null_count;
    out->nan_count = is_real ? (int64_t)report->nan_count : -1;
    if (leaf->mode.kind == ICE_METRICS_COUNTS || leaf->is_repeated) {
        return FIRN_OK;
    }
    if (report->has_minimum) {
        TRY(bound_of(leaf, report->minimum, false, memory, &out->low, err));
    }
    return report->has_maximum ? bound_of(leaf, report->maximum, true, memory, &out->high, err)
                               : FIRN_OK;
}

firn_status ice_metrics_of(const ice_leaf_list *leaves, const pw_report *report, arena *memory,
                           ice_file *out, firn_error *err) {
    ice_column_metric *metrics = ARENA_NEW(memory, ice_column_metric, (size_t)leaves->count + 1);
    uint64_t *offsets = ARENA_NEW(memory, uint64_t, (size_t)report->group_count + 1);
    if (metrics == NULL || offsets == NULL) {
        return ARENA_FULL(memory, err);
    }
    if (leaves->count != report->leaf_count) {
        return FAIL(err, FIRN_INTERNAL, "a file has %u leaves, its table %u", report->leaf_count,
                    leaves->count);
    }
    for (uint32_t i = 0; i < leaves->count; i++) {
        TRY(metric_of(&leaves->items[i], &report->leaves[i], memory, &metrics[i], err));
    }
    for (uint32_t i = 0; i < report->group_count; i++) {
        offsets[i] = (uint64_t)report->group_offsets[i];
    }
    out->row_count = report->row_count;
    out->size = report->size;
    out->metric_count = leaves->count;
    out->metrics = metrics;
    out->split_count = report->group_count;
    out->split_offsets = offsets;
    return FIRN_OK;
}
