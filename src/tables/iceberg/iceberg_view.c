#include "tables/iceberg/iceberg_view.h"

#include "memory/json_tree.h"
#include "memory/text_builder.h"
#include "tables/iceberg/iceberg_metadata.h"
#include "tables/iceberg/iceberg_view_private.h"

firn_status view_find_numbered(const json_node *root, const char *key, const char *id,
                               int64_t number, const json_node **out, firn_error *err) {
    const json_node *list;
    TRY(json_get_array(root, key, &list, err));
    *out = json_find_numbered(list, id, number);
    return *out != NULL ? FIRN_OK
                        : json_node_fail(list, err, "has no element with \"%s\" %lld", id,
                                         (long long)number);
}

static int rank_of(text dialect) {
    return text_equal_nocase(dialect, TEXT("firn"))    ? 3
           : text_equal_nocase(dialect, TEXT("spark")) ? 2
                                                       : 1;
}

static firn_status take_sql(const json_node *version, view_definition *out, firn_error *err) {
    const json_node *list;
    int best = 0;
    TRY(json_get_array(version, "representations", &list, err));
    for (const json_node *each = list->first; each != NULL; each = each->next) {
        text kind;
        text dialect = {0};
        TRY(json_as_object(each, err));
        TRY(json_get_text(each, "type", &kind, err));
        TRY(json_want_text(each, "dialect", &dialect, err));
        if (text_equal_nocase(kind, TEXT("sql")) && rank_of(dialect) > best) {
            best = rank_of(dialect);
            out->dialect = best == 3 ? (text){.size = 0} : dialect;
            TRY(json_get_text(each, "sql", &out->sql, err));
        }
    }
    return best > 0 ? FIRN_OK : FAIL(err, FIRN_UNSUPPORTED, "the view has no SQL");
}

static firn_status take_texts(const json_node *list, arena *memory, text_list *out,
                              firn_error *err) {
    out->items = ARENA_NEW(memory, text, (size_t)list->count + 1);
    if (out->items == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (const json_node *each = list->first; each != NULL; each = each->next) {
        TRY(json_as_text(each, &out->items[out->count++], err));
    }
    return FIRN_OK;
}

static firn_status take_columns(const json_node *root, const json_node *version, arena *memory,
                                view_definition *out, firn_error *err) {
    const json_node *found;
    const json_node *fields;
    int64_t id;
    TRY(json_get_i64(version, "schema-id", &id, err));
    TRY(view_find_numbered(root, "schemas", "schema-id", id, &found, err));
    TRY(json_get_array(found, "fields", &fields, err));
    out->columns.items = ARENA_NEW(memory, text, (size_t)fields->count + 1);
    if (out->columns.items == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (const json_node *each = fields->first; each != NULL; each = each->next) {
        TRY(json_as_object(each, err));
        TRY(json_get_text(each, "name", &out->columns.items[out->columns.count++], err));
    }
    return FIRN_OK;
}

// Those that are texts, and that a view can be made with: what others have put there does not keep
// it from being read.
static firn_status take_properties(const json_node *root, arena *memory, view_definition *out,
                                   firn_error *err) {
    const json_node *list = json_find(root, "properties");
    if (list == NULL || list->kind != JSON_OBJECT) {
        return FIRN_OK;
    }
    firn_option *made = ARENA_NEW(memory, firn_option, (size_t)list->count + 1);
    if (made == NULL) {
        return ARENA_FULL(memory, err);
    }
    out->properties = made;
    for (const json_node *each = list->first; each != NULL; each = each->next) {
        text key;
        text value;
        if (each->kind != JSON_STRING || view_is_reserved(each->key)) {
            continue;
        }
        if (text_equal(each->key, TEXT("comment"))) {
            out->comment = each->value;
            continue;
        }
        TRY(text_copy(memory, each->key, &key, err)); // With a NUL behind it.
        TRY(text_copy(memory, each->value, &value, err));
        made[out->property_count++] = (firn_option){.key = key.data, .value = value.data};
    }
    return FIRN_OK;
}

firn_status ice_view_read(bytes file, text alias, arena *memory, view_definition **out,
                          firn_error *err) {
    const json_node *root;
    const json_node *version;
    const json_node *space;
    int64_t id;
    view_definition *made = ARENA_NEW(memory, view_definition, 1);
    if (made == NULL) {
        return ARENA_FULL(memory, err);
    }
    *made = (view_definition){.catalog = alias, .owner = alias};
    TRY(ice_json_read(file, memory, &root, err));
    TRY(json_as_object(root, err));
    TRY(json_get_i64(root, "current-version-id", &id, err));
    TRY(view_find_numbered(root, "versions", "version-id", id, &version, err));
    TRY(json_get_array(version, "default-namespace", &space, err));
    text_list levels = {0};
    TRY(take_texts(space, memory, &levels, err));
    made->space = (namespace_path){.count = levels.count, .items = levels.items};
    TRY(json_want_text(version, "default-catalog", &made->catalog, err));
    TRY(take_sql(version, made, err));
    TRY(take_columns(root, version, memory, made, err));
    TRY(take_properties(root, memory, made, err));
    *out = made;
    return FIRN_OK;
}
