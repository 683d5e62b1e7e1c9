#include "tables/iceberg/iceberg_columns.h"

#include "base/nearest.h"
#include "memory/name_index.h"

// ---- Finding -----------------------------------------------------------------------------------

static const field *child_of(uint32_t count, const field *fields, text name) {
    const field *any_case = NULL;
    for (uint32_t i = 0; i < count; i++) {
        if (text_equal(fields[i].name, name)) {
            return &fields[i];
        }
        if (any_case == NULL && text_equal_nocase(fields[i].name, name)) {
            any_case = &fields[i];
        }
    }
    return any_case;
}

const field *ice_column_find(const schema *columns, text_list path) {
    const field *at = NULL;
    uint32_t count = columns->count;
    const field *fields = columns->fields;
    for (uint32_t i = 0; i < path.count; i++) {
        at = child_of(count, fields, path.items[i]);
        if (at == NULL) {
            return NULL;
        }
        count = at->type->child_count;
        fields = at->type->children;
    }
    return at;
}

firn_status ice_path_print(text_list path, arena *memory, text *out, firn_error *err) {
    text_builder builder = text_builder_open(memory);
    for (uint32_t i = 0; i < path.count; i++) {
        if (i > 0) {
            text_append_char(&builder, '.');
        }
        text_append(&builder, path.items[i]);
    }
    return text_builder_finish(&builder, out, err);
}

firn_status ice_column_get(const schema *columns, text_list path, const field **out,
                           firn_error *err) {
    *out = ice_column_find(columns, path);
    if (*out != NULL) {
        return FIRN_OK;
    }
    const text last = path.count == 0 ? TEXT("") : path.items[path.count - 1];
    const text_list above = {.count = path.count == 0 ? 0 : path.count - 1, .items = path.items};
    const field *parent = ice_column_find(columns, above);
    const firn_status status = FAIL_SQL(err, FIRN_NOT_FOUND, "42703", NO_POSITION,
                                        "the table has no column \"%.*s\"", TEXT_ARGS(last));
    nearest_name near = nearest_to(last);
    const uint32_t count = parent == NULL ? columns->count : parent->type->child_count;
    const field *fields = parent == NULL ? columns->fields : parent->type->children;
    for (uint32_t i = 0; i < count; i++) {
        nearest_offer(&near, fields[i].name);
    }
    (void)nearest_hint(&near, err);
    return status;
}

// Recursion is bounded by TYPE_DEPTH_MAX.
static firn_status check_names(uint32_t count, const field *fields, firn_error *err) {
    arena memory = arena_open((size_t)64 << 20);
    name_index names = {.count = 0};
    firn_status status = FIRN_OK;
    for (uint32_t i = 0; i < count && status == FIRN_OK; i++) {
        if (name_index_first(&names, fields[i].name) != NO_NAME) {
            status = FAIL_SQL(err, FIRN_INVALID, "42701", NO_POSITION,
                              "the column \"%.*s\" is there twice", TEXT_ARGS(fields[i].name));
            break;
        }
        status = name_index_add(&names, fields[i].name, &memory, err);
        status = status == FIRN_OK
                     ? check_names(fields[i].type->child_count, fields[i].type->children, err)
                     : status;
    }
    arena_close(&memory);
    return status;
}

firn_status ice_columns_check(const schema *columns, firn_error *err) {
    return check_names(columns->count, columns->fields, err);
}

// ---- Transforms --------------------------------------------------------------------------------

firn_status ice_transform_want(text written, ice_transform *out, firn_error *err) {
    static const struct {
        const char *word;
        ice_transform_kind kind;
    } words[] = {{"", ICE_IDENTITY}, {"years", ICE_YEAR}, {"months", ICE_MONTH},  {"days", ICE_DAY},
                 {"date", ICE_DAY},  {"hours", ICE_HOUR}, {"date_hour", ICE_HOUR}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (text_equal_nocase(written, text_of(words[i].word))) {
            *out = (ice_transform){.kind = words[i].kind, .width = 1};
            return FIRN_OK;
        }
    }
    *out = ice_transform_read(written);
    return out->kind != ICE_UNKNOWN && out->kind != ICE_VOID
               ? FIRN_OK
               : FAIL_SQL(err, FIRN_INVALID, "42704", NO_POSITION,
                          "\"%.*s\" is no transform: identity, bucket[n], truncate[n], year, "
                          "month, day and hour are",
                          TEXT_ARGS(written));
}

