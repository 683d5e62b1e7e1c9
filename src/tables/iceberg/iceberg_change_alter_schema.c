// Alterations of columns. The schema's JSON is edited, so that what it says besides stays.
#include "tables/iceberg/iceberg_change_alter.h"
#include "tables/iceberg/iceberg_columns.h"

typedef struct schema_edit {
    json_editor edit;
    const alteration *wanted;
    const ice_table_change *change;
    const ice_play *play;
    const json_node *schema; // The root of what is edited.
    int32_t last_id;
    int64_t renamed_id; // -1: none.
    bool is_empty;      // The table has no rows, nor ever had.
} schema_edit;

static text name_of(const json_node *field) {
    const json_node *name = json_find(field, "name");
    return name == NULL || name->kind != JSON_STRING ? (text){.size = 0} : name->value;
}

static const json_node *find_field(const json_node *fields, text name) {
    const json_node *any_case = NULL;
    for (const json_node *each = fields->first; each != NULL; each = each->next) {
        if (text_equal(name_of(each), name)) {
            return each;
        }
        if (any_case == NULL && text_equal_nocase(name_of(each), name)) {
            any_case = each;
        }
    }
    return any_case;
}

static firn_status no_column(const json_node *fields, text name, firn_error *err) {
    const firn_status status = FAIL_SQL(err, FIRN_NOT_FOUND, "42703", NO_POSITION,
                                        "the table has no column \"%.*s\"", TEXT_ARGS(name));
    nearest_name near = nearest_to(name);
    for (const json_node *each = fields == NULL ? NULL : fields->first; each != NULL;
         each = each->next) {
        nearest_offer(&near, name_of(each));
    }
    (void)nearest_hint(&near, err);
    return status;
}

static firn_status refuse(firn_error *err, const char *what, text name) {
    return FAIL_SQL(err, FIRN_INVALID, "0A000", NO_POSITION, "the column \"%.*s\" %s",
                    TEXT_ARGS(name), what);
}

static const json_node *put(schema_edit *self, const json_node *object, const char *key,
                            const json_node *value) {
    return self->edit.is_full ? object : json_edit_member(&self->edit, object, text_of(key), value);
}

// ---- Places ------------------------------------------------------------------------------------

// `fields` with `field` where it is wanted. It is not among them.
static firn_status place(schema_edit *self, const json_node *fields, const json_node *field,
                         const json_node **out, firn_error *err) {
    const column_place *where = &self->wanted->place;
    const bool is_beside = where->kind == PLACE_AFTER || where->kind == PLACE_BEFORE;
    const json_node *beside = is_beside ? find_field(fields, where->beside) : NULL;
    const json_node *made = json_edit_array(&self->edit);
    if (is_beside && beside == NULL) {
        return no_column(fields, where->beside, err);
    }
    TRY(json_edit_check(&self->edit, err));
    if (where->kind == PLACE_FIRST) {
        made = json_edit_append(&self->edit, made, field);
    }
    for (const json_node *each = fields->first; each != NULL; each = each->next) {
        TRY(json_edit_check(&self->edit, err));
        if (each == beside && where->kind == PLACE_BEFORE) {
            made = json_edit_append(&self->edit, made, field);
            TRY(json_edit_check(&self->edit, err));
        }
        made = json_edit_append(&self->edit, made, each);
        TRY(json_edit_check(&self->edit, err));
        if (each == beside && where->kind == PLACE_AFTER) {
            made = json_edit_append(&self->edit, made, field);
        }
    }
    TRY(json_edit_check(&self->edit, err));
    if (where->kind == PLACE_LAST) {
        made = json_edit_append(&self->edit, made, field);
    }
    *out = made;
    return json_edit_check(&self->edit, err);
}

