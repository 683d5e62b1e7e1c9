#include "tables/iceberg/iceberg_write_options.h"

#include <stdio.h>

#include "base/number_text.h"

#define FILE_SIZE (UINT64_C(512) << 20)
#define INFERRED_LEAVES 100
#define CODEC_KEY "write.parquet.compression-codec"
#define DELETE_KEY_MAX 80 // Those of a column are longer; files of deletes have none.

typedef struct option_reader {
    const ice_metadata *metadata;
    const firn_option *options;
    size_t option_count;
    bool of_deletes;
    text heeded; // The property that is checked: faults of others are not its own. size 0: all are.
    arena *memory;
    ice_write_options *out;
} option_reader;

// ---- Values ------------------------------------------------------------------------------------

// What is said of files of deletes alone comes before what is said of all files: of
// write.parquet.page-row-limit, that is write.delete.parquet.page-row-limit.
static bool find_of_deletes(const option_reader *self, text key, text *out) {
    char own[DELETE_KEY_MAX];
    const size_t all = sizeof "write" - 1;
    const size_t size = key.size + sizeof ".delete" - 1;
    if (!self->of_deletes || size >= sizeof own) {
        return false;
    }
    (void)snprintf(own, sizeof own, "write.delete%.*s", (int)(key.size - all), key.data + all);
    return ice_metadata_property(self->metadata, (text){.data = own, .size = size}, out);
}

static bool find(const option_reader *self, text key, text *out) {
    for (size_t i = self->option_count; i > 0; i--) {
        if (text_equal(text_of(self->options[i - 1].key), key)) {
            *out = text_of(self->options[i - 1].value);
            return true;
        }
    }
    return find_of_deletes(self, key, out) || ice_metadata_property(self->metadata, key, out);
}

// Which property says what `key` is: its own of files of deletes, or `key`.
static text said_by(const option_reader *self, text key, char own[DELETE_KEY_MAX]) {
    text ignored;
    const size_t all = sizeof "write" - 1;
    if (!find_of_deletes(self, key, &ignored)) {
        return key;
    }
    (void)snprintf(own, DELETE_KEY_MAX, "write.delete%.*s", (int)(key.size - all), key.data + all);
    return text_of(own);
}

static bool heeds(const option_reader *self, text key) {
    char own[DELETE_KEY_MAX];
    return self->heeded.size == 0 || text_equal(self->heeded, said_by(self, key, own));
}

static firn_status wrong(text key, text value, const char *wanted, firn_error *err) {
    return FAIL_SQL(err, FIRN_INVALID, "22023", NO_POSITION, "\"%.*s\" is \"%.*s\", not %s",
                    TEXT_ARGS(key), TEXT_ARGS(value), wanted);
}

// FIRN_OK if the fault is not heeded: the caller goes on with what is usual.
static firn_status say_wrong(const option_reader *self, text key, text value, const char *wanted,
                             firn_error *err) {
    char own[DELETE_KEY_MAX];
    return heeds(self, key) ? wrong(said_by(self, key, own), value, wanted, err) : FIRN_OK;
}

// *out stays as it is without the property.
static firn_status read_number(const option_reader *self, const char *name, uint64_t most,
                               uint64_t *out, firn_error *err) {
    const text key = text_of(name);
    text value;
    uint64_t number;
    if (!find(self, key, &value)) {
        return FIRN_OK;
    }
    if (number_parse_u64(value, &number) != NUMBER_OK || number == 0 || number > INT64_MAX) {
        return say_wrong(self, key, value, "a number above 0", err);
    }
    *out = number < most ? number : most;
    return FIRN_OK;
}

static firn_status read_small(const option_reader *self, const char *name, uint32_t most,
                              uint32_t *out, firn_error *err) {
    uint64_t number = *out;
    TRY(read_number(self, name, most, &number, err));
    *out = (uint32_t)number;
    return FIRN_OK;
}

