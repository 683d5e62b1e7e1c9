#include "tables/files/copy_format.h"

// ---- CSV ---------------------------------------------------------------------------------------

static firn_status open_nothing(copy_encoder *self, arena *memory, firn_error *err) {
    (void)self;
    (void)memory;
    (void)err;
    return FIRN_OK;
}

static firn_status put_nothing(const copy_encoder *self, text_builder *out, firn_error *err) {
    (void)self;
    (void)out;
    (void)err;
    return FIRN_OK;
}

static firn_status no_foot(const copy_encoder *self, bool has_rows, const ipc_blocks *blocks,
                           text_builder *out, firn_error *err) {
    (void)has_rows;
    (void)blocks;
    return put_nothing(self, out, err);
}

static firn_status put_csv_head(const copy_encoder *self, text_builder *out, firn_error *err) {
    (void)err;
    csv_put_header(self->csv, self->columns, out);
    return FIRN_OK;
}

static firn_status put_csv(const copy_encoder *self, const batch *rows, uint32_t from,
                           uint32_t count, text_builder *out, uint32_t *prefix, firn_error *err) {
    (void)prefix;
    (void)err;
    for (uint32_t k = from; k < from + count && !out->is_full; k++) {
        csv_put_row(self->csv, rows, k, self->at, out);
    }
    return FIRN_OK;
}

static const copy_format csv_format = {
    .name = "csv",
    .ending = ".csv",
    .is_text = true,
    .open = open_nothing,
    .put_head = put_csv_head,
    .put_rows = put_csv,
    .put_foot = no_foot,
};

// ---- JSON --------------------------------------------------------------------------------------

static firn_status open_json(copy_encoder *self, arena *memory, firn_error *err) {
    return json_rows_open(self->columns, memory, &self->json, err);
}

static firn_status put_ndjson(const copy_encoder *self, const batch *rows, uint32_t from,
                              uint32_t count, text_builder *out, uint32_t *prefix,
                              firn_error *err) {
    (void)prefix;
    (void)err;
    for (uint32_t k = from; k < from + count && !out->is_full; k++) {
        json_put_row(&self->json, rows, k, out);
        text_append_char(out, '\n');
    }
    return FIRN_OK;
}

static const copy_format ndjson_format = {
    .name = "ndjson",
    .ending = ".ndjson",
    .is_text = true,
    .open = open_json,
    .put_head = put_nothing,
    .put_rows = put_ndjson,
    .put_foot = no_foot,
};

#define BETWEEN_ROWS {.data = ",\n", .size = 2}

static firn_status put_json_head(const copy_encoder *self, text_builder *out, firn_error *err) {
    (void)self;
    (void)err;
    text_append_char(out, '[');
    return FIRN_OK;
}

static firn_status put_json(const copy_encoder *self, const batch *rows, uint32_t from,
                            uint32_t count, text_builder *out, uint32_t *prefix, firn_error *err) {
    (void)prefix;
    (void)err;
    for (uint32_t k = from; k < from + count && !out->is_full; k++) {
        text_append(out, self->format->between);
        json_put_row(&self->json, rows, k, out);
    }
    return FIRN_OK;
}

static firn_status put_json_foot(const copy_encoder *self, bool has_rows, const ipc_blocks *blocks,
                                 text_builder *out, firn_error *err) {
    (void)self;
    (void)blocks;
    (void)err;
    text_append(out, has_rows ? TEXT("\n]\n") : TEXT("]\n"));
    return FIRN_OK;
}

static const copy_format json_format = {
    .name = "json",
    .ending = ".json",
    .is_text = true,
    .before_first = {.data = "\n", .size = 1},
    .between = BETWEEN_ROWS,
    .open = open_json,
    .put_head = put_json_head,
    .put_rows = put_json,
    .put_foot = put_json_foot,
};

// ---- Arrow -------------------------------------------------------------------------------------

static firn_status put_stream_head(const copy_encoder *self, text_builder *out, firn_error *err) {
    return ipc_put_head(self->columns, IPC_STREAM, out, err);
}

static firn_status put_file_head(const copy_encoder *self, text_builder *out, firn_error *err) {
    return ipc_put_head(self->columns, IPC_FILE, out, err);
}

static firn_status put_arrow(const copy_encoder *self, const batch *rows, uint32_t from,
                             uint32_t count, text_builder *out, uint32_t *prefix, firn_error *err) {
    batch part;
    TRY(batch_part(out->memory, rows, from, count, &part, err));
    return ipc_put_rows(self->columns, &part, self->pool, self->cancel, out, prefix, err);
}

static firn_status put_stream_foot(const copy_encoder *self, bool has_rows,
                                   const ipc_blocks *blocks, text_builder *out, firn_error *err) {
    (void)has_rows;
    return ipc_put_foot(self->columns, IPC_STREAM, blocks, out, err);
}

static firn_status put_file_foot(const copy_encoder *self, bool has_rows, const ipc_blocks *blocks,
                                 text_builder *out, firn_error *err) {
    (void)has_rows;
    return ipc_put_foot(self->columns, IPC_FILE, blocks, out, err);
}

static const copy_format arrow_format = {
    .name = "arrow",
    .ending = ".arrows",
    .open = open_nothing,
    .put_head = put_stream_head,
    .put_rows = put_arrow,
    .put_foot = put_stream_foot,
};

static const copy_format feather_format = {
    .name = "feather",
    .ending = ".arrow",
    .open = open_nothing,
    .put_head = put_file_head,
    .put_rows = put_arrow,
    .put_foot = put_file_foot,
    .needs_blocks = true,
};

// ---- Which -------------------------------------------------------------------------------------

// By FORMAT, and by the ending of a path. Arrow's own registration of media types calls files with
// a footer .arrow and streams .arrows; FORMAT arrow is the stream that the command line writes too.
static const struct {
    const char *word;
    const copy_format *by_name;
    const copy_format *by_ending;
} words[] = {
    {"csv", &csv_format, &csv_format},          {"json", &json_format, &json_format},
    {"ndjson", &ndjson_format, &ndjson_format}, {"jsonl", &ndjson_format, &ndjson_format},
    {"arrow", &arrow_format, &feather_format},  {"arrows", &arrow_format, &arrow_format},
    {"ipc", &feather_format, &feather_format},  {"feather", &feather_format, &feather_format},
};
#define WORD_COUNT (sizeof words / sizeof words[0])

const copy_format *copy_format_of(text name) {
    for (size_t i = 0; i < WORD_COUNT; i++) {
        if (text_equal_nocase(name, text_of(words[i].word))) {
            return words[i].by_name;
        }
    }
    return NULL;
}

const copy_format *copy_format_of_ending(text ending) {
    for (size_t i = 0; i < WORD_COUNT; i++) {
        if (text_equal_nocase(ending, text_of(words[i].word))) {
            return words[i].by_ending;
        }
    }
    return NULL;
}