static bool is_in_list(const schema *columns, text_list path) {
    for (uint32_t i = 1; i < path.count; i++) {
        const field *above = ice_column_find(columns, (text_list){.count = i, .items = path.items});
        if (above == NULL || above->type->id != TYPE_STRUCT) {
            return true;
        }
    }
    return false;
}

static firn_status source_of(const schema *columns, text_list path, const ice_transform *transform,
                             const field **out, firn_error *err) {
    TRY(ice_column_get(columns, path, out, err));
    if (is_in_list(columns, path) || type_is_nested((*out)->type) ||
        ice_transform_result(transform, (*out)->type) == NULL) {
        return FAIL_SQL(err, FIRN_INVALID, "42804", NO_POSITION,
                        "the column \"%.*s\" has no transform \"%.*s\"",
                        TEXT_ARGS(path.items[path.count - 1]),
                        TEXT_ARGS(ice_transform_name(transform)));
    }
    return FIRN_OK;
}

static firn_status print_name(text column, const ice_transform *transform, bool is_added,
                              arena *memory, text *out, firn_error *err) {
    static const char *const endings[ICE_TRANSFORM_COUNT] = {
        [ICE_BUCKET] = "_bucket", [ICE_TRUNCATE] = "_trunc", [ICE_YEAR] = "_year",
        [ICE_MONTH] = "_month",   [ICE_DAY] = "_day",        [ICE_HOUR] = "_hour",
        [ICE_VOID] = "_null"};
    const char *ending = endings[transform->kind] == NULL ? "" : endings[transform->kind];
    const bool has_width = transform->kind == ICE_BUCKET || transform->kind == ICE_TRUNCATE;
    return is_added && has_width
               ? text_format(memory, out, err, "%.*s%s_%d", TEXT_ARGS(column), ending,
                             transform->width)
               : text_format(memory, out, err, "%.*s%s", TEXT_ARGS(column), ending);
}

// The path as the schema spells it.
static firn_status spell_path(const schema *columns, text_list path, arena *memory, text *out,
                              firn_error *err) {
    text *names = ARENA_NEW(memory, text, (size_t)path.count + 1);
    if (names == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t i = 0; i < path.count; i++) {
        names[i] = ice_column_find(columns, (text_list){.count = i + 1, .items = path.items})->name;
    }
    return ice_path_print((text_list){.count = path.count, .items = names}, memory, out, err);
}

firn_status ice_partition_make(const schema *columns, const partition_field *wanted, bool is_added,
                               arena *memory, ice_partition_field *out, firn_error *err) {
    const field *source;
    text column;
    *out = (ice_partition_field){.field_id = -1};
    TRY(ice_transform_want(wanted->transform, &out->transform, err));
    TRY(source_of(columns, wanted->path, &out->transform, &source, err));
    out->source_id = source->id;
    if (wanted->name.size > 0) {
        return text_copy(memory, wanted->name, &out->name, err);
    }
    TRY(spell_path(columns, wanted->path, memory, &column, err));
    return print_name(column, &out->transform, is_added, memory, &out->name, err);
}

static bool is_time(ice_transform_kind kind) {
    return kind == ICE_YEAR || kind == ICE_MONTH || kind == ICE_DAY || kind == ICE_HOUR;
}

