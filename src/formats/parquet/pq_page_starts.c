#include "formats/parquet/pq_page_starts.h"

#include <assert.h>

#include "formats/parquet/pq_page_index.h"
#include "formats/parquet/pq_unpack.h"

#define HEADER_BYTES 256
#define HEADER_BYTES_MAX 4096
#define INDEX_BYTES_MAX ((int32_t)16 << 20)

static void add_start(pq_page_starts *out, uint64_t row) {
    if (out->count == PQ_PAGE_STARTS_MAX) {
        out->is_any = true;
    } else if (out->count == 0 || row > out->rows[out->count - 1]) {
        out->rows[out->count++] = row;
    }
}

// Where bytes are read from, and room for them.
typedef struct walker {
    const pq_file *file;
    const cancel_flag *cancel;
    uint8_t *room;
} walker;

// Reads `size` bytes at `offset`, with zeros behind.
static firn_status read_some(const walker *self, uint64_t offset, size_t size, firn_error *err) {
    memset(self->room + size, 0, PQ_PAD);
    return io_read(self->file->input, offset, size, self->cancel, self->room, err);
}

static firn_status read_index(const pq_file *file, uint32_t row_group, const pq_column_chunk *chunk,
                              const cancel_flag *cancel, arena *memory, pq_page_starts *out,
                              firn_error *err) {
    const size_t size = (size_t)chunk->offset_index_size;
    uint8_t *room = ARENA_NEW(memory, uint8_t, size + PQ_PAD);
    if (room == NULL) {
        return ARENA_FULL(memory, err);
    }
    const walker in = {.file = file, .cancel = cancel, .room = room};
    TRY(read_some(&in, (uint64_t)chunk->offset_index_offset, size, err));
    pq_offset_index index;
    firn_error ignored = ERR_INIT;
    const bytes raw = {.data = room, .size = size};
    if (pq_offset_index_read(raw, file->metadata->file_size, pq_file_rows_of(file, row_group),
                             memory, &index, &ignored) == FIRN_OK) {
        for (size_t i = 0; i < index.pages.count; i++) {
            add_start(out, (uint64_t)index.pages.items[i].first_row);
        }
    }
    return FIRN_OK;
}

// Reads the header at `offset`, with more bytes if it is a long one. `*is_read` is false if it is
// damaged or there is none.
static firn_status read_header(const walker *self, uint64_t offset, uint64_t end, pq_page *page,
                               bool *is_read, firn_error *err) {
    *is_read = false;
    bool is_short = true;
    for (size_t size = HEADER_BYTES; is_short && !*is_read && size <= HEADER_BYTES_MAX; size *= 4) {
        const size_t at_hand = end - offset < size ? (size_t)(end - offset) : size;
        TRY(read_some(self, offset, at_hand, err));
        firn_error ignored = ERR_INIT;
        const bytes raw = {.data = self->room, .size = at_hand};
        *is_read = pq_page_header_read(raw, page, &is_short, &ignored) == FIRN_OK;
    }
    return FIRN_OK;
}

static firn_status walk(const pq_file *file, pq_chunk_range chunk, uint64_t row_count,
                        const cancel_flag *cancel, arena *memory, pq_page_starts *out,
                        firn_error *err) {
    const walker in = {.file = file,
                       .cancel = cancel,
                       .room = ARENA_NEW(memory, uint8_t, HEADER_BYTES_MAX + PQ_PAD)};
    if (in.room == NULL) {
        return ARENA_FULL(memory, err);
    }
    const uint64_t end = chunk.offset + chunk.size;
    uint64_t row = 0;
    for (uint64_t offset = chunk.offset; offset < end && row < row_count && !out->is_any;) {
        pq_page page;
        bool is_read;
        TRY(read_header(&in, offset, end, &page, &is_read, err));
        if (!is_read) {
            return FIRN_OK;
        }
        offset += (uint64_t)page.header_size + page.body_size; // Grows: a header is not empty.
        if (page.type == PQ_PAGE_DATA) {
            add_start(out, row);
            row += page.value_count;
        }
    }
    return FIRN_OK;
}

firn_status pq_page_starts_read(const pq_file *file, uint32_t row_group, uint32_t leaf,
                                const cancel_flag *cancel, arena *memory, pq_page_starts *out,
                                firn_error *err) {
    assert(file->metadata->schema->leaves[leaf].repetition_max == 0);
    *out = (pq_page_starts){.rows = ARENA_NEW(memory, uint64_t, PQ_PAGE_STARTS_MAX)};
    if (out->rows == NULL) {
        return ARENA_FULL(memory, err);
    }
    const uint64_t size = file->metadata->file_size;
    const pq_column_chunk *chunk =
        &file->metadata->file.row_groups.items[row_group].columns.items[leaf];
    const bool has_index =
        pq_column_chunk_has_offset_index_offset(chunk) && chunk->offset_index_offset > 0 &&
        chunk->offset_index_size > 0 && chunk->offset_index_size <= INDEX_BYTES_MAX &&
        (uint64_t)chunk->offset_index_offset <= size &&
        (uint64_t)chunk->offset_index_size <= size - (uint64_t)chunk->offset_index_offset;
    if (has_index) {
        TRY(read_index(file, row_group, chunk, cancel, memory, out, err));
    }
    if (out->count > 0 || out->is_any) {
        return FIRN_OK;
    }
    return walk(file, pq_chunk_place(file->metadata, row_group, leaf),
                pq_file_rows_of(file, row_group), cancel, memory, out, err);
}
