#include "tables/files/parquet_int96.h"

#include "codecs/codec.h"
#include "formats/parquet/pq_reader.h"

#define CODEC_BYTES_MAX ((size_t)64 << 20)
#define PICKS_BYTES_MAX ((size_t)64 << 20)
// Batches that are looked at, if a page has so many.
#define BATCHES 4

static bool has_int96(const pq_file *file, const pq_node *node) {
    for (uint32_t i = 0; i < node->leaf_count; i++) {
        if (file->metadata->schema->leaves[node->first_leaf + i].type == PQ_INT96) {
            return true;
        }
    }
    return false;
}

// The columns that hold INT96, with their types: nanoseconds.
static firn_status pick_columns(const pq_file *file, arena *memory, pq_pick *picks, uint32_t *count,
                                firn_error *err) {
    *count = 0;
    for (uint32_t i = 0; i < file->types.columns.count; i++) {
        const pq_file_field column = pq_file_column(file, i);
        if (has_int96(file, column.node)) {
            TRY(pq_pick_make(file, &column, NULL, PQ_MATCH_NAME, memory, &picks[(*count)++], err));
        }
    }
    return FIRN_OK;
}

// Reads some batches; FIRN_CORRUPT is what values beyond TIMESTAMP_NS give.
static firn_status read_some(pq_reader *reader, firn_error *err) {
    pq_answer answer = PQ_READY;
    pq_reader_start(reader, 0, 1);
    for (uint32_t batches = 0; batches < BATCHES && answer != PQ_END;) {
        batch rows;
        TRY(pq_reader_next(reader, &rows, &answer, err));
        if (answer == PQ_WAIT) {
            TRY(pq_reader_wait(reader, err));
        } else {
            batches++;
        }
    }
    return FIRN_OK;
}

static firn_status look(pq_file *file, pq_pick *picks, uint32_t count,
                        const pq_reader_options *options, bool *is_far, firn_error *err) {
    pq_reader *reader;
    firn_error found = ERR_INIT;
    TRY(pq_reader_open(file, picks, count, options, &reader, err));
    const firn_status status = read_some(reader, &found);
    pq_reader_close(reader);
    if (status != FIRN_OK && status != FIRN_CORRUPT) {
        *err = found;
        return status;
    }
    // What is damaged gives the same error whatever the type is, but for these few rows.
    *is_far = status == FIRN_CORRUPT;
    return FIRN_OK;
}

firn_status parquet_int96_is_far(pq_file *file, pool *owner, const cancel_flag *cancel,
                                 bool *is_far, firn_error *err) {
    *is_far = false;
    const pq_schema *schema = file->metadata->schema;
    bool has_any = false;
    for (uint32_t i = 0; i < schema->leaf_count; i++) {
        has_any = has_any || schema->leaves[i].type == PQ_INT96;
    }
    if (!has_any || pq_file_row_group_count(file) == 0) {
        return FIRN_OK;
    }
    arena memory = arena_open_in(owner, PICKS_BYTES_MAX);
    codec_scratch codecs = codec_scratch_open_in(owner, CODEC_BYTES_MAX);
    const pq_reader_options options = {
        .owner = owner, .codecs = &codecs, .request = {.cancel = cancel}};
    uint32_t count = 0;
    pq_pick *picks = ARENA_NEW(&memory, pq_pick, (size_t)file->types.columns.count + 1);
    firn_status status =
        picks == NULL ? ARENA_FULL(&memory, err) : pick_columns(file, &memory, picks, &count, err);
    if (status == FIRN_OK) {
        status = look(file, picks, count, &options, is_far, err);
    }
    codec_scratch_close(&codecs);
    arena_close(&memory);
    return status;
}
