#include "tables/iceberg/iceberg_data.h"

static const ice_data_kind *const kinds[] = {&ice_parquet_data, &ice_avro_data};

firn_status ice_data_open(text path, text format, const ice_read *what, const scan_env *env,
                          ice_data_reader **out, firn_error *err) {
    const ice_data_kind *kind = NULL;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (text_equal_nocase(format, text_of(kinds[i]->format))) {
            kind = kinds[i];
        }
    }
    if (kind == NULL) {
        return FAIL(err, FIRN_UNSUPPORTED, "%.*s is of format %.*s, Parquet and Avro are read",
                    TEXT_ARGS(path), TEXT_ARGS(format));
    }
    return kind->open(path, what, env, out, err);
}

firn_status ice_data_check_rows(const ice_read *what, uint64_t rows, firn_error *err) {
    if (rows != what->row_count) {
        return FAIL(err, FIRN_CORRUPT, "the file has %llu rows, %llu stand in its manifest",
                    (unsigned long long)rows, (unsigned long long)what->row_count);
    }
    return FIRN_OK;
}

void ice_data_close(ice_data_reader *self) {
    if (self != NULL) {
        self->kind->close(self);
    }
}
