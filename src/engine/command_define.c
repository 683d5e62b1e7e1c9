#include "engine/command_define.h"

#include "base/nearest.h"
#include "base/number_text.h"
#include "expr/cast.h"
#include "expr/program.h"
#include "memory/text_builder.h"

static text text_of_literal(const sql_literal *written) {
    return written == NULL ? TEXT("") : written->value;
}

// ---- Paths -------------------------------------------------------------------------------------

// The fields of a level: the columns, or what is inside of one.
static schema level_of(const schema *columns, const field *above) {
    return above == NULL
               ? *columns
               : (schema){.count = above->type->child_count, .fields = above->type->children};
}

// The one that is called exactly so, else the one that is but for case. NULL: there is none.
static firn_status find_field(const schema *level, const sql_name *name, const field **out,
                              firn_error *err) {
    const field *near = NULL;
    uint32_t near_count = 0;
    *out = NULL;
    for (uint32_t i = 0; i < level->count && *out == NULL; i++) {
        const field *each = &level->fields[i];
        if (text_equal(each->name, name->value)) {
            *out = each;
        } else if (!name->is_quoted && text_equal_nocase(each->name, name->value)) {
            near = each;
            near_count++;
        }
    }
    if (*out == NULL && near_count > 1) {
        firn_status status =
            FAIL_SQL(err, FIRN_INVALID, "42702", name->position,
                     "several columns are called \"%.*s\" in some case", TEXT_ARGS(name->value));
        err_hint(err, "in double quotes a name is only what is written so: \"%.*s\"",
                 TEXT_ARGS(near->name));
        return status;
    }
    *out = *out == NULL ? near : *out;
    return FIRN_OK;
}

firn_status define_path(const schema *columns, const sql_names *written, arena *memory,
                        text_list *out, const field **found, firn_error *err) {
    text *items = ARENA_NEW(memory, text, written->count + 1);
    if (items == NULL) {
        return ARENA_FULL(memory, err);
    }
    *found = NULL;
    *out = (text_list){.items = items};
    for (size_t i = 0; i < written->count; i++) {
        const schema level = level_of(columns, *found);
        TRY(find_field(&level, &written->items[i], found, err));
        if (*found == NULL) {
            return FIRN_OK;
        }
        items[out->count++] = (*found)->name;
    }
    return FIRN_OK;
}

firn_status define_say_no_column(const schema *columns, const sql_names *written, firn_error *err) {
    schema level = *columns;
    const field *above = NULL;
    size_t at = 0;
    for (; at + 1 < written->count; at++) {
        const field *next;
        TRY(find_field(&level, &written->items[at], &next, err));
        if (next == NULL) {
            break;
        }
        above = next;
        level = level_of(columns, above);
    }
    const sql_name *name = &written->items[at];
    firn_status status = above == NULL
                             ? FAIL_SQL(err, FIRN_INVALID, "42703", name->position,
                                        "there is no column \"%.*s\"", TEXT_ARGS(name->value))
                             : FAIL_SQL(err, FIRN_INVALID, "42703", name->position,
                                        "there is no \"%.*s\" in \"%.*s\"", TEXT_ARGS(name->value),
                                        TEXT_ARGS(above->name));
    nearest_name near = nearest_to(name->value);
    for (uint32_t i = 0; i < level.count; i++) {
        nearest_offer(&near, level.fields[i].name);
    }
    (void)nearest_hint(&near, err);
    return status;
}

// ---- Columns -----------------------------------------------------------------------------------

firn_status define_refuse_constraints(const sql_list *constraints, firn_error *err) {
    static const char *const words[] = {
        [SQL_CONSTRAINT_PRIMARY_KEY] = "PRIMARY KEY",
        [SQL_CONSTRAINT_UNIQUE] = "UNIQUE",
        [SQL_CONSTRAINT_CHECK] = "CHECK",
        [SQL_CONSTRAINT_FOREIGN_KEY] = "REFERENCES",
    };
    if (constraints->count == 0) {
        return FIRN_OK;
    }
    const sql_constraint *first = sql_constraint_of(constraints->items[0]);
    firn_status status =
        FAIL_SQL(err, FIRN_UNSUPPORTED, "0A000", first->node.position,
                 "%s is not supported: nothing would keep rows to it", words[first->kind]);
    err_hint(err, "NOT NULL is what a column can be held to");
    return status;
}

