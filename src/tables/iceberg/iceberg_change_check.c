// Whether a step of rows may stand on top of what others committed meanwhile.
//
// Specification: apache/iceberg, format/spec.md, "Commit Conflict Resolution and Retry".
#include "tables/iceberg/iceberg_change_rows.h"

// ---- The schema and the specs ------------------------------------------------------------------

// What readers turn old files' values into (ice_scalar_of_bytes and the Parquet readers do).
static bool is_promoted(const type *from, const type *to) {
    if (type_same_values(from, to)) {
        return true;
    }
    return (from->id == TYPE_INTEGER && to->id == TYPE_BIGINT) ||
           (from->id == TYPE_REAL && to->id == TYPE_DOUBLE) ||
           (from->id == TYPE_DECIMAL && to->id == TYPE_DECIMAL && from->scale == to->scale &&
            from->precision <= to->precision);
}

static firn_status gone(firn_error *err, text name, const char *what) {
    return FAIL(err, FIRN_CONFLICT, "the column \"%.*s\" was %s meanwhile", TEXT_ARGS(name), what);
}

// Columns of the written files as the table has them now. Recursion is bounded by TYPE_DEPTH_MAX.
static firn_status check_fields(const ice_step *step, const ice_schema *now, uint32_t count,
                                const field *fields, firn_error *err) {
    for (uint32_t i = 0; i < count; i++) {
        const field *was = &fields[i];
        const field *is = ice_schema_find(&now->columns, was->id);
        const bool is_own = was->id > step->last_column_id;
        if (is == NULL) { // Its values are not seen any more, which does no harm.
            TRY(is_own ? gone(err, was->name, "given another id") : FIRN_OK);
            continue;
        }
        if (is_own && !text_equal(is->name, was->name)) {
            return gone(err, was->name, "given another id");
        }
        if (!type_is_nested(was->type) && !is_promoted(was->type, is->type)) {
            return gone(err, was->name, "given another type");
        }
        if (!is->is_nullable && was->is_nullable) {
            return gone(err, was->name, "made NOT NULL");
        }
        TRY(check_fields(step, now, was->type->child_count, was->type->children, err));
    }
    return FIRN_OK;
}

// A column that every row must have now, and the written rows lack.
static firn_status check_required(const ice_step *step, const ice_schema *now, firn_error *err) {
    for (uint32_t i = 0; i < now->columns.count; i++) {
        const field *is = &now->columns.fields[i];
        if (!is->is_nullable && ice_schema_find(&step->schema.columns, is->id) == NULL) {
            return FAIL(err, FIRN_CONFLICT, "the column \"%.*s\" was added meanwhile as NOT NULL",
                        TEXT_ARGS(is->name));
        }
    }
    return FIRN_OK;
}

static bool is_same_spec(const ice_spec *left, const ice_spec *right) {
    bool is_same = left->count == right->count;
    for (uint32_t i = 0; is_same && i < left->count; i++) {
        const ice_partition_field *a = &left->fields[i];
        const ice_partition_field *b = &right->fields[i];
        is_same = a->source_id == b->source_id && a->field_id == b->field_id &&
                  a->transform.kind == b->transform.kind &&
                  a->transform.width == b->transform.width;
    }
    return is_same;
}

static firn_status check_specs(const ice_step *step, const ice_metadata *now, firn_error *err) {
    for (uint32_t i = 0; i < step->rows.added_count; i++) {
        const int32_t id = step->rows.added[i].spec_id;
        const ice_spec *is = ice_metadata_spec(now, id);
        for (uint32_t j = 0; j < step->spec_count; j++) {
            if (step->specs[j].id == id && (is == NULL || !is_same_spec(&step->specs[j], is))) {
                return FAIL(err, FIRN_CONFLICT,
                            "the table is partitioned in another way meanwhile");
            }
        }
    }
    return FIRN_OK;
}

firn_status ice_change_check_rows(ice_table_change *self, const ice_play *before,
                                  const ice_play *play, const ice_step *step, firn_error *err) {
    const ice_schema *now = ice_metadata_schema(&play->metadata, play->metadata.current_schema_id);
    (void)self;
    (void)before;
    TRY(check_fields(step, now, step->schema.columns.count, step->schema.columns.fields, err));
    TRY(check_required(step, now, err));
    return check_specs(step, &play->metadata, err);
}
