#include "fake_columns.h"

#include <stdlib.h>
#include <string.h>

static void release_schema(struct ArrowSchema *schema) {
    for (int64_t i = 0; i < schema->n_children; i++) {
        schema->children[i]->release(schema->children[i]);
        free(schema->children[i]);
    }
    free(schema->children);
    if (schema->dictionary != NULL) {
        schema->dictionary->release(schema->dictionary);
        free(schema->dictionary);
    }
    schema->release = NULL;
}

static void release_array(struct ArrowArray *array) {
    for (int64_t i = 0; i < array->n_children; i++) {
        array->children[i]->release(array->children[i]);
        free(array->children[i]);
    }
    free(array->children);
    free(array->buffers);
    if (array->dictionary != NULL) {
        array->dictionary->release(array->dictionary);
        free(array->dictionary);
    }
    array->release = NULL;
}

static void *allocate(size_t count, size_t size) {
    void *block = calloc(count == 0 ? 1 : count, size);
    if (block == NULL) {
        abort();
    }
    return block;
}

static void make_schema(const fake_column *column, struct ArrowSchema *out) {
    *out = (struct ArrowSchema){.format = column->format,
                                .name = column->name,
                                .metadata = column->metadata,
                                .flags = column->is_required ? 0 : ARROW_FLAG_NULLABLE,
                                .n_children = column->child_count,
                                .release = release_schema};
    out->children = allocate((size_t)column->child_count, sizeof(struct ArrowSchema *));
    for (int64_t i = 0; i < column->child_count; i++) {
        out->children[i] = allocate(1, sizeof(struct ArrowSchema));
        make_schema(&column->children[i], out->children[i]);
    }
    if (column->dictionary != NULL) {
        out->dictionary = allocate(1, sizeof(struct ArrowSchema));
        make_schema(column->dictionary, out->dictionary);
    }
}

static void make_array(const fake_column *column, struct ArrowArray *out) {
    *out = (struct ArrowArray){.length = column->length,
                               .null_count = column->null_count,
                               .offset = column->offset,
                               .n_buffers = column->buffer_count,
                               .n_children = column->child_count,
                               .release = release_array};
    out->buffers = allocate((size_t)column->buffer_count, sizeof(void *));
    memcpy((void *)out->buffers, column->buffers, (size_t)column->buffer_count * sizeof(void *));
    out->children = allocate((size_t)column->child_count, sizeof(struct ArrowArray *));
    for (int64_t i = 0; i < column->child_count; i++) {
        out->children[i] = allocate(1, sizeof(struct ArrowArray));
        make_array(&column->children[i], out->children[i]);
    }
    if (column->dictionary != NULL) {
        out->dictionary = allocate(1, sizeof(struct ArrowArray));
        make_array(column->dictionary, out->dictionary);
    }
}

static fake_column result_of(const fake_column *columns, int64_t count, int64_t rows) {
    return (fake_column){.name = "",
                         .format = "+s",
                         .buffer_count = 1,
                         .length = rows,
                         .children = columns,
                         .child_count = count};
}

void fake_result_schema(const fake_column *columns, int64_t count, struct ArrowSchema *out) {
    const fake_column result = result_of(columns, count, 0);
    make_schema(&result, out);
}

void fake_result_batch(const fake_column *columns, int64_t count, int64_t rows,
                       struct ArrowArray *out) {
    const fake_column result = result_of(columns, count, rows);
    make_array(&result, out);
}
