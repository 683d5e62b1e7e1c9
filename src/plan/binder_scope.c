// Names to columns.
//
// Unquoted names match without regard to case; if several columns differ only in case the exact one
// wins, else it is ambiguous. Quoted names match exactly. A path of several names is tried as
// table.column, schema.table.column …, then as column.field.field.
#include <assert.h>

#include "plan/binder_private.h"

scope *scope_new(binder *self, scope *outer) {
    scope *made = ARENA_NEW(self->memory, scope, 1);
    if (made != NULL) {
        *made = (scope){.outer = outer, .ids = id_set_open(self->memory)};
    }
    return made;
}

firn_status scope_add(binder *self, scope *into, scope_column column) {
    if (into->count == into->capacity) {
        into->columns =
            binder_grow(self, into->columns, into->count, &into->capacity, sizeof *into->columns);
        if (into->columns == NULL) {
            return binder_full(self);
        }
    }
    into->columns[into->count++] = column;
    return FIRN_OK;
}

firn_status scope_add_relation(binder *self, scope *into, text alias, text_list path,
                               uint32_t first) {
    if (into->relation_count == into->relation_capacity) {
        into->relations = binder_grow(self, into->relations, into->relation_count,
                                      &into->relation_capacity, sizeof *into->relations);
        if (into->relations == NULL) {
            return binder_full(self);
        }
    }
    into->relations[into->relation_count++] = (scope_relation){
        .alias = alias, .path = path, .first = first, .count = into->count - first};
    return FIRN_OK;
}

firn_status scope_add_all(binder *self, scope *into, const scope *from) {
    const uint32_t before = into->count;
    for (uint32_t i = 0; i < from->count; i++) {
        TRY(scope_add(self, into, from->columns[i]));
    }
    for (uint32_t i = 0; i < from->relation_count; i++) {
        const scope_relation *relation = &from->relations[i];
        TRY(scope_add_relation(self, into, relation->alias, relation->path, into->count));
        scope_relation *added = &into->relations[into->relation_count - 1];
        added->first = before + relation->first;
        added->count = relation->count;
    }
    return FIRN_OK;
}

firn_status scope_add_query(binder *self, scope *into, const plan_columns *columns, text alias,
                            text_list path, const sql_names *names, uint32_t position) {
    if (names->count > columns->count) {
        return FAIL_SQL(self->err, FIRN_INVALID, "42P10", position,
                        "table \"%.*s\" has %u columns, but %zu names are given for them",
                        TEXT_ARGS(alias), columns->count, names->count);
    }
    const uint32_t first = into->count;
    for (uint32_t i = 0; i < columns->count; i++) {
        const plan_column *column = &columns->items[i];
        TRY(scope_add(
            self, into,
            (scope_column){.name = i < names->count ? names->items[i].value : column->name,
                           .table = alias,
                           .id = column->id,
                           .type = column->type}));
    }
    const scope_relation made = {.alias = alias, .path = path};
    TRY(scope_check_name(self, into, &made, position));
    return scope_add_relation(self, into, alias, path, first);
}

// Tables of the same name in different schemas may stand side by side. Of one that was written
// shorter the end is compared.
static bool are_different_tables(const scope_relation *left, const scope_relation *right) {
    const text_list *l = &left->path;
    const text_list *r = &right->path;
    const uint32_t count = l->count < r->count ? l->count : r->count;
    bool same = true;
    for (uint32_t i = 1; same && i <= count; i++) {
        same = text_equal_nocase(l->items[l->count - i], r->items[r->count - i]);
    }
    return count > 0 && !same;
}

firn_status scope_check_name(binder *self, const scope *among, const scope_relation *made,
                             uint32_t position) {
    for (uint32_t i = 0; made->alias.size > 0 && i < among->relation_count; i++) {
        const scope_relation *other = &among->relations[i];
        if (text_equal_nocase(other->alias, made->alias) && !are_different_tables(other, made)) {
            firn_status status =
                FAIL_SQL(self->err, FIRN_INVALID, "42712", position,
                         "table name \"%.*s\" is given twice", TEXT_ARGS(made->alias));
            err_hint(self->err, "give one of them an alias");
            return status;
        }
    }
    return FIRN_OK;
}

bool name_matches(const sql_name *written, text name) {
    return written->is_quoted ? text_equal(written->value, name)
                              : text_equal_nocase(written->value, name);
}

// How well a relation fits a qualifier of `count` names: its alias, or the end of its path.
static bool relation_matches(const scope_relation *relation, const sql_name *names, size_t count) {
    if (count == 1 && name_matches(&names[0], relation->alias)) {
        return true;
    }
    if (count < 2 || count > relation->path.count) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (!name_matches(&names[i], relation->path.items[relation->path.count - count + i])) {
            return false;
        }
    }
    return true;
}

typedef enum find_answer { FIND_NONE, FIND_ONE, FIND_AMBIGUOUS } find_answer;