// `fields` with `now` in the place of `was`; `now` NULL: without it.
static firn_status replace(schema_edit *self, const json_node *fields, const json_node *was,
                           const json_node *now, const json_node **out, firn_error *err) {
    const json_node *made = json_edit_array(&self->edit);
    TRY(json_edit_check(&self->edit, err));
    for (const json_node *each = fields->first; each != NULL; each = each->next) {
        const json_node *kept = each == was ? now : each;
        made = kept == NULL ? made : json_edit_append(&self->edit, made, kept);
        TRY(json_edit_check(&self->edit, err));
    }
    *out = made;
    return FIRN_OK;
}

// ---- Types -------------------------------------------------------------------------------------

// A column as Iceberg has it, with ids of its own, as JSON.
static firn_status make_field(schema_edit *self, text name, const json_node **out,
                              const type **converted, firn_error *err) {
    const alteration *wanted = self->wanted;
    const field asked = {
        .name = name, .type = wanted->type, .is_nullable = wanted->is_nullable, .id = -1};
    const column_note note = {.comment = wanted->comment};
    ice_schema made = {.id = 0, .notes = &note};
    const schema columns = {.count = 1, .fields = &asked};
    const json_node *tree;
    const json_node *fields;
    text json;
    TRY(ice_schema_assign(&columns, NULL, self->play->metadata.format_version, self->edit.memory,
                          &self->last_id, &made.columns, err));
    TRY(ice_columns_check(&made.columns, err));
    text_builder builder = text_builder_open(self->edit.memory);
    json_writer writer = json_writer_into(&builder, 0);
    ice_schema_write(&writer, &made);
    json_writer_finish(&writer);
    TRY(text_builder_finish(&builder, &json, err));
    TRY(json_tree_read(self->edit.memory, bytes_of_text(json), &tree, err));
    TRY(json_get_array(tree, "fields", &fields, err));
    *out = fields->first;
    *converted = made.columns.fields[0].type;
    return FIRN_OK;
}

static bool can_become(const type *from, const type *to) {
    return type_equal(from, to) || (from->id == TYPE_INTEGER && to->id == TYPE_BIGINT) ||
           (from->id == TYPE_REAL && to->id == TYPE_DOUBLE) ||
           (from->id == TYPE_DECIMAL && to->id == TYPE_DECIMAL && from->scale == to->scale &&
            from->precision <= to->precision);
}

// The JSON of the wanted type, for what has type `from` now.
static firn_status promote(schema_edit *self, const field *from, const json_node **out,
                           firn_error *err) {
    const json_node *made;
    const type *to;
    const int32_t last = self->last_id;
    if (type_is_nested(from->type) || type_is_nested(self->wanted->type)) {
        return refuse(err, "cannot change its type: only the fields inside can", from->name);
    }
    TRY(make_field(self, from->name, &made, &to, err));
    self->last_id = last;
    if (!can_become(from->type, to)) {
        const text is = type_text(from->type, self->edit.memory);
        const text wanted = type_text(to, self->edit.memory);
        const firn_status status =
            FAIL_SQL(err, FIRN_INVALID, "42804", NO_POSITION,
                     "the column \"%.*s\" of type %.*s cannot become %.*s", TEXT_ARGS(from->name),
                     TEXT_ARGS(is), TEXT_ARGS(wanted));
        err_hint(err, "INTEGER can become BIGINT, REAL can become DOUBLE, DECIMAL can get more "
                      "digits");
        return status;
    }
    *out = json_find(made, "type");
    return FIRN_OK;
}

// ---- What is done to a field -------------------------------------------------------------------

static bool has_id(const json_node *list, int64_t id) {
    for (const json_node *each = list == NULL ? NULL : list->first; each != NULL;
         each = each->next) {
        int64_t is;
        firn_error ignored = ERR_INIT;
        if (json_as_i64(each, &is, &ignored) == FIRN_OK && is == id) {
            return true;
        }
    }
    return false;
}

static bool is_identifier(const schema_edit *self, int64_t id) {
    return has_id(json_find(self->schema, "identifier-field-ids"), id);
}

