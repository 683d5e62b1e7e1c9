#include "formats/parquet/write/pw_options.h"

#include "base/utf8.h"

#define BLOOM_BYTES_MIN 32 // One block.

#define WORDS_OF(number) #number
#define WORDS(number) WORDS_OF(number)
#define CREATED_BY                                                                                 \
    "firn version " WORDS(FIRN_VERSION_MAJOR) "." WORDS(FIRN_VERSION_MINOR) "." WORDS(             \
        FIRN_VERSION_PATCH)

#define INVALID(err, ...) FAIL_SQL((err), FIRN_INVALID, "22023", NO_POSITION, __VA_ARGS__)

pw_options pw_options_default(void) {
    return (pw_options){
        .group_bytes = UINT64_C(128) << 20,
        .group_rows = UINT64_C(1) << 20,
        .page_bytes = UINT32_C(1) << 20,
        .page_rows = 20000,
        .dictionary_bytes = UINT32_C(1) << 20,
        .bloom_bytes_max = UINT32_C(1) << 20,
        .codec_choice = PW_CODEC_CHOSEN,
        .codec = CODEC_ZSTD,
        .has_page_index = true,
        .has_checksums = true,
        .leaf =
            {
                .bloom_rate = 0.01,
                .statistics = PW_STATISTICS_BOUNDS,
                .bound_bytes = 64,
                .encodings = PW_ENCODINGS_ALL,
            },
        .created_by = TEXT(CREATED_BY),
    };
}

static firn_status check_range(const char *name, uint64_t value, uint64_t least, uint64_t most,
                               firn_error *err) {
    if (value < least || value > most) {
        return INVALID(err, "%s is %llu, it may be %llu to %llu", name, (unsigned long long)value,
                       (unsigned long long)least, (unsigned long long)most);
    }
    return FIRN_OK;
}

static firn_status check_sizes(const pw_options *self, firn_error *err) {
    TRY(check_range("group_bytes", self->group_bytes, 1, INT64_MAX, err));
    TRY(check_range("group_rows", self->group_rows, 1, INT64_MAX, err));
    TRY(check_range("page_bytes", self->page_bytes, 1, PW_PAGE_BYTES_MAX, err));
    TRY(check_range("page_rows", self->page_rows, 1, PW_PAGE_ROWS_MAX, err));
    TRY(check_range("dictionary_bytes", self->dictionary_bytes, 0, PW_PAGE_BYTES_MAX, err));
    return check_range("bloom_bytes_max", self->bloom_bytes_max, BLOOM_BYTES_MIN,
                       PW_BLOOM_BYTES_MAX, err);
}

static firn_status check_codec(const pw_options *self, firn_error *err) {
    int level_max = 0;
    switch ((int)self->codec) {
    case CODEC_NONE:
    case CODEC_SNAPPY:
        break;
    case CODEC_GZIP:
    case CODEC_LZ4:
        level_max = 12;
        break;
    case CODEC_ZSTD:
        level_max = 22;
        break;
    default:
        return INVALID(err, "codec is %s, files are written with none, snappy, gzip, zstd or lz4",
                       (int)self->codec >= 0 && self->codec < CODEC_COUNT ? codec_word(self->codec)
                                                                          : "unknown");
    }
    if (self->codec_level < 0 || self->codec_level > level_max) {
        return INVALID(err, "codec_level is %d, with %s it may be 0 to %d", self->codec_level,
                       codec_word(self->codec), level_max);
    }
    TRY(check_range("codec_choice", (uint64_t)self->codec_choice, PW_CODEC_CHOSEN, PW_CODEC_GIVEN,
                    err));
    return FIRN_OK;
}

static firn_status check_leaf(const pw_leaf_options *self, firn_error *err) {
    if (self->has_bloom && !(self->bloom_rate > 0 && self->bloom_rate < 1)) {
        return INVALID(err, "bloom_rate is %g, it must be above 0 and below 1", self->bloom_rate);
    }
    TRY(check_range("statistics", (uint64_t)self->statistics, PW_STATISTICS_NONE,
                    PW_STATISTICS_BOUNDS, err));
    TRY(check_range("bound_bytes", self->bound_bytes,
                    self->statistics == PW_STATISTICS_BOUNDS ? 1 : 0, UINT32_MAX, err));
    return check_range("encodings", self->encodings, 0, PW_ENCODINGS_ALL, err);
}

static firn_status check_sorting(const pw_options *self, uint32_t leaf_count, firn_error *err) {
    for (uint32_t i = 0; i < self->sorting_count; i++) {
        const uint32_t leaf = self->sorting[i].leaf;
        if (leaf >= leaf_count) {
            return INVALID(err, "sorting by leaf %u of %u", leaf, leaf_count);
        }
        for (uint32_t k = 0; k < i; k++) {
            if (self->sorting[k].leaf == leaf) {
                return INVALID(err, "sorting by leaf %u twice", leaf);
            }
        }
    }
    return FIRN_OK;
}

static bool is_utf8(text value) {
    return utf8_is_valid(bytes_of_text(value));
}

static firn_status check_key_values(const pw_options *self, firn_error *err) {
    for (uint32_t i = 0; i < self->key_value_count; i++) {
        const pw_key_value *pair = &self->key_values[i];
        if (pair->key.size > INT32_MAX || pair->value.size > INT32_MAX) {
            return INVALID(err,
                           "key_values: key %u and its value take %zu and %zu bytes, each may "
                           "take %d",
                           i, pair->key.size, pair->value.size, INT32_MAX);
        }
        if (!is_utf8(pair->key) || !is_utf8(pair->value)) {
            return INVALID(err, "key_values: key %u or its value is not UTF-8", i);
        }
    }
    return FIRN_OK;
}

firn_status pw_options_check(const pw_options *self, uint32_t leaf_count, firn_error *err) {
    TRY(check_sizes(self, err));
    TRY(check_codec(self, err));
    TRY(check_leaf(&self->leaf, err));
    for (uint32_t leaf = 0; self->leaves != NULL && leaf < leaf_count; leaf++) {
        const firn_status status = check_leaf(&self->leaves[leaf], err);
        if (status != FIRN_OK) {
            err_while(err, "looking at the options of leaf %u", leaf);
            return status;
        }
    }
    TRY(check_sorting(self, leaf_count, err));
    return check_key_values(self, err);
}