firn_status scope_index(binder *self, scope *of) {
    while (of->names.count < of->count) {
        const scope_column *column = &of->columns[of->names.count];
        TRY(id_set_add(&of->ids, column->id, self->err));
        TRY(name_index_add(&of->names, column->name, self->memory, self->err));
    }
    return FIRN_OK;
}

static uint32_t skip_others(const scope *from, const sql_name *name, uint32_t column) {
    while (column != NO_NAME && !name_matches(name, from->columns[column].name)) {
        column = name_index_next(&from->names, column);
    }
    return column;
}

uint32_t scope_first_named(const scope *from, const sql_name *name) {
    assert(from->names.count == from->count);
    return skip_others(from, name, name_index_first(&from->names, name->value));
}

uint32_t scope_next_named(const scope *from, const sql_name *name, uint32_t column) {
    return skip_others(from, name, name_index_next(&from->names, column));
}

// Looks for a column among [first, first + count) of a scope.
static find_answer find_among(const scope *from, uint32_t first, uint32_t count,
                              const sql_name *name, bool with_hidden, scope_column *out) {
    uint32_t matches = 0;
    uint32_t exact = 0;
    scope_column found = {0};
    for (uint32_t i = scope_first_named(from, name); i != NO_NAME && i < first + count;
         i = scope_next_named(from, name, i)) {
        const scope_column *column = &from->columns[i];
        if (i < first || (column->is_hidden && !with_hidden)) {
            continue;
        }
        const bool is_exact = text_equal(name->value, column->name);
        if (matches == 0 || (is_exact && exact == 0)) {
            found = *column;
        }
        matches++;
        exact += is_exact;
    }
    if (matches == 0) {
        return FIND_NONE;
    }
    *out = found;
    return matches == 1 || exact == 1 ? FIND_ONE : FIND_AMBIGUOUS;
}

// Tries the path in one scope: qualified by 1, 2, … names, then as a column with fields.
static find_answer find_in(const scope *from, const sql_names *path, scope_column *out,
                           size_t *used) {
    for (size_t qualifier = path->count - 1; qualifier >= 1; qualifier--) {
        for (uint32_t i = 0; i < from->relation_count; i++) {
            const scope_relation *relation = &from->relations[i];
            if (!relation_matches(relation, path->items, qualifier)) {
                continue;
            }
            const find_answer answer = find_among(from, relation->first, relation->count,
                                                  &path->items[qualifier], true, out);
            if (answer != FIND_NONE) {
                *used = qualifier + 1;
                return answer;
            }
        }
    }
    *used = 1;
    const find_answer answer = find_among(from, 0, from->count, &path->items[0], false, out);
    // In a.b a column without fields is not meant; `a` may be a table of a query around this one.
    const bool has_fields =
        answer == FIND_NONE || out->type->id == TYPE_STRUCT || out->type->id == TYPE_MAP;
    return path->count > 1 && !has_fields ? FIND_NONE : answer;
}

#define TOLD_SPELLINGS_MAX 4

// The columns that a name may mean, by how they are spelled and whose they are.
typedef struct meanings {
    uint32_t count;
    text spellings[TOLD_SPELLINGS_MAX];
    bool is_of_one_table;
} meanings;

static void add_meaning(meanings *self, text spelling) {
    for (uint32_t i = 0; i < self->count; i++) {
        if (text_equal(self->spellings[i], spelling)) {
            return;
        }
    }
    if (self->count < TOLD_SPELLINGS_MAX) {
        self->spellings[self->count++] = spelling;
    }
}

// `found` is one of them. Behind a table's name only columns of that table are meant.
static meanings meanings_of(const scope *from, const sql_name *name, const scope_column *found,
                            bool is_qualified) {
    meanings self = {.is_of_one_table = true};
    for (uint32_t i = scope_first_named(from, name); i != NO_NAME;
         i = scope_next_named(from, name, i)) {
        const scope_column *column = &from->columns[i];
        const bool is_same_table = text_equal(column->table, found->table);
        if (is_qualified ? is_same_table : !column->is_hidden) {
            add_meaning(&self, column->name);
            self.is_of_one_table &= is_same_table;
        }
    }
    return self;
}

static firn_status say_ambiguous(binder *self, const scope *from, const sql_name *name,
                                 const scope_column *found, bool is_qualified) {
    const meanings all = meanings_of(from, name, found, is_qualified);
    const text table = found->table.size > 0 ? found->table : TEXT("t");
    if (all.count > 1) {
        text_builder builder = text_builder_open(self->memory);
        text spellings;
        for (uint32_t i = 0; i < all.count; i++) {
            text_append_format(&builder, "%s\"%.*s\"", i == 0 ? "" : ", ",
                               TEXT_ARGS(all.spellings[i]));
        }
        TRY(text_builder_finish(&builder, &spellings, self->err));
        firn_status status = FAIL_SQL(
            self->err, FIRN_INVALID, "42702", name->position,
            "column \"%.*s\" is ambiguous: the columns %.*s differ only in the case of letters",
            TEXT_ARGS(name->value), TEXT_ARGS(spellings));
        err_hint(self->err, "write the one that is meant in its own case");
        return status;
    }
    firn_status status = FAIL_SQL(self->err, FIRN_INVALID, "42702", name->position,
                                  "column \"%.*s\" is ambiguous", TEXT_ARGS(name->value));
    if (all.is_of_one_table) {
        err_hint(self->err,
                 "\"%.*s\" has several columns of that name: give them others, such as "
                 "%.*s (x, y)",
                 TEXT_ARGS(table), TEXT_ARGS(table));
    } else {
        err_hint(self->err, "write it with its table, such as %.*s.%.*s", TEXT_ARGS(table),
                 TEXT_ARGS(name->value));
    }
    return status;
}

