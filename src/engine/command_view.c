// CREATE VIEW, and ALTER VIEW of the query and of properties.
//
// A view in memory keeps the session's search path. One that lasts, in a catalog that other
// programs read too, must mean the same to all of them, whatever they call that catalog and
// wherever their names are looked for. So its names lose the name of its own catalog, those of one
// part are looked for in one schema, which is kept with it, and its text is bound once more as they
// will bind it: if any name then means something else than to this session, the view is refused.
#include <stdio.h>
#include <stdlib.h>

#include "engine/command_define.h"
#include "engine/creation.h"
#include "engine/transactions.h"
#include "memory/text_builder.h"
#include "sql/printer.h"

typedef struct view_creation {
    run *run;
    const sql_create_view *written;
    defined_view seen; // By the query as it is written.
    new_view view;
    bool must_be_there; // ALTER VIEW.
} view_creation;

static bool is_shared(const run *self, const object_place *place) {
    return !session_has_main(self->session, place->catalog);
}

static firn_status refuse_view(run *self, const object_place *place, const creation *made,
                               const sql_create_view *written, firn_error *err) {
    TRY(creation_check(made, place, place->catalog->kind->change_view != NULL, err));
    if (written->is_recursive || (written->properties.count > 0 && !is_shared(self, place))) {
        return command_refuse_catalog(
            place->catalog, made->position,
            written->is_recursive ? "CREATE RECURSIVE VIEW" : "CREATE VIEW with properties", err);
    }
    return is_shared(self, place) ? run_refuse_in_block(self, made->what, made->position, err)
                                  : FIRN_OK;
}

// The columns of the view: their names are those listed, then the query's.
static firn_status take_columns(view_creation *self, const schema *query, firn_error *err) {
    run *by = self->run;
    const sql_names *listed = &self->written->columns;
    if (listed->count > query->count) {
        return FAIL_SQL(err, FIRN_INVALID, "42601", listed->items[query->count].position,
                        "%u column names for a query of %u columns", (uint32_t)listed->count,
                        query->count);
    }
    field *fields = ARENA_NEW(&by->memory, field, query->count + 1);
    text *names = ARENA_NEW(&by->memory, text, query->count + 1);
    if (fields == NULL || names == NULL) {
        return ARENA_FULL(&by->memory, err);
    }
    name_index known = {0};
    for (uint32_t i = 0; i < query->count; i++) {
        const bool is_listed = i < listed->count;
        names[i] = is_listed ? listed->items[i].value : query->fields[i].name;
        fields[i] = query->fields[i];
        fields[i].name = names[i];
        TRY(define_add_name(by, &known, names[i],
                            is_listed ? listed->items[i].position : self->written->node.position,
                            err));
    }
    self->view.as.columns = (text_list){.count = (uint32_t)listed->count, .items = names};
    return creation_settle(&(schema){.count = query->count, .fields = fields}, &by->memory,
                           &self->view.columns, err);
}

// Bound once, so that a view that can never be read is refused now.
static firn_status bind_written(view_creation *self, firn_error *err) {
    run *by = self->run;
    const sql_create_view *written = self->written;
    const bind_env env = session_bind_env(by);
    bind_result probe = {0};
    by->defined = &self->seen;
    firn_status status = bind_query(written->query, &env, NULL, &by->memory, &probe, err);
    by->defined = NULL;
    TRY(status);
    if (probe.parameters.count > 0) {
        status = FAIL_SQL(err, FIRN_INVALID, "42P02", written->query->node.position,
                          "a view has no parameters, its query has %u", probe.parameters.count);
    } else {
        status = take_columns(self, &probe.plan.root->output_.columns, err);
    }
    bind_result_release(&probe);
    return status;
}

// ---- Views that last ---------------------------------------------------------------------------

// Where names of one part are looked for: in the session's schema if it is of the same catalog,
// else where the view is.
static firn_status choose_space(view_creation *self, firn_error *err) {
    const object_place *place = &self->seen.place;
    sql_name any = {.value = TEXT("x")};
    object_place here;
    TRY(session_place(self->run, &(sql_names){.count = 1, .items = &any}, false, &here, err));
    const bool is_here = here.catalog == place->catalog && here.object.space.count > 0;
    self->view.as.space = is_here ? here.object.space : place->object.space;
    return FIRN_OK;
}

static firn_status bind_as_read(view_creation *self, defined_view *seen, firn_error *err) {
    run *by = self->run;
    const bind_env env = session_bind_env(by);
    bind_result probe = {0};
    *seen = (defined_view){.place = self->seen.place, .is_shared = true, .as = &self->view.as};
    by->defined = seen;
    const firn_status status = bind_view(&self->view.as, &env, &by->memory, &probe, err);
    by->defined = NULL;
    if (status == FIRN_OK) {
        bind_result_release(&probe);
    }
    return status;
}