static firn_status column_key(const option_reader *self, const char *beginning,
                              const ice_leaf *leaf, text *out, firn_error *err) {
    return text_format(self->memory, out, err, "%s%.*s", beginning, TEXT_ARGS(leaf->name));
}

static firn_status read_flag(const option_reader *self, text key, text value, bool *out,
                             firn_error *err) {
    *out = text_equal_nocase(value, TEXT("true"));
    return *out || text_equal_nocase(value, TEXT("false"))
               ? FIRN_OK
               : say_wrong(self, key, value, "true or false", err);
}

// ---- The file ----------------------------------------------------------------------------------

static firn_status read_format(const option_reader *self, firn_error *err) {
    const text key = TEXT("write.format.default");
    text format;
    char own[DELETE_KEY_MAX];
    if (!find(self, key, &format) || text_equal_nocase(format, TEXT("parquet")) ||
        !heeds(self, key)) {
        return FIRN_OK;
    }
    const text said = said_by(self, key, own);
    const firn_status status = FAIL(err, FIRN_UNSUPPORTED,
                                    "the table's files are to be \"%.*s\" (%.*s), only parquet is "
                                    "written",
                                    TEXT_ARGS(format), TEXT_ARGS(said));
    err_hint(err, "set the property %.*s to parquet", TEXT_ARGS(said));
    return status;
}

// Levels of zstd below its first are for those who want speed; that of gzip is its own.
static firn_status read_level(const option_reader *self, firn_error *err) {
    const text key = TEXT("write.parquet.compression-level");
    pw_options *writer = &self->out->writer;
    const int64_t least = writer->codec == CODEC_ZSTD ? 1 : 0;
    const int64_t most = writer->codec == CODEC_ZSTD ? 22 : writer->codec == CODEC_GZIP ? 12 : 0;
    text value;
    int64_t level;
    if (!find(self, key, &value) || most == 0) {
        return FIRN_OK;
    }
    if (number_parse_i64(value, &level) != NUMBER_OK || level > most) {
        // Who sets the codec answers for the level that is there.
        return heeds(self, TEXT(CODEC_KEY))
                   ? wrong(key, value, "a level of the codec", err)
                   : say_wrong(self, key, value, "a level of the codec", err);
    }
    writer->codec_level = (int)(level < least ? least : level);
    return FIRN_OK;
}

// Words are Java's and PyArrow's.
static firn_status read_codec(const option_reader *self, firn_error *err) {
    static const struct {
        const char *word;
        codec is;
    } words[] = {{"zstd", CODEC_ZSTD}, {"gzip", CODEC_GZIP},        {"snappy", CODEC_SNAPPY},
                 {"lz4", CODEC_LZ4},   {"lz4_raw", CODEC_LZ4},      {"none", CODEC_NONE},
                 {"", CODEC_NONE},     {"uncompressed", CODEC_NONE}};
    const text key = TEXT(CODEC_KEY);
    pw_options *writer = &self->out->writer;
    char own[DELETE_KEY_MAX];
    text value;
    if (find(self, key, &value)) {
        size_t i = 0;
        while (i < sizeof words / sizeof *words &&
               !text_equal_nocase(value, text_of(words[i].word))) {
            i++;
        }
        if (i == sizeof words / sizeof *words) {
            const text said = said_by(self, key, own);
            return !heeds(self, key)
                       ? FIRN_OK
                       : FAIL(err, FIRN_UNSUPPORTED,
                              "\"%.*s\" is \"%.*s\"; zstd, gzip, snappy, lz4 and uncompressed are "
                              "written",
                              TEXT_ARGS(said), TEXT_ARGS(value));
        }
        writer->codec = words[i].is;
        writer->codec_choice = PW_CODEC_GIVEN;
    }
    return read_level(self, err);
}