firn_status scope_find(binder *self, scope *from, const sql_names *path, scope_column *out,
                       size_t *used, bool *found) {
    *found = false;
    for (scope *at = from; at != NULL; at = at->outer) {
        TRY(scope_index(self, at));
        const find_answer answer = find_in(at, path, out, used);
        if (answer == FIND_AMBIGUOUS) {
            return say_ambiguous(self, at, &path->items[*used - 1], out, *used > 1);
        }
        if (answer == FIND_ONE) {
            *found = true;
            return FIRN_OK;
        }
    }
    return FIRN_OK;
}

const scope_relation *scope_find_relation(const scope *from, const sql_name *name,
                                          const scope **owner) {
    for (; from != NULL; from = from->outer) {
        for (uint32_t i = 0; i < from->relation_count; i++) {
            if (relation_matches(&from->relations[i], name, 1)) {
                *owner = from;
                return &from->relations[i];
            }
        }
    }
    return NULL;
}

// Aliases are known where they were looked for.
static void offer_columns(nearest_name *near, const scope *from) {
    for (; from != NULL; from = from->outer) {
        for (uint32_t i = 0; i < from->count; i++) {
            nearest_offer(near, from->columns[i].name);
        }
        for (uint32_t i = 0; from->select != NULL && i < from->select->aliases.count; i++) {
            nearest_offer(near, from->select->aliases.entries[i].name);
        }
    }
}

#define LISTED_COLUMNS_MAX 10

// Adds the columns of a query, or of one of its tables, to a list that ends where it is too long.
static uint32_t list_columns(text_builder *list, uint32_t listed, const scope *of, text table) {
    for (uint32_t i = 0; i < of->count && listed <= LISTED_COLUMNS_MAX; i++) {
        const scope_column *column = &of->columns[i];
        const bool is_meant =
            table.size > 0 ? text_equal(column->table, table) : !column->is_hidden;
        if (is_meant && column->name.size > 0) {
            text_append_format(list, "%s\"%.*s\"", listed == 0 ? "" : ", ",
                               TEXT_ARGS(column->name));
            listed += 1;
        }
    }
    return listed;
}

// Nothing is written like the name: which columns there are, if they are few. `of`: of one table.
static void hint_columns(binder *self, const scope *from, const scope_relation *of) {
    text_builder list = text_builder_open(self->memory);
    text all;
    firn_error ignored = ERR_INIT;
    uint32_t listed = 0;
    bool is_query = false;
    for (; from != NULL && !is_query; from = from->outer) {
        listed = list_columns(&list, listed, from, of == NULL ? TEXT("") : of->alias);
        is_query = !from->is_lambda && listed > 0;
    }
    if (listed > 0 && listed <= LISTED_COLUMNS_MAX &&
        text_builder_finish(&list, &all, &ignored) == FIRN_OK) {
        err_hint(self->err, "the column%s here %s %.*s", listed == 1 ? "" : "s",
                 listed == 1 ? "is" : "are", TEXT_ARGS(all));
    }
}

void scope_propose_relation(binder *self, const scope *from, text name) {
    nearest_name near = nearest_to(name);
    for (; from != NULL; from = from->outer) {
        for (uint32_t i = 0; i < from->relation_count; i++) {
            nearest_offer(&near, from->relations[i].alias);
        }
    }
    (void)nearest_hint(&near, self->err);
}

firn_status scope_say_missing(binder *self, scope *from, const sql_names *path) {
    const sql_name *name = &path->items[path->count - 1];
    const sql_name *first = &path->items[0];
    const scope *owner = from;
    const scope_relation *of = path->count > 1 ? scope_find_relation(from, first, &owner) : NULL;
    if (path->count > 1 && of == NULL) {
        firn_status status =
            FAIL_SQL(self->err, FIRN_INVALID, "42P01", first->position,
                     "there is no table \"%.*s\" in FROM here", TEXT_ARGS(first->value));
        scope_propose_relation(self, from, first->value);
        return status;
    }
    firn_status status = FAIL_SQL(self->err, FIRN_INVALID, "42703", name->position,
                                  "there is no column \"%.*s\" here", TEXT_ARGS(name->value));
    nearest_name near = nearest_to(name->value);
    offer_columns(&near, from);
    if (!nearest_hint(&near, self->err)) {
        hint_columns(self, owner, of);
    }
    return status;
}