firn_status define_refuse_column(const sql_column_definition *written, firn_error *err) {
    if (written->generated != NULL || written->is_identity) {
        return FAIL_SQL(err, FIRN_UNSUPPORTED, "0A000", written->node.position,
                        "column \"%.*s\": GENERATED is not supported",
                        TEXT_ARGS(written->path.items[written->path.count - 1].value));
    }
    return define_refuse_constraints(&written->constraints, err);
}

firn_status define_value(run *self, const sql_expr *written, const type *to, const literal **out,
                         firn_error *err) {
    const bind_env env = session_bind_env(self);
    expr *value;
    TRY(bind_constant(written, &env, &self->memory, &value, err));
    if (!type_equal(value->type, to)) {
        // A value of an unknown type, such as NULL, becomes any.
        if (value->type->id != TYPE_NULL && cast_find(value->type, to).kind == CAST_NONE) {
            return FAIL_SQL(err, FIRN_INVALID, "42846", written->position,
                            "there is no cast from %.*s to %.*s",
                            TEXT_ARGS(type_text(value->type, &self->memory)),
                            TEXT_ARGS(type_text(to, &self->memory)));
        }
        expr *cast = expr_cast(&self->memory, value, to, false, true);
        if (cast == NULL) {
            return ARENA_FULL(&self->memory, err);
        }
        cast->position = written->position;
        TRY(expr_fold(cast, &self->context, &self->memory, &value, err));
    }
    *out = &value->literal_.value;
    return FIRN_OK;
}

firn_status define_add_name(run *self, name_index *names, text name, uint32_t position,
                            firn_error *err) {
    if (name_index_first(names, name) != NO_NAME) {
        firn_status status = FAIL_SQL(err, FIRN_INVALID, "42701", position,
                                      "two columns would be called \"%.*s\"", TEXT_ARGS(name));
        err_hint(err, "give one of them another name");
        return status;
    }
    return name_index_add(names, name, &self->memory, err);
}

// A column as written; `out` holds what the query says of it, or has no type.
static firn_status define_column(run *self, const sql_column_definition *written, field *out,
                                 column_note *note, firn_error *err) {
    const sql_name *name = &written->path.items[0];
    TRY(define_refuse_column(written, err));
    out->name = name->value;
    out->is_nullable = !written->is_not_null;
    note->comment = text_of_literal(written->comment);
    if (written->type != NULL) {
        TRY(bind_type(written->type, &self->memory, &out->type, err));
    }
    if (out->type == NULL) {
        return FAIL_SQL(err, FIRN_INVALID, "42601", name->position, "column \"%.*s\" has no type",
                        TEXT_ARGS(name->value));
    }
    if (written->default_value != NULL) {
        const bind_env env = session_bind_env(self);
        TRY(bind_default(written->default_value, out->type, &env, &self->memory,
                         &note->default_value, err));
    }
    return FIRN_OK;
}