static firn_status read_sizes(const option_reader *self, firn_error *err) {
    pw_options *writer = &self->out->writer;
    TRY(read_number(self, "write.target-file-size-bytes", INT64_MAX, &self->out->file_size, err));
    TRY(read_number(self, "write.parquet.row-group-size-bytes", INT64_MAX, &writer->group_bytes,
                    err));
    TRY(read_number(self, "write.parquet.row-group-limit", INT32_MAX, &writer->group_rows, err));
    TRY(read_small(self, "write.parquet.page-size-bytes", PW_PAGE_BYTES_MAX, &writer->page_bytes,
                   err));
    TRY(read_small(self, "write.parquet.page-row-limit", PW_PAGE_ROWS_MAX, &writer->page_rows,
                   err));
    TRY(read_small(self, "write.parquet.dict-size-bytes", PW_PAGE_BYTES_MAX,
                   &writer->dictionary_bytes, err));
    TRY(read_small(self, "write.parquet.bloom-filter-max-bytes", PW_BLOOM_BYTES_MAX,
                   &writer->bloom_bytes_max, err));
    writer->bloom_bytes_max = writer->bloom_bytes_max < 32 ? 32 : writer->bloom_bytes_max;
    return FIRN_OK;
}

// ---- Columns -----------------------------------------------------------------------------------

static firn_status read_bloom(const option_reader *self, const ice_leaf *leaf, pw_leaf_options *out,
                              firn_error *err) {
    text key;
    text value;
    TRY(column_key(self, "write.parquet.bloom-filter-enabled.column.", leaf, &key, err));
    if (find(self, key, &value)) {
        TRY(read_flag(self, key, value, &out->has_bloom, err));
        // Two values need no filter, and the format has none for them.
        out->has_bloom = out->has_bloom && leaf->is->type->id != TYPE_BOOLEAN;
    }
    if (!out->has_bloom) {
        return FIRN_OK;
    }
    TRY(column_key(self, "write.parquet.bloom-filter-fpp.column.", leaf, &key, err));
    if (find(self, key, &value) && (number_parse_f64(value, &out->bloom_rate) != NUMBER_OK ||
                                    !(out->bloom_rate > 0) || !(out->bloom_rate < 1))) {
        return say_wrong(self, key, value, "a rate above 0 and below 1", err);
    }
    TRY(column_key(self, "write.parquet.bloom-filter-ndv.column.", leaf, &key, err));
    if (find(self, key, &value) &&
        (number_parse_u64(value, &out->bloom_values) != NUMBER_OK || out->bloom_values == 0)) {
        return say_wrong(self, key, value, "a number above 0", err);
    }
    return FIRN_OK;
}

static firn_status read_leaf(const option_reader *self, const ice_leaf *leaf, pw_leaf_options *out,
                             firn_error *err) {
    text key;
    text value;
    bool has_statistics = true;
    *out = self->out->writer.leaf;
    out->bound_bytes = ice_leaf_bound_bytes(leaf);
    TRY(column_key(self, "write.parquet.stats-enabled.column.", leaf, &key, err));
    if (find(self, key, &value)) {
        TRY(read_flag(self, key, value, &has_statistics, err));
    }
    out->statistics = has_statistics ? PW_STATISTICS_BOUNDS : PW_STATISTICS_COUNTS;
    return read_bloom(self, leaf, out, err);
}

static firn_status read_leaves(const option_reader *self, firn_error *err) {
    const ice_leaf_list *leaves = &self->out->leaves;
    pw_leaf_options *made = ARENA_NEW(self->memory, pw_leaf_options, (size_t)leaves->count + 1);
    if (made == NULL) {
        return ARENA_FULL(self->memory, err);
    }
    for (uint32_t i = 0; i < leaves->count; i++) {
        TRY(read_leaf(self, &leaves->items[i], &made[i], err));
    }
    self->out->writer.leaves = made;
    return FIRN_OK;
}

// ---- Metrics -----------------------------------------------------------------------------------

static bool keeps_order(ice_transform_kind kind) {
    return kind != ICE_BUCKET && kind != ICE_VOID && kind != ICE_UNKNOWN;
}