firn_status ice_partition_check(const schema *columns, const ice_spec *beside,
                                const ice_partition_field *added, firn_error *err) {
    const field *column = child_of(columns->count, columns->fields, added->name);
    if (column != NULL && text_equal(column->name, added->name) &&
        (added->transform.kind != ICE_IDENTITY || column->id != added->source_id)) {
        return FAIL_SQL(err, FIRN_INVALID, "42701", NO_POSITION,
                        "the partition field \"%.*s\" has the name of a column",
                        TEXT_ARGS(added->name));
    }
    for (uint32_t i = 0; i < beside->count; i++) {
        const ice_partition_field *each = &beside->fields[i];
        if (text_equal(each->name, added->name)) {
            return FAIL_SQL(err, FIRN_INVALID, "42701", NO_POSITION,
                            "there is a partition field \"%.*s\" already", TEXT_ARGS(added->name));
        }
        const bool is_same = each->transform.kind == added->transform.kind &&
                             each->transform.width == added->transform.width;
        if (each->source_id == added->source_id &&
            (is_same || (is_time(each->transform.kind) && is_time(added->transform.kind)))) {
            // Of times the finer one says the coarser: hours say days.
            const bool is_finer = added->transform.kind > each->transform.kind;
            const text less = is_finer ? each->name : added->name;
            const text more = is_finer ? added->name : each->name;
            return FAIL_SQL(err, FIRN_INVALID, "42701", NO_POSITION,
                            "the partition field \"%.*s\" says no more than \"%.*s\"",
                            TEXT_ARGS(less), TEXT_ARGS(more));
        }
    }
    return FIRN_OK;
}

bool ice_partition_equal(const ice_partition_field *left, const ice_partition_field *right) {
    return left->source_id == right->source_id && left->transform.kind == right->transform.kind &&
           left->transform.width == right->transform.width;
}

firn_status ice_partition_last_id(const ice_metadata *metadata, const json_node *root, int32_t *out,
                                  firn_error *err) {
    int32_t last = ICE_PARTITION_ID_FIRST - 1;
    for (uint32_t i = 0; i < metadata->spec_count; i++) {
        for (uint32_t j = 0; j < metadata->specs[i].count; j++) {
            const int32_t id = metadata->specs[i].fields[j].field_id;
            last = id > last ? id : last;
        }
    }
    *out = last;
    TRY(root == NULL ? FIRN_OK : json_want_i32(root, "last-partition-id", out, err));
    *out = last > *out ? last : *out;
    return FIRN_OK;
}

firn_status ice_partition_number(const ice_metadata *metadata, ice_partition_field *added,
                                 int32_t *last, firn_error *err) {
    for (uint32_t i = 0; i < metadata->spec_count && metadata->format_version > 1; i++) {
        for (uint32_t j = 0; j < metadata->specs[i].count; j++) {
            if (ice_partition_equal(&metadata->specs[i].fields[j], added)) {
                added->field_id = metadata->specs[i].fields[j].field_id;
                return FIRN_OK;
            }
        }
    }
    if (*last == INT32_MAX) {
        return FAIL(err, FIRN_INVALID,
                    "the table has had as many partition fields as there are ids");
    }
    added->field_id = ++*last;
    return FIRN_OK;
}

firn_status ice_partition_give_name(uint32_t count, ice_partition_field *fields, text name,
                                    arena *memory, firn_error *err) {
    for (uint32_t i = 0; i < count; i++) {
        if (fields[i].transform.kind == ICE_VOID && text_equal(fields[i].name, name)) {
            return text_format(memory, &fields[i].name, err, "%.*s_%d", TEXT_ARGS(name),
                               fields[i].field_id);
        }
    }
    return FIRN_OK;
}

// ---- Orders ------------------------------------------------------------------------------------

firn_status ice_order_make(const schema *columns, uint32_t count, const order_key *keys,
                           arena *memory, ice_order *out, firn_error *err) {
    ice_order_field *fields = ARENA_NEW(memory, ice_order_field, (size_t)count + 1);
    if (fields == NULL) {
        return ARENA_FULL(memory, err);
    }
    *out = (ice_order){.id = count > 0 ? 1 : 0, .count = count, .fields = fields};
    for (uint32_t i = 0; i < count; i++) {
        const field *source;
        fields[i] = (ice_order_field){.is_descending = keys[i].is_descending,
                                      .nulls_first = keys[i].nulls_first};
        TRY(ice_transform_want(keys[i].transform, &fields[i].transform, err));
        TRY(source_of(columns, keys[i].path, &fields[i].transform, &source, err));
        fields[i].source_id = source->id;
    }
    return FIRN_OK;
}