static firn_status define_columns(run *self, const sql_create_table *written, const schema *query,
                                  table_definition *out, firn_error *err) {
    const uint32_t listed = (uint32_t)written->columns.count;
    const uint32_t count = query != NULL ? query->count : listed;
    if (listed > count) {
        return FAIL_SQL(err, FIRN_INVALID, "42601", written->columns.items[count]->position,
                        "%u column names for a query of %u columns", listed, count);
    }
    field *fields = ARENA_NEW(&self->memory, field, count + 1);
    column_note *notes = ARENA_NEW(&self->memory, column_note, count + 1);
    if (fields == NULL || notes == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    name_index names = {0};
    for (uint32_t i = 0; i < count; i++) {
        uint32_t position = written->node.position;
        notes[i] = (column_note){0};
        fields[i] = query != NULL ? query->fields[i] : (field){.id = -1};
        fields[i].is_nullable = true;
        if (i < listed) {
            position = written->columns.items[i]->position;
            TRY(define_column(self, sql_column_definition_of(written->columns.items[i]), &fields[i],
                              &notes[i], err));
        }
        TRY(define_add_name(self, &names, fields[i].name, position, err));
    }
    out->columns = (schema){.count = count, .fields = fields};
    out->notes = notes;
    return FIRN_OK;
}

// ---- Keys --------------------------------------------------------------------------------------

// Spark's and Iceberg's words for transforms.
static const struct transform_word {
    const char *word;
    const char *transform;
    bool has_width;
} transform_words[] = {
    {"identity", "identity", false}, {"bucket", "bucket", true}, {"truncate", "truncate", true},
    {"year", "year", false},         {"years", "year", false},   {"month", "month", false},
    {"months", "month", false},      {"day", "day", false},      {"days", "day", false},
    {"date", "day", false},          {"hour", "hour", false},    {"hours", "hour", false},
    {"date_hour", "hour", false},
};
#define TRANSFORM_WORD_COUNT (sizeof transform_words / sizeof transform_words[0])

static firn_status find_transform(const sql_call *call, const struct transform_word **out,
                                  firn_error *err) {
    const text name = call->path.items[call->path.count - 1].value;
    for (size_t i = 0; i < TRANSFORM_WORD_COUNT && call->path.count == 1; i++) {
        if (text_equal_nocase(name, text_of(transform_words[i].word))) {
            *out = &transform_words[i];
            return FIRN_OK;
        }
    }
    firn_status status = FAIL_SQL(err, FIRN_INVALID, "42883", call->node.position,
                                  "\"%.*s\" is no transform of partitions", TEXT_ARGS(name));
    err_hint(err, "there are bucket(n, column), truncate(n, column), year, month, day and hour");
    return status;
}

// The n of bucket(n, column).
static firn_status read_width(const sql_literal *written, const char *transform, int32_t *out,
                              firn_error *err) {
    int64_t width;
    if (written->kind != SQL_LITERAL_INTEGER ||
        number_parse_i64(written->value, &width) != NUMBER_OK || width < 1 || width > INT32_MAX) {
        return FAIL_SQL(err, FIRN_INVALID, "22023", written->node.position,
                        "the width of %s is a number from 1 to %d", transform, INT32_MAX);
    }
    *out = (int32_t)width;
    return FIRN_OK;
}

// bucket(16, id) and bucket(id, 16), year(ts).
static firn_status read_transform(run *self, const sql_call *call, const sql_names **column,
                                  text *transform, firn_error *err) {
    const struct transform_word *found;
    const sql_literal *width = NULL;
    TRY(find_transform(call, &found, err));
    *column = NULL;
    for (size_t i = 0; i < call->arguments.count; i++) {
        const sql_expr *each = call->arguments.items[i];
        if (sql_is_expr(each, SQL_COLUMN) && *column == NULL) {
            *column = &sql_column_of(each)->path;
        } else if (sql_is_expr(each, SQL_LITERAL) && width == NULL && found->has_width) {
            width = sql_literal_of(each);
        } else {
            *column = NULL;
            break;
        }
    }
    if (*column == NULL || (width == NULL) == found->has_width || call->over != NULL ||
        call->filter != NULL || call->is_distinct || call->order_by.count > 0) {
        firn_status status =
            FAIL_SQL(err, FIRN_INVALID, "42601", call->node.position, "%s takes %s", found->word,
                     found->has_width ? "a number and a column" : "a column");
        err_hint(err, "such as %s(%s)", found->word, found->has_width ? "16, id" : "ts");
        return status;
    }
    *transform = text_of(found->transform);
    if (width == NULL) {
        return FIRN_OK;
    }
    int32_t number;
    TRY(read_width(width, found->transform, &number, err));
    return text_format(&self->memory, transform, err, "%s[%d]", found->transform, number);
}

firn_status define_key(run *self, const sql_expr *written, const schema *columns,
                       partition_field *out, firn_error *err) {
    const sql_names *column = NULL;
    const field *found;
    *out = (partition_field){.transform = TEXT("identity")};
    if (sql_is_expr(written, SQL_COLUMN)) {
        column = &sql_column_of(written)->path;
    } else if (sql_is_expr(written, SQL_CALL)) {
        TRY(read_transform(self, sql_call_of(written), &column, &out->transform, err));
    } else {
        return FAIL_SQL(err, FIRN_INVALID, "42601", written->position,
                        "a column is expected here, or a transform of one such as bucket(16, id)");
    }
    TRY(define_path(columns, column, &self->memory, &out->path, &found, err));
    return found == NULL ? define_say_no_column(columns, column, err) : FIRN_OK;
}

static firn_status define_partitions(run *self, const sql_create_table *written,
                                     table_definition *out, firn_error *err) {
    const size_t count = written->partitioned_by.count;
    partition_field *fields = ARENA_NEW(&self->memory, partition_field, count + 1);
    if (fields == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    for (size_t i = 0; i < count; i++) {
        TRY(define_key(self, written->partitioned_by.items[i], &out->columns, &fields[i], err));
    }
    out->partition_count = (uint32_t)count;
    out->partitions = fields;
    return FIRN_OK;
}

// ---- Properties --------------------------------------------------------------------------------

static firn_status property_text(run *self, const sql_option *option, text *out, firn_error *err) {
    text value = TEXT("true");
    if (option->value != NULL) {
        TRY(command_constant_text(self, option->value, &value, err));
    }
    return text_copy(&self->memory, value, out, err); // With a NUL behind it.
}

// A property is said once. Names of properties differ by case.
static firn_status refuse_twice(const firn_option *made, size_t count, const sql_option *option,
                                firn_error *err) {
    for (size_t i = 0; i < count; i++) {
        if (text_equal(text_of(made[i].key), option->key.value)) {
            return FAIL_SQL(err, FIRN_INVALID, "42601", option->key.position,
                            "the property \"%.*s\" is given twice", TEXT_ARGS(option->key.value));
        }
    }
    return FIRN_OK;
}

firn_status define_properties(run *self, const sql_list *options, const firn_option **out,
                              size_t *count, firn_error *err) {
    firn_option *made = ARENA_NEW(&self->memory, firn_option, options->count + 1);
    if (made == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    for (size_t i = 0; i < options->count; i++) {
        const sql_option *option = sql_option_of(options->items[i]);
        text key;
        text value;
        TRY(refuse_twice(made, i, option, err));
        TRY(text_copy(&self->memory, option->key.value, &key, err));
        TRY(property_text(self, option, &value, err));
        made[i] = (firn_option){.key = key.data, .value = value.data};
    }
    *out = made;
    *count = options->count;
    return FIRN_OK;
}

firn_status define_positions(run *self, const sql_list *options, const uint32_t **out,
                             firn_error *err) {
    uint32_t *made = ARENA_NEW(&self->memory, uint32_t, options->count + 1);
    if (made == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    for (size_t i = 0; i < options->count; i++) {
        made[i] = sql_option_of(options->items[i])->key.position;
    }
    *out = made;
    return FIRN_OK;
}

// The keys of UNSET.
static firn_status removed_keys(run *self, const sql_list *options, property_change *out,
                                firn_error *err) {
    const char **keys = ARENA_NEW(&self->memory, const char *, options->count + 1);
    if (keys == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    for (size_t i = 0; i < options->count; i++) {
        text key;
        TRY(text_copy(&self->memory, sql_option_of(options->items[i])->key.value, &key, err));
        keys[i] = key.data;
    }
    out->removed = keys;
    out->removed_count = options->count;
    return FIRN_OK;
}

firn_status define_property_change(run *self, const sql_alter_action *action, property_change *out,
                                   firn_error *err) {
    *out = (property_change){.must_be_there = !action->if_exists};
    TRY(define_positions(self, &action->options, &out->positions, err));
    return action->kind == SQL_ALTER_SET_PROPERTIES
               ? define_properties(self, &action->options, &out->set, &out->set_count, err)
               : removed_keys(self, &action->options, out, err);
}

// ---- Tables ------------------------------------------------------------------------------------

firn_status define_table(run *self, const sql_create_table *written, const schema *query,
                         table_definition *out, firn_error *err) {
    *out = (table_definition){.format = written->format.value,
                              .comment = text_of_literal(written->comment)};
    TRY(define_columns(self, written, query, out, err));
    TRY(define_partitions(self, written, out, err));
    if (written->location != NULL) {
        TRY(command_constant_text(self, written->location, &out->location, err));
    }
    return define_properties(self, &written->properties, &out->properties, &out->property_count,
                             err);
}

firn_status define_refuse_defaults(const sql_create_table *written, const table_definition *made,
                                   firn_error *err) {
    text version = TEXT("2");
    for (size_t i = 0; i < made->property_count; i++) {
        if (text_equal(text_of(made->properties[i].key), TEXT("format-version"))) {
            version = text_of(made->properties[i].value);
        }
    }
    if (!text_equal(version, TEXT("1")) && !text_equal(version, TEXT("2"))) {
        return FIRN_OK;
    }
    for (uint32_t i = 0; i < made->columns.count; i++) {
        if (made->notes[i].default_value.size > 0) {
            const sql_column_definition *column =
                sql_column_definition_of(written->columns.items[i]);
            firn_status status =
                FAIL_SQL(err, FIRN_UNSUPPORTED, "0A000", column->default_value->position,
                         "column \"%.*s\": tables of format version %.*s have no DEFAULT",
                         TEXT_ARGS(made->columns.fields[i].name), TEXT_ARGS(version));
            err_hint(err, "defaults begin with version 3 of Iceberg; say the value in INSERT");
            return status;
        }
    }
    return FIRN_OK;
}