static bool is_sorted_by(const ice_metadata *metadata, const ice_leaf *leaf) {
    bool is_sorted = false;
    for (uint32_t i = 0; i < metadata->order.count; i++) {
        const ice_order_field *by = &metadata->order.fields[i];
        is_sorted |= by->source_id == leaf->is->id && keeps_order(by->transform.kind);
    }
    return is_sorted;
}

// What is none stays as it is, as in Java; but nobody is to set it.
static firn_status read_mode(const option_reader *self, text key, text value, ice_metrics_mode *out,
                             firn_error *err) {
    return ice_metrics_mode_read(value, out) || self->heeded.size == 0
               ? FIRN_OK
               : say_wrong(self, key, value, "none, counts, full or truncate(n)", err);
}

// The first leaves have the usual metrics and others none, unless a mode is said for all; columns
// that the table is sorted by have bounds always; and a column's own word comes before both.
static firn_status read_metrics(const option_reader *self, firn_error *err) {
    ice_metrics_mode usual = ICE_METRICS_USUAL;
    uint64_t limit = INFERRED_LEAVES;
    text value;
    const text usual_key = TEXT("write.metadata.metrics.default");
    const text limit_key = TEXT("write.metadata.metrics.max-inferred-column-defaults");
    if (find(self, usual_key, &value)) {
        TRY(read_mode(self, usual_key, value, &usual, err));
        limit = UINT64_MAX;
    } else if (find(self, limit_key, &value)) {
        uint64_t number;
        if (number_parse_u64(value, &number) == NUMBER_OK) {
            limit = number;
        } else if (self->heeded.size > 0) {
            TRY(say_wrong(self, limit_key, value, "a number", err));
        }
    }
    const ice_metrics_mode sorted =
        usual.kind == ICE_METRICS_FULL || usual.kind == ICE_METRICS_TRUNCATE ? usual
                                                                             : ICE_METRICS_USUAL;
    for (uint32_t i = 0; i < self->out->leaves.count; i++) {
        ice_leaf *leaf = &self->out->leaves.items[i];
        text key;
        leaf->mode = leaf->rank < limit ? usual : (ice_metrics_mode){.kind = ICE_METRICS_NONE};
        leaf->mode = is_sorted_by(self->metadata, leaf) ? sorted : leaf->mode;
        TRY(column_key(self, "write.metadata.metrics.column.", leaf, &key, err));
        if (find(self, key, &value)) {
            leaf->mode = usual;
            TRY(read_mode(self, key, value, &leaf->mode, err));
        }
    }
    return FIRN_OK;
}

static firn_status make(const option_reader *self, const schema *columns, firn_error *err) {
    ice_write_options *out = self->out;
    *out = (ice_write_options){.writer = pw_options_default(), .file_size = FILE_SIZE};
    out->writer.leaf.encodings = PW_ENCODINGS_JAVA;
    TRY(read_format(self, err));
    TRY(read_codec(self, err));
    TRY(read_sizes(self, err));
    TRY(ice_leaves_of(columns, self->memory, &out->leaves, err));
    TRY(read_metrics(self, err));
    return read_leaves(self, err);
}

firn_status ice_write_options_make(const ice_metadata *metadata, const firn_option *options,
                                   size_t option_count, const schema *columns, arena *memory,
                                   ice_write_options *out, firn_error *err) {
    const option_reader self = {.metadata = metadata,
                                .options = options,
                                .option_count = option_count,
                                .memory = memory,
                                .out = out};
    return make(&self, columns, err);
}

firn_status ice_delete_options_make(const ice_metadata *metadata, const schema *columns,
                                    arena *memory, ice_write_options *out, firn_error *err) {
    const option_reader self = {
        .metadata = metadata, .of_deletes = true, .memory = memory, .out = out};
    return make(&self, columns, err);
}

// ---- How rows go -------------------------------------------------------------------------------