static bool is_inside(const field *of, int32_t id) {
    const schema below = {.count = of->type->child_count, .fields = of->type->children};
    return of->id == id || ice_schema_find(&below, id) != NULL;
}

// What hangs on a column must go first.
static firn_status check_drop(const schema_edit *self, const field *of, firn_error *err) {
    const ice_metadata *metadata = &self->play->metadata;
    const ice_spec *spec = ice_metadata_spec(metadata, metadata->default_spec_id);
    const json_node *identifiers = json_find(self->schema, "identifier-field-ids");
    for (uint32_t i = 0; i < spec->count; i++) {
        if (spec->fields[i].transform.kind != ICE_VOID &&
            is_inside(of, spec->fields[i].source_id)) {
            const firn_status status =
                refuse(err, "cannot be dropped, the table is partitioned by it", of->name);
            err_hint(err, "drop the partition field \"%.*s\" first",
                     TEXT_ARGS(spec->fields[i].name));
            return status;
        }
    }
    for (uint32_t i = 0; i < metadata->order.count; i++) {
        if (is_inside(of, metadata->order.fields[i].source_id)) {
            return refuse(err, "cannot be dropped, the table is written in its order", of->name);
        }
    }
    for (const json_node *each = identifiers == NULL ? NULL : identifiers->first; each != NULL;
         each = each->next) {
        int32_t id;
        TRY(json_as_i32(each, &id, err));
        if (is_inside(of, id)) {
            return refuse(err, "cannot be dropped, it identifies the rows", of->name);
        }
    }
    return FIRN_OK;
}

static firn_status check_name(const json_node *fields, const json_node *but, text name,
                              firn_error *err) {
    for (const json_node *each = fields->first; each != NULL; each = each->next) {
        if (each != but && text_equal_nocase(name_of(each), name)) {
            return FAIL_SQL(err, FIRN_INVALID, "42701", NO_POSITION,
                            "there is a column \"%.*s\" already", TEXT_ARGS(name_of(each)));
        }
    }
    return name.size > 0
               ? FIRN_OK
               : FAIL_SQL(err, FIRN_INVALID, "42601", NO_POSITION, "a column needs a name");
}

static firn_status check_nullable(const schema_edit *self, const field *of, firn_error *err) {
    if (self->wanted->is_nullable) {
        return is_identifier(self, of->id)
                   ? refuse(err, "identifies the rows and cannot be NULL", of->name)
                   : FIRN_OK;
    }
    return of->is_nullable ? ice_check_no_nulls(self->change, self->play, of, err) : FIRN_OK;
}

// A field that stays a field.
static firn_status change_field(schema_edit *self, const json_node *fields, const json_node *was,
                                const json_node **now, firn_error *err) {
    const alteration *wanted = self->wanted;
    const ice_schema *schema =
        ice_metadata_schema(&self->play->metadata, self->play->metadata.current_schema_id);
    const json_node *kind;
    int32_t id;
    TRY(json_get_i32(was, "id", &id, err));
    const field *of = ice_schema_find(&schema->columns, id);
    if (of == NULL) {
        return FAIL(err, FIRN_CORRUPT, "the schema has no field %d", id);
    }
    *now = was;
    switch ((int)wanted->kind) {
    case ALTER_DROP_COLUMN:
        *now = NULL;
        if (fields->count == 1) {
            return refuse(err, "cannot be dropped, it is the only one", of->name);
        }
        return check_drop(self, of, err);
    case ALTER_RENAME_COLUMN:
        TRY(check_name(fields, was, wanted->name, err));
        *now = put(self, was, "name", json_edit_text(&self->edit, wanted->name));
        self->renamed_id = id;
        break;
    case ALTER_COLUMN_TYPE:
        TRY(promote(self, of, &kind, err));
        *now = put(self, was, "type", kind);
        break;
    case ALTER_COLUMN_NULLABLE: {
        static const json_node no = {.kind = JSON_FALSE};
        static const json_node yes = {.kind = JSON_TRUE};
        TRY(check_nullable(self, of, err));
        *now = put(self, was, "required", wanted->is_nullable ? &no : &yes);
        break;
    }
    case ALTER_COLUMN_COMMENT:
        *now = put(self, was, "doc",
                   wanted->comment.size == 0 ? NULL : json_edit_text(&self->edit, wanted->comment));
        break;
    default:
        break;
    }
    return json_edit_check(&self->edit, err);
}

