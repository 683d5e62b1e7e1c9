// Arrow results made by hand, from constant buffers.
#ifndef FIRN_TESTS_FAKE_COLUMNS_H
#define FIRN_TESTS_FAKE_COLUMNS_H

#include <stddef.h>

#include "firn.h"

enum { FAKE_BUFFERS_MAX = 5, FAKE_CHILDREN_MAX = 64 };

/// A column, or a part of one. All that it points to outlives the program's results.
typedef struct fake_column {
    const char *name;
    const char *format;
    const char *metadata; // As in the C interface.
    const void *buffers[FAKE_BUFFERS_MAX];
    int64_t buffer_count;
    int64_t length;
    int64_t offset;
    int64_t null_count;
    const struct fake_column *children;
    int64_t child_count;
    const struct fake_column *dictionary;
    int is_required; // Not nullable: the keys of maps.
} fake_column;

/// A result of `count` columns, each `rows` long, as schema and batch.
void fake_result_schema(const fake_column *columns, int64_t count, struct ArrowSchema *out);
void fake_result_batch(const fake_column *columns, int64_t count, int64_t rows,
                       struct ArrowArray *out);

/// The columns of the result `types`: one per type, three rows of a value, another and NULL.
const fake_column *fake_types(int64_t *count);
/// The same in forms that are rarer: views, large offsets, dictionaries, slices.
const fake_column *fake_forms(int64_t *count);

#endif