firn_status ice_choice_read(text key, text value, const char *usual, const char *other,
                            bool *is_other, firn_error *err) {
    *is_other = text_equal_nocase(value, text_of(other));
    return *is_other || text_equal_nocase(value, text_of(usual))
               ? FIRN_OK
               : FAIL_SQL(err, FIRN_INVALID, "22023", NO_POSITION,
                          "\"%.*s\" is \"%.*s\", not %s or %s", TEXT_ARGS(key), TEXT_ARGS(value),
                          usual, other);
}

static firn_status check_choice(text key, text value, firn_error *err) {
    static const struct {
        const char *key, *usual, *other;
    } rows[] = {
        {"write.delete.mode", ICE_MODES},
        {"write.update.mode", ICE_MODES},
        {"write.merge.mode", ICE_MODES},
        {"write.delete.isolation-level", ICE_ISOLATIONS},
        {"write.update.isolation-level", ICE_ISOLATIONS},
        {"write.merge.isolation-level", ICE_ISOLATIONS},
        {ICE_GRANULARITY, "file", "partition"},
        {"commit.manifest-merge.enabled", "true", "false"},
        {"write.metadata.delete-after-commit.enabled", "true", "false"},
        {"write.object-storage.enabled", "true", "false"},
        {"write.object-storage.partitioned-paths", "true", "false"},
    };
    bool ignored;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (text_equal(key, text_of(rows[i].key))) {
            return ice_choice_read(key, value, rows[i].usual, rows[i].other, &ignored, err);
        }
    }
    return FIRN_OK;
}

// How rows come together before they are written, which others obey: words are Java's.
static firn_status check_distribution(text key, text value, firn_error *err) {
    static const char *const keys[] = {"write.distribution-mode", "write.delete.distribution-mode",
                                       "write.update.distribution-mode",
                                       "write.merge.distribution-mode"};
    const bool is_known = text_equal_nocase(value, TEXT("none")) ||
                          text_equal_nocase(value, TEXT("hash")) ||
                          text_equal_nocase(value, TEXT("range"));
    for (size_t i = 0; i < sizeof keys / sizeof *keys && !is_known; i++) {
        if (text_equal(key, text_of(keys[i]))) {
            return wrong(key, value, "none, hash or range", err);
        }
    }
    return FIRN_OK;
}

// Those of commits, which take what is usual where others have set what is no number.
static firn_status check_number(text key, text value, firn_error *err) {
    static const struct {
        const char *key;
        uint64_t least;
    } rows[] = {
        {"commit.manifest.target-size-bytes", 1},
        {"commit.manifest.min-count-to-merge", 1},
        {"commit.retry.num-retries", 0},
        {"commit.retry.min-wait-ms", 0},
        {"commit.retry.max-wait-ms", 0},
        {"commit.retry.total-timeout-ms", 0},
        {"write.metadata.previous-versions-max", 1},
    };
    uint64_t number;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (text_equal(key, text_of(rows[i].key))) {
            return number_parse_u64(value, &number) == NUMBER_OK && number >= rows[i].least
                       ? FIRN_OK
                       : wrong(key, value,
                               rows[i].least == 0 ? "a number from 0 on" : "a number above 0", err);
        }
    }
    return FIRN_OK;
}

firn_status ice_write_property_check(const ice_metadata *metadata, const schema *columns, text key,
                                     text value, arena *memory, firn_error *err) {
    static const schema none = {.count = 0};
    ice_write_options ignored;
    const option_reader of_data = {
        .metadata = metadata, .heeded = key, .memory = memory, .out = &ignored};
    option_reader of_deletes = of_data;
    of_deletes.of_deletes = true;
    if (key.size == 0) {
        return FIRN_OK;
    }
    TRY(check_choice(key, value, err));
    TRY(check_distribution(key, value, err));
    TRY(check_number(key, value, err));
    TRY(make(&of_data, columns, err));
    return make(&of_deletes, &none, err); // Nothing is said of their columns.
}
