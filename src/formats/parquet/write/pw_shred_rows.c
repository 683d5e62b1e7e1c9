// The half of pw_shred.h for columns with lists, which may have any number of elements: how many
// rows have at most so many entries.
#include "base/checked.h"
#include "formats/parquet/write/pw_shred.h"

// The way from a column down to lists in which there are no more lists.
typedef struct list_way {
    const pq_node *nodes[PQ_SCHEMA_DEPTH_MAX + 1];
    uint32_t children[PQ_SCHEMA_DEPTH_MAX + 1]; // nodes[i + 1] is this child of nodes[i].
    uint32_t depth;                             // nodes[depth] are the lists.
} list_way;

// Entries of one value, counted up to `most`.
static uint64_t entries_of(const list_way *way, uint32_t depth, const column *of, uint32_t row,
                           uint64_t most) {
    if (!column_is_valid(of, row)) {
        return 1;
    }
    const uint32_t lane = column_lane(of, row);
    const column *flat = of->form == FORM_DICTIONARY ? of->dictionary->values : of;
    if (way->nodes[depth]->kind == PQ_NODE_STRUCT) {
        return entries_of(way, depth + 1, &flat->children[way->children[depth]], lane, most);
    }
    const list_value list = COLUMN_VALUES(flat, list_value)[lane];
    if (list.size == 0) {
        return 1;
    }
    if (depth == way->depth) {
        return list.size;
    }
    uint64_t count = 0;
    for (uint32_t i = 0; i < list.size && count < most; i++) {
        count += entries_of(way, depth + 1, &flat->children[way->children[depth]], list.offset + i,
                            most - count);
    }
    return count;
}

static uint32_t rows_on_way(const list_way *way, const column *of, const batch *rows,
                            uint32_t row_count, uint32_t entries) {
    uint64_t count = 0;
    for (uint32_t k = 0; k < row_count; k++) {
        count += entries_of(way, 0, of, batch_row(rows, k), (uint64_t)entries + 1 - count);
        if (count > entries) {
            return k;
        }
    }
    return row_count;
}

static bool has_lists(const pq_node *node) {
    bool has = node->kind == PQ_NODE_LIST || node->kind == PQ_NODE_MAP;
    for (size_t i = 0; i < node->child_count && !has; i++) {
        has = has_lists(&node->children[i]);
    }
    return has;
}

// The least over all ways from the end of `way` on.
static uint32_t least_rows(list_way *way, const column *of, const batch *rows, uint32_t row_count,
                           uint32_t entries) {
    const uint32_t depth = way->depth;
    const pq_node *node = way->nodes[depth];
    bool is_last = node->kind != PQ_NODE_STRUCT;
    for (uint32_t i = 0; i < node->child_count; i++) {
        if (has_lists(&node->children[i])) {
            is_last = false;
            way->children[depth] = i;
            way->nodes[depth + 1] = &node->children[i];
            way->depth = depth + 1;
            row_count = least_rows(way, of, rows, row_count, entries);
            way->depth = depth;
        }
    }
    return is_last ? rows_on_way(way, of, rows, row_count, entries) : row_count;
}

uint32_t pw_shred_rows(const pw_schema *schema, uint32_t column_index, const batch *rows,
                       uint32_t entries) {
    const pq_node *node = &schema->tree->root.children[column_index];
    uint32_t count = min_u32(rows->selected_count, entries);
    if (has_lists(node)) {
        list_way way = {.nodes = {node}};
        count = least_rows(&way, &rows->columns[column_index], rows, count, entries);
    }
    return count == 0 ? min_u32(rows->selected_count, 1) : count;
}
