#include "tables/iceberg/iceberg_delete_match.h"

#include <stdlib.h>

typedef struct metrics_list {
    const int32_t *ids;
    uint32_t count;
    ice_metrics *items;
} metrics_list;

static int compare_ids(const void *left, const void *right) {
    const int32_t l = *(const int32_t *)left;
    const int32_t r = *(const int32_t *)right;
    return (l > r) - (l < r);
}

static void take_pair(void *user, ice_map map, int32_t key, ice_pair value) {
    metrics_list *list = user;
    const int32_t *found = bsearch(&key, list->ids, list->count, sizeof key, compare_ids);
    ice_metrics *to = found == NULL ? NULL : &list->items[found - list->ids];
    if (to == NULL) {
        return;
    }
    switch (map) {
    case ICE_MAP_COLUMN_SIZES: // Not asked for.
    case ICE_MAP_VALUE_COUNTS:
        break;
    case ICE_MAP_NULL_COUNTS:
        to->null_count = value.number >= 0 ? value.number : -1;
        break;
    case ICE_MAP_NAN_COUNTS:
        to->nan_count = value.number >= 0 ? value.number : -1;
        break;
    case ICE_MAP_LOW:
        to->low = value.data;
        break;
    case ICE_MAP_HIGH:
        to->high = value.data;
        break;
    }
}

firn_status ice_metrics_read(const ice_walk *walk, const ice_entry *entry, const int32_t *ids,
                             uint32_t count, ice_metrics *out, firn_error *err) {
    static const ice_map maps[] = {ICE_MAP_NULL_COUNTS, ICE_MAP_NAN_COUNTS, ICE_MAP_LOW,
                                   ICE_MAP_HIGH};
    metrics_list list = {.ids = ids, .count = count, .items = out};
    for (uint32_t i = 0; i < count; i++) {
        out[i] = (ice_metrics){.null_count = -1, .nan_count = -1};
    }
    for (size_t i = 0; i < sizeof maps / sizeof *maps; i++) {
        TRY(ice_walk_pairs(walk, entry, maps[i], take_pair, &list, err));
    }
    return FIRN_OK;
}

static bool may_have_null(const ice_metrics *self) {
    return self->null_count != 0;
}

static bool is_all_null(const ice_metrics *self, uint64_t row_count) {
    return self->null_count >= 0 && (uint64_t)self->null_count >= row_count;
}

// Is every value of the first below every one of the second? False if that is not known.
static bool is_below(const type *of, bytes high, bytes low) {
    if (high.data == NULL || low.data == NULL) {
        return false;
    }
    const ice_scalar left = ice_scalar_of_bytes(of, high);
    const ice_scalar right = ice_scalar_of_bytes(of, low);
    if (left.kind != right.kind) {
        return false;
    }
    if (left.kind == ICE_SCALAR_NUMBER) {
        return left.number < right.number;
    }
    if (left.kind == ICE_SCALAR_REAL) {
        return left.real < right.real;
    }
    if (left.kind != ICE_SCALAR_BYTES || of->id == TYPE_UUID) {
        return false; // UUIDs: ordered by signed halves by some writers.
    }
    const size_t size = left.data.size < right.data.size ? left.data.size : right.data.size;
    const int order = size == 0 ? 0 : memcmp(left.data.data, right.data.data, size);
    return order < 0 || (order == 0 && left.data.size < right.data.size);
}

bool ice_metrics_may_meet(const type *of, const ice_metrics *left, uint64_t left_rows,
                          const ice_metrics *right, uint64_t right_rows) {
    if (may_have_null(left) && may_have_null(right)) {
        return true;
    }
    if (is_all_null(left, left_rows) || is_all_null(right, right_rows)) {
        return false; // And the other one has no NULL.
    }
    // NaN is in no bounds, and equals NaN.
    if (ice_scalar_kind_of(of) == ICE_SCALAR_REAL && left->nan_count != 0 &&
        right->nan_count != 0) {
        return true;
    }
    return !is_below(of, left->high, right->low) && !is_below(of, right->high, left->low);
}