// A part of the text that is left out.
typedef struct text_range {
    size_t from, to;
} text_range;

static int compare_ranges(const void *left, const void *right) {
    const size_t one = ((const text_range *)left)->from;
    const size_t other = ((const text_range *)right)->from;
    return one < other ? -1 : one > other;
}

// Other programs may call the view's catalog otherwise: `lake.db.t` becomes `db.t` in its text.
// Names were found in the order of binding, some several times: those in WITH.
static firn_status cut_catalog(view_creation *self, const defined_view *seen, bool *is_cut,
                               firn_error *err) {
    const catalog *own = self->seen.place.catalog;
    const text sql = self->view.as.sql;
    text_range *cuts = ARENA_NEW(&self->run->memory, text_range, (size_t)seen->count + 1);
    if (cuts == NULL) {
        return ARENA_FULL(&self->run->memory, err);
    }
    size_t count = 0;
    for (uint32_t i = 0; i < seen->count; i++) {
        const sql_names *path = seen->names[i].path;
        if (seen->names[i].place.catalog == own && path->count > 2 &&
            text_equal_nocase(path->items[0].value, own->alias)) {
            cuts[count++] = (text_range){path->items[0].position, path->items[1].position};
        }
    }
    qsort(cuts, count, sizeof *cuts, compare_ranges);
    text_builder kept = text_builder_open(&self->run->memory);
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || cuts[i].from != cuts[i - 1].from) {
            text_append(&kept, text_slice(sql, at, cuts[i].from));
            at = cuts[i].to;
        }
    }
    text_append(&kept, text_slice(sql, at, sql.size));
    *is_cut = count > 0;
    return text_builder_finish(&kept, &self->view.as.sql, err);
}

// Also after a binding that failed, which has found fewer names.
static firn_status check_meanings(const view_creation *self, const defined_view *read,
                                  firn_error *err) {
    for (uint32_t i = 0; i < self->seen.count; i++) {
        const defined_name *name = &self->seen.names[i];
        if (i < read->count && session_is_same_place(&name->place, &read->names[i].place, true)) {
            continue;
        }
        const sql_name *last = &name->path->items[name->path->count - 1];
        const firn_status status =
            FAIL_SQL(err, FIRN_INVALID, "42P17", name->path->items[0].position,
                     "\"%.*s\" would %s to those who read the view", TEXT_ARGS(last->value),
                     i < read->count ? "be another table" : "mean nothing");
        err_hint(err, "write its schema, and its catalog if that is not \"%.*s\"",
                 TEXT_ARGS(self->seen.place.catalog->alias));
        return status;
    }
    return FIRN_OK;
}

static firn_status bind_alike(view_creation *self, defined_view *read, firn_error *err) {
    const firn_status status = bind_as_read(self, read, err);
    if (status != FIRN_OK && status != FIRN_NOT_FOUND) {
        return status;
    }
    TRY(check_meanings(self, read, err));
    return status;
}

static firn_status define_shared(view_creation *self, firn_error *err) {
    new_view *view = &self->view;
    const text alias = self->seen.place.catalog->alias;
    defined_view read;
    bool is_cut;
    TRY(define_properties(self->run, &self->written->properties, &view->as.properties,
                          &view->as.property_count, err));
    TRY(define_positions(self->run, &self->written->properties, &view->positions, err));
    TRY(choose_space(self, err));
    view->as.catalog = alias;
    view->as.owner = alias;
    view->as.search_path = (text){.size = 0};
    TRY(bind_alike(self, &read, err));
    TRY(cut_catalog(self, &read, &is_cut, err));
    const firn_status status = is_cut ? bind_alike(self, &read, err) : FIRN_OK;
    if (status == FIRN_INVALID && strcmp(err->sqlstate, "42P01") == 0) { // A column "lake.db.t.x".
        err_hint(err, "columns are named by their table alone, or by its alias");
    }
    return status;
}

// ---- The statement -----------------------------------------------------------------------------

static firn_status put_view(view_creation *self, firn_error *err) {
    run *by = self->run;
    const object_place *place = &self->seen.place;
    const sql_literal *comment = self->written->comment;
    self->view.version = by->context.version;
    self->view.as = (view_definition){
        .name = place->object.name,
        .catalog = by->context.catalog,
        .search_path = text_of(by->settings.texts[SETTING_search_path]),
        .sees_temporary = place->catalog == by->session->temporary,
        .comment = comment == NULL ? TEXT("") : comment->value,
    };
    TRY(self->seen.is_shared ? run_begin_transaction(by, err) : FIRN_OK); // Bound thrice.
    TRY(bind_written(self, err));
    text_builder printed = text_builder_open(&by->memory);
    sql_print_query(&printed, self->written->query);
    TRY(text_builder_finish(&printed, &self->view.as.sql, err));
    TRY(self->seen.is_shared ? define_shared(self, err) : FIRN_OK);
    view_change change = {.kind = VIEW_REPLACE, .view = &self->view};
    if (!self->must_be_there) {
        change.kind = self->written->or_replace ? VIEW_CREATE_OR_REPLACE : VIEW_CREATE;
    }
    return place->catalog->kind->change_view(place->catalog, place->object, &change, &by->cancel,
                                             err);
}