static firn_status add_field(schema_edit *self, const json_node *fields, text name,
                             const json_node **out, firn_error *err) {
    const alteration *wanted = self->wanted;
    const json_node *made;
    const type *ignored;
    TRY(check_name(fields, NULL, name, err));
    if (wanted->value != NULL && !wanted->value->is_null) {
        return FAIL(err, FIRN_UNSUPPORTED, "columns of tables of version %d have no defaults",
                    self->play->metadata.format_version);
    }
    if (!wanted->is_nullable && !self->is_empty) {
        return refuse(err, "cannot be NOT NULL: the rows that are there have no value", name);
    }
    TRY(make_field(self, name, &made, &ignored, err));
    return place(self, fields, made, out, err);
}

// ---- The way down ------------------------------------------------------------------------------

static firn_status edit_type(schema_edit *self, const json_node *of, uint32_t at,
                             const json_node **out, firn_error *err);

// The fields of a struct, of which path[at] is one.
static firn_status edit_fields(schema_edit *self, const json_node *of, uint32_t at,
                               const json_node **out, firn_error *err) {
    const text_list path = self->wanted->path;
    const bool is_last = at + 1 == path.count;
    const json_node *fields;
    const json_node *made;
    const json_node *now;
    TRY(json_get_array(of, "fields", &fields, err));
    if (is_last && self->wanted->kind == ALTER_ADD_COLUMN) {
        TRY(add_field(self, fields, path.items[at], &made, err));
        *out = put(self, of, "fields", made);
        return json_edit_check(&self->edit, err);
    }
    const json_node *was = find_field(fields, path.items[at]);
    if (was == NULL) {
        return no_column(fields, path.items[at], err);
    }
    if (!is_last) {
        const json_node *inner = json_find(was, "type");
        TRY(inner == NULL ? no_column(NULL, path.items[at + 1], err)
                          : edit_type(self, inner, at + 1, &inner, err));
        now = put(self, was, "type", inner);
    } else if (self->wanted->kind == ALTER_COLUMN_PLACE) {
        TRY(replace(self, fields, was, NULL, &made, err));
        TRY(place(self, made, was, &made, err));
        *out = put(self, of, "fields", made);
        return json_edit_check(&self->edit, err);
    } else {
        TRY(change_field(self, fields, was, &now, err));
    }
    TRY(json_edit_check(&self->edit, err));
    TRY(replace(self, fields, was, now, &made, err));
    *out = put(self, of, "fields", made);
    return json_edit_check(&self->edit, err);
}

// The element of a list, the key or the value of a map.
static firn_status edit_part(schema_edit *self, const json_node *of, const char *part, uint32_t at,
                             const json_node **out, firn_error *err) {
    static const json_node no = {.kind = JSON_FALSE};
    const ice_schema *schema =
        ice_metadata_schema(&self->play->metadata, self->play->metadata.current_schema_id);
    const text name = self->wanted->path.items[at];
    const bool is_key = strcmp(part, "key") == 0;
    const json_node *inner = json_find(of, part);
    char key[32];
    int32_t id;
    if (inner == NULL) {
        return FAIL(err, FIRN_CORRUPT, "a list or map of the schema has no \"%s\"", part);
    }
    if (at + 1 < self->wanted->path.count) {
        TRY(edit_type(self, inner, at + 1, &inner, err));
        *out = put(self, of, part, inner);
        return json_edit_check(&self->edit, err);
    }
    (void)snprintf(key, sizeof key, "%s-id", part);
    TRY(json_get_i32(of, key, &id, err));
    const field *is = ice_schema_find(&schema->columns, id);
    if (is == NULL || is_key) {
        return refuse(err, "of a map cannot be changed", name);
    }
    if (self->wanted->kind == ALTER_COLUMN_TYPE) {
        TRY(promote(self, is, &inner, err));
        *out = put(self, of, part, inner);
    } else if (self->wanted->kind == ALTER_COLUMN_NULLABLE) {
        TRY(check_nullable(self, is, err));
        (void)snprintf(key, sizeof key, "%s-required", part);
        *out = self->wanted->is_nullable ? put(self, of, key, &no) : of;
    } else {
        return refuse(err, "is no column: it has a type and nullability alone", name);
    }
    return json_edit_check(&self->edit, err);
}

