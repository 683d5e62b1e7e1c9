#include "tables/files/copy_target.h"

#include "memory/pool.h"
#include "tables/files/copy_sink.h"
#include "tables/files/parquet_sink.h"

#define DEFAULT_PARTITION TEXT("__HIVE_DEFAULT_PARTITION__")

// ---- The snapshot ------------------------------------------------------------------------------

static void free_target(table_snapshot *base) {
    arena memory = base->memory; // It holds the target.
    arena_close(&memory);
}

const table_kind copy_parquet_kind = {
    .name = "copy target",
    .free = free_target,
    .sink = &parquet_sink_kind,
};

const table_kind copy_encoded_kind = {
    .name = "copy target",
    .free = free_target,
    .sink = &copy_sink_kind,
};

text copy_target_ending(const copy_target *self) {
    const copy_format *format = self->options.format;
    return format == NULL ? TEXT(".parquet") : text_of(format->ending);
}

text copy_target_codec_ending(const copy_target *self) {
    const codec with = self->options.format == NULL ? CODEC_NONE : self->options.writer.codec;
    return with == CODEC_GZIP ? TEXT(".gz") : with == CODEC_ZSTD ? TEXT(".zst") : TEXT("");
}

static firn_status check_partitions(const schema *columns, const copy_target_options *options,
                                    firn_error *err) {
    for (uint32_t i = 0; i < options->partition_count; i++) {
        const field *key = &columns->fields[options->partitions[i]];
        if (type_is_nested(key->type)) {
            return FAIL_SQL(err, FIRN_INVALID, "22023", NO_POSITION,
                            "PARTITION_BY: column \"%.*s\" has fields or elements, and no text to "
                            "name a folder by",
                            TEXT_ARGS(key->name));
        }
    }
    return options->partition_count < columns->count
               ? FIRN_OK
               : FAIL_SQL(err, FIRN_INVALID, "22023", NO_POSITION,
                          "PARTITION_BY names all columns, and none is left for the files");
}

static firn_status fill(copy_target *self, text path, const schema *columns,
                        const copy_target_options *options, arena *memory, firn_error *err) {
    const uint32_t count = options->partition_count;
    uint32_t *partitions = ARENA_NEW(memory, uint32_t, (size_t)count + 1);
    if (partitions == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t i = 0; i < count; i++) {
        partitions[i] = options->partitions[i];
    }
    self->options = *options;
    self->options.partitions = partitions;
    TRY(text_copy(memory, options->csv.null, &self->options.csv.null, err));
    TRY(text_copy(memory, path, &self->path, err));
    self->base.ref.name = self->path;
    return schema_copy(memory, columns, &self->base.columns, err);
}

firn_status copy_target_open(text path, const schema *columns, const copy_target_options *options,
                             struct pool *pool, table_snapshot **out, firn_error *err) {
    TRY(check_partitions(columns, options, err));
    arena memory = arena_open_in(pool, SIZE_MAX);
    copy_target *self = ARENA_NEW(&memory, copy_target, 1);
    if (self == NULL) {
        return ARENA_FULL(&memory, err);
    }
    *self = (copy_target){
        .base = {.kind = options->format == NULL ? &copy_parquet_kind : &copy_encoded_kind,
                 .ref = {.kind = TEXT("copy target"), .snapshot_id = -1, .schema_id = -1}}};
    atomic_init(&self->base.references, 1);
    const firn_status status = fill(self, path, columns, options, &memory, err);
    self->base.memory = memory;
    if (status != FIRN_OK) {
        free_target(&self->base);
        return status;
    }
    *out = &self->base;
    return FIRN_OK;
}

// ---- Folders -----------------------------------------------------------------------------------

// What Hive writes as %XX in names of folders.
static bool is_escaped(char byte) {
    static const char special[] = "\"#%'*/:=?\\{}[]^";
    return (unsigned char)byte < 0x20 || byte == 0x7f ||
           (byte != '\0' && memchr(special, byte, sizeof special - 1) != NULL);
}

static void append_escaped(text_builder *out, text value) {
    for (size_t i = 0; i < value.size; i++) {
        if (is_escaped(value.data[i])) {
            text_append_format(out, "%%%02X", (unsigned)(unsigned char)value.data[i]);
        } else {
            text_append_char(out, value.data[i]);
        }
    }
}

firn_status copy_target_folder(const copy_target *self, const column *values, uint32_t row,
                               arena *memory, text *out, firn_error *err) {
    text_builder folder = text_builder_open(memory);
    for (uint32_t i = 0; i < self->options.partition_count; i++) {
        const uint32_t at = self->options.partitions[i];
        text_append(&folder, i == 0 ? TEXT("") : TEXT("/"));
        append_escaped(&folder, self->base.columns.fields[at].name);
        text_append_char(&folder, '=');
        if (!column_is_valid(&values[i], row)) {
            text_append(&folder, DEFAULT_PARTITION);
            continue;
        }
        text printed;
        text_builder value = text_builder_open(memory);
        column_print_row(&values[i], row, &value);
        TRY(text_builder_finish(&value, &printed, err));
        append_escaped(&folder, printed);
    }
    return text_builder_finish(&folder, out, err);
}