firn_status command_create_view(run *self, const sql_create_view *written, firn_error *err) {
    const creation made = {.what = "CREATE VIEW",
                           .path = &written->view,
                           .position = written->node.position,
                           .if_not_exists = written->if_not_exists};
    view_creation creating = {.run = self, .written = written};
    object_place *place = &creating.seen.place;
    bool is_there;
    TRY(session_place(self, made.path, written->is_temporary, place, err));
    TRY(refuse_view(self, place, &made, written, err));
    TRY(creation_is_done(self, &made, place, &is_there, err));
    creating.seen.is_shared = is_shared(self, place);
    return is_there ? FIRN_OK : creation_at_name(self, put_view(&creating, err), &made, err);
}

// ---- ALTER VIEW --------------------------------------------------------------------------------

// A view that is there.
static firn_status find_view(run *self, const sql_names *path, const char *word, object_place *out,
                             firn_error *err) {
    catalog_object found = {0};
    TRY(session_find(self, path, out, &found, err));
    const firn_status status = command_check_kind(&found, true, out->object.name, word, err);
    table_snapshot_release(found.snapshot);
    if (status != FIRN_OK) {
        err->position = path->items[0].position;
    }
    return status;
}

// As in Spark the columns are the query's; comment and properties stay.
static firn_status alter_query(run *self, const sql_alter *written, firn_error *err) {
    const creation made = {
        .what = "ALTER VIEW", .path = &written->name, .position = written->node.position};
    const sql_create_view as_created = {
        .node = written->node, .view = written->name, .query = written->query};
    view_creation altering = {.run = self, .written = &as_created, .must_be_there = true};
    object_place *place = &altering.seen.place;
    const firn_status status = find_view(self, made.path, "ALTER", place, err);
    if (status == FIRN_NOT_FOUND && written->if_exists) {
        return err_forgive(err, status, FIRN_NOT_FOUND);
    }
    TRY(status);
    TRY(refuse_view(self, place, &made, &as_created, err));
    altering.seen.is_shared = is_shared(self, place);
    return creation_at_name(self, put_view(&altering, err), &made, err);
}

// What is to be done; all of it is of properties.
static firn_status take_action(run *self, const sql_alter *written, property_change *out,
                               firn_error *err) {
    const uint32_t position = written->node.position;
    if (written->actions.count > 1) {
        return FAIL_SQL(err, FIRN_UNSUPPORTED, "0A000", position,
                        "ALTER VIEW takes one action at a time");
    }
    const sql_alter_action *action = sql_alter_action_of(written->actions.items[0]);
    return action->kind == SQL_ALTER_SET_PROPERTIES || action->kind == SQL_ALTER_UNSET_PROPERTIES
               ? define_property_change(self, action, out, err)
               : FAIL_SQL(err, FIRN_UNSUPPORTED, "0A000", action->node.position,
                          "ALTER VIEW sets and unsets properties, renames and takes AS with "
                          "another query");
}

static firn_status change_view(run *self, const object_place *place, const char *word,
                               uint32_t position, const property_change *change, firn_error *err) {
    catalog *of = place->catalog;
    const view_change of_properties = {.kind = VIEW_PROPERTIES, .properties = change};
    char what[32];
    if (!of->kind->has_view_properties || of->is_read_only) {
        return command_refuse_catalog(of, position, "changing properties of a view", err);
    }
    (void)snprintf(what, sizeof what, "%s VIEW", word);
    TRY(run_refuse_in_block(self, what, position, err));
    return of->kind->change_view(of, place->object, &of_properties, &self->cancel, err);
}

firn_status command_change_view(run *self, const sql_names *path, const char *word,
                                const property_change *change, firn_error *err) {
    const uint32_t position = path->items[0].position;
    object_place place;
    TRY(find_view(self, path, word, &place, err));
    const firn_status status = change_view(self, &place, word, position, change, err);
    if (status != FIRN_OK && err->position == NO_POSITION) {
        err->position = position;
    }
    return status;
}

firn_status command_alter_view(run *self, const sql_alter *written, firn_error *err) {
    property_change change;
    if (written->query != NULL) {
        return alter_query(self, written, err);
    }
    TRY(take_action(self, written, &change, err));
    return command_change_view(self, &written->name, "ALTER", &change, err);
}