// Recursion is bounded by the depth of the schema.
static firn_status edit_type(schema_edit *self, const json_node *of, uint32_t at,
                             const json_node **out, firn_error *err) {
    const text name = self->wanted->path.items[at];
    text kind = {.size = 0};
    TRY(of->kind != JSON_OBJECT ? FIRN_OK : json_want_text(of, "type", &kind, err));
    if (text_equal(kind, TEXT("struct"))) {
        return edit_fields(self, of, at, out, err);
    }
    if (text_equal(kind, TEXT("list")) && text_equal_nocase(name, TEXT("element"))) {
        return edit_part(self, of, "element", at, out, err);
    }
    if (text_equal(kind, TEXT("map")) && text_equal_nocase(name, TEXT("key"))) {
        return edit_part(self, of, "key", at, out, err);
    }
    if (text_equal(kind, TEXT("map")) && text_equal_nocase(name, TEXT("value"))) {
        return edit_part(self, of, "value", at, out, err);
    }
    return no_column(NULL, name, err);
}

// ---- The schema --------------------------------------------------------------------------------

static firn_status current_schema(const ice_play *play, const json_node **out, firn_error *err) {
    const json_node *list = json_find(play->root, "schemas");
    for (const json_node *each = list == NULL ? NULL : list->first; each != NULL;
         each = each->next) {
        int32_t id = 0;
        TRY(json_want_i32(each, "schema-id", &id, err));
        if (id == play->metadata.current_schema_id) {
            *out = each;
            return FIRN_OK;
        }
    }
    return json_get_object(play->root, "schema", out, err); // Of old version 1 writers.
}

firn_status ice_alter_schema(const ice_table_change *change, ice_play *play,
                             const alteration *wanted, ice_updates *updates, firn_error *err) {
    schema_edit self = {.edit = {.memory = &play->memory},
                        .wanted = wanted,
                        .change = change,
                        .play = play,
                        .renamed_id = -1,
                        .is_empty = play->metadata.snapshot_count == 0};
    const json_node *now;
    int32_t last_id;
    if (wanted->kind == ALTER_COLUMN_DEFAULT) {
        return wanted->value == NULL || wanted->value->is_null
                   ? FIRN_OK // There is none to be dropped.
                   : FAIL(err, FIRN_UNSUPPORTED, "columns of tables of version %d have no defaults",
                          play->metadata.format_version);
    }
    if (wanted->path.count == 0) {
        return FAIL_SQL(err, FIRN_INVALID, "42601", NO_POSITION, "no column is named");
    }
    TRY(current_schema(play, &self.schema, err));
    TRY(json_get_i32(play->root, "last-column-id", &self.last_id, err));
    last_id = self.last_id;
    TRY(edit_fields(&self, self.schema, 0, &now, err));
    if (json_nodes_equal(now, self.schema)) {
        return FIRN_OK;
    }
    ice_update_add_schema_node(updates, now, self.last_id);
    ice_update_set_current_schema(updates, -1);
    return wanted->kind == ALTER_ADD_COLUMN || wanted->kind == ALTER_RENAME_COLUMN
               ? ice_alter_mapping(play, now, last_id, self.renamed_id, updates, err)
               : FIRN_OK;
}
