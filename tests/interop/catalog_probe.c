// Writes to a catalog as transactions will, and says what came of it; for catalog_write_test.py.
//
//     catalog_probe LOCATION ALIAS [OPTION=VALUE…]
//
// Commands are JSON objects on stdin, one a line, answers likewise on stdout:
//
//     {"do":"create_namespace"|"drop_namespace"|"properties", "space":["a","b"]}
//     {"do":"change_namespace","space":[…],"set":{"k":"v"},"removed":["k"],"is_new":false}
//     {"do":"drop","name":["db","t"],"is_view":false}
//     {"do":"rename","name":[…],"to":[…],"is_view":false}
//     {"do":"load","name":[…]}                                           {"ok":true}
//     {"do":"form"}                              {"form":"pointer"|"updates","tables":4294967295}
//     {"do":"stage","name":[…],"location":""}            {"location":"…","properties":{"k":"v"}}
//     {"do":"commit","deadline_ms":0,"parts":[{"kind":"create"|"change"|"replace"|"drop",
//         "name":[…],"purges":false,"old":"","new":"","version":0,
//         "requirements":"[…]","updates":"[…]"}]}         {"answer":"done"|"conflict"|"unknown"}
//     {"do":"purge","name":[…],"location":"…"}
//
// A failure is {"error":"…","sqlstate":"…","hint":"…"}.
#include <stdio.h>
#include <stdlib.h>

#include "base/host.h"
#include "catalogs/catalogs.h"
#include "io/io.h"
#include "memory/json_tree.h"
#include "tables/transaction.h"

#define MEMORY_LIMIT ((size_t)1 << 30)
#define LINE_BYTES_MAX (4 << 20)
#define OPTIONS_MAX 8
#define PARTS_MAX 8

typedef struct probe {
    io *files;
    catalog *of;
    commit_form form;
    arena memory; // Of one command.
    json_writer *out;
} probe;

static void say(probe *self, const char *key, text value) {
    json_write_key(self->out, text_of(key));
    json_write_text(self->out, value);
}

static firn_status read_levels(probe *self, const json_node *of, const char *key, text_list *out,
                               firn_error *err) {
    const json_node *array;
    TRY(json_get_array(of, key, &array, err));
    *out = (text_list){.items = ARENA_NEW(&self->memory, text, array->count + 1)};
    if (out->items == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    for (const json_node *each = array->first; each != NULL; each = each->next) {
        TRY(json_as_text(each, &out->items[out->count], err));
        out->count += 1;
    }
    return FIRN_OK;
}

static firn_status read_space(probe *self, const json_node *of, namespace_path *out,
                              firn_error *err) {
    text_list levels;
    TRY(read_levels(self, of, "space", &levels, err));
    *out = (namespace_path){.count = levels.count, .items = levels.items};
    return FIRN_OK;
}

static firn_status read_name(probe *self, const json_node *of, const char *key, object_name *out,
                             firn_error *err) {
    text_list levels;
    TRY(read_levels(self, of, key, &levels, err));
    if (levels.count < 1) {
        return FAIL(err, FIRN_INVALID, "a name without a level");
    }
    *out = (object_name){.space = {.count = levels.count - 1, .items = levels.items},
                         .name = levels.items[levels.count - 1]};
    return FIRN_OK;
}

static firn_status as_chars(probe *self, text value, const char **out, firn_error *err) {
    text copy;
    TRY(text_copy(&self->memory, value, &copy, err));
    *out = copy.data;
    return FIRN_OK;
}

// ---- Commands ----------------------------------------------------------------------------------

static firn_status change_namespace(probe *self, const json_node *command, firn_error *err) {
    namespace_path space;
    namespace_change change = {.is_new = false};
    property_change *properties = &change.properties;
    const json_node *set = NULL;
    const json_node *removed = NULL;
    TRY(read_space(self, command, &space, err));
    TRY(json_want_bool(command, "is_new", &change.is_new, err));
    TRY(json_want_object(command, "set", &set, err));
    TRY(json_want_array(command, "removed", &removed, err));
    const size_t set_count = set == NULL ? 0 : set->count;
    const size_t removed_count = removed == NULL ? 0 : removed->count;
    firn_option *options = ARENA_NEW(&self->memory, firn_option, set_count + 1);
    const char **keys = ARENA_NEW(&self->memory, const char *, removed_count + 1);
    if (options == NULL || keys == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    for (const json_node *each = set == NULL ? NULL : set->first; each != NULL; each = each->next) {
        TRY(as_chars(self, each->key, &options[properties->set_count].key, err));
        TRY(as_chars(self, each->value, &options[properties->set_count].value, err));
        properties->set_count += 1;
    }
    for (const json_node *each = removed == NULL ? NULL : removed->first; each != NULL;
         each = each->next) {
        TRY(as_chars(self, each->value, &keys[properties->removed_count++], err));
    }
    properties->set = options;
    properties->removed = keys;
    return self->of->kind->change_namespace(self->of, space, &change, err);
}

static firn_status with_namespace(probe *self, const json_node *command, text what,
                                  firn_error *err) {
    const catalog_kind *kind = self->of->kind;
    namespace_path space;
    TRY(read_space(self, command, &space, err));
    if (text_equal(what, TEXT("create_namespace"))) {
        return kind->create_namespace(self->of, space, err);
    }
    if (text_equal(what, TEXT("drop_namespace"))) {
        return kind->drop_namespace(self->of, space, err);
    }
    size_t count;
    firn_option *items;
    TRY(kind->namespace_properties(self->of, space, &self->memory, &count, &items, NULL, err));
    for (size_t i = 0; i < count; i++) {
        say(self, items[i].key, text_of(items[i].value));
    }
    return FIRN_OK;
}

static firn_status stage(probe *self, const json_node *command, firn_error *err) {
    static const field fields[] = {{.name = {.data = "x", .size = 1}, .type = TYPE_OF(BIGINT)}};
    object_name name;
    table_definition out;
    table_definition wanted = {.columns = {.count = 1, .fields = fields}};
    TRY(read_name(self, command, "name", &name, err));
    TRY(json_want_text(command, "location", &wanted.location, err));
    TRY(self->of->kind->committer->stage(self->of, name, &wanted, &self->memory, &out, NULL, err));
    say(self, "location", out.location);
    json_write_key(self->out, TEXT("properties"));
    json_begin_object(self->out);
    for (size_t i = 0; i < out.property_count; i++) {
        say(self, out.properties[i].key, text_of(out.properties[i].value));
    }
    json_end_object(self->out);
    return FIRN_OK;
}

static firn_status read_part(probe *self, const json_node *node, commit_part *out,
                             firn_error *err) {
    static const char *const kinds[] = {"create", "change", "replace", "drop"};
    text word;
    *out = (commit_part){.form = self->form};
    TRY(read_name(self, node, "name", &out->name, err));
    TRY(json_get_text(node, "kind", &word, err));
    for (uint32_t i = 0; i < 4; i++) {
        if (text_equal(word, text_of(kinds[i]))) {
            out->kind = i;
        }
    }
    TRY(json_want_bool(node, "purges", &out->purges, err));
    if (self->form == COMMIT_UPDATES) {
        TRY(json_want_text(node, "requirements", &out->updates.requirements, err));
        return json_want_text(node, "updates", &out->updates.updates, err);
    }
    TRY(json_want_text(node, "old", &out->pointer.old_location, err));
    return json_want_text(node, "new", &out->pointer.new_location, err);
}

static firn_status commit(probe *self, const json_node *command, firn_error *err) {
    static const char *const answers[] = {"done", "conflict", "unknown"};
    static commit_part items[PARTS_MAX];
    commit_parts parts = {.items = items};
    const json_node *array;
    commit_answer answer;
    int64_t deadline_ms = 0;
    TRY(json_want_i64(command, "deadline_ms", &deadline_ms, err));
    TRY(json_get_array(command, "parts", &array, err));
    for (const json_node *each = array->first; each != NULL && parts.count < PARTS_MAX;
         each = each->next) {
        TRY(read_part(self, each, &items[parts.count++], err));
    }
    firn_error why = ERR_INIT;
    const firn_status status = self->of->kind->committer->commit(
        self->of, &parts, deadline_ms == 0 ? UINT32_MAX : (uint32_t)deadline_ms, &answer, &why);
    if (status != FIRN_OK) {
        *err = why;
        return status;
    }
    say(self, "answer", text_of(answers[answer]));
    return FIRN_OK;
}

static firn_status tell_form(probe *self) {
    json_write_key(self->out, TEXT("form"));
    json_write_text(self->out, self->form == COMMIT_UPDATES ? TEXT("updates") : TEXT("pointer"));
    json_write_key(self->out, TEXT("tables"));
    json_write_u64(self->out, self->of->kind->committer->table_count_max(self->of));
    return FIRN_OK;
}

static firn_status with_name(probe *self, const json_node *command, text what, firn_error *err) {
    object_name name;
    object_name to;
    text location = {.size = 0};
    bool is_view = false;
    TRY(read_name(self, command, "name", &name, err));
    TRY(json_want_bool(command, "is_view", &is_view, err));
    TRY(json_want_text(command, "location", &location, err));
    if (text_equal(what, TEXT("drop"))) {
        return self->of->kind->drop(self->of, name, is_view, err);
    }
    if (text_equal(what, TEXT("purge"))) {
        return self->of->kind->committer->purge(self->of, name, location, NULL, err);
    }
    if (text_equal(what, TEXT("rename"))) {
        TRY(read_name(self, command, "to", &to, err));
        return self->of->kind->rename(self->of, name, to, is_view, err);
    }
    catalog_object found;
    TRY(self->of->kind->load(self->of, name, NULL, &self->memory, &found, NULL, err));
    if (found.snapshot != NULL) {
        table_snapshot_release(found.snapshot);
    }
    return FIRN_OK;
}

static firn_status do_command(probe *self, const json_node *command, firn_error *err) {
    text what;
    TRY(json_get_text(command, "do", &what, err));
    if (text_equal(what, TEXT("change_namespace"))) {
        return change_namespace(self, command, err);
    }
    if (text_equal(what, TEXT("form"))) {
        return tell_form(self);
    }
    if (text_equal(what, TEXT("stage"))) {
        return stage(self, command, err);
    }
    if (text_equal(what, TEXT("commit"))) {
        return commit(self, command, err);
    }
    return json_find(command, "space") != NULL ? with_namespace(self, command, what, err)
                                               : with_name(self, command, what, err);
}

static void print_to(void *user, const char *data, size_t size) {
    (void)user;
    (void)fwrite(data, 1, size, stdout);
}

static void answer_line(probe *self, bytes line) {
    const json_node *command;
    firn_error err = ERR_INIT;
    json_writer out = json_writer_open((json_sink){.append = print_to}, 0);
    self->out = &out;
    json_begin_object(&out);
    firn_status status = json_tree_read(&self->memory, line, &command, &err);
    status = status == FIRN_OK ? do_command(self, command, &err) : status;
    if (status != FIRN_OK) {
        say(self, "error", text_of(err.text));
        say(self, "sqlstate", text_of(err.sqlstate));
        say(self, "hint", text_of(err.hint));
    }
    json_end_object(&out);
    json_writer_finish(&out);
    (void)printf("\n");
    (void)fflush(stdout);
    arena_reset(&self->memory);
}

static firn_status open_catalog(probe *self, int argc, char **argv, firn_error *err) {
    firn_option options[OPTIONS_MAX];
    size_t count = 0;
    bool is_known = false;
    const io_options how = {.has_thread = true, .retry_pause_ms = 10};
    TRY(io_open(&how, &self->files, err));
    for (int i = 3; i < argc && count < OPTIONS_MAX; i++) {
        char *equals = strchr(argv[i], '=');
        if (equals != NULL) {
            *equals = '\0';
            options[count++] = (firn_option){.key = argv[i], .value = equals + 1};
        }
    }
    TRY(catalog_open(text_of(argv[2]), text_of(argv[1]), options, count, self->files, &self->of,
                     err));
    if (self->of->kind->connect != NULL) {
        TRY(self->of->kind->connect(self->of, NULL, err));
    }
    return self->of->kind->committer->form(self->of, TEXT("iceberg"), &self->form, &is_known, NULL,
                                           err);
}

int main(int argc, char **argv) {
    if (argc < 3) {
        return 2;
    }
    probe self = {.memory = arena_open(MEMORY_LIMIT)};
    firn_error err = ERR_INIT;
    static char line[LINE_BYTES_MAX];
    firn_status status = open_catalog(&self, argc, argv, &err);
    if (status != FIRN_OK) {
        (void)fprintf(stderr, "%s\n", err.text);
    }
    while (status == FIRN_OK && fgets(line, sizeof line, stdin) != NULL) {
        answer_line(&self, (bytes){.data = (const uint8_t *)line, .size = strlen(line)});
    }
    if (self.of != NULL) {
        self.of->kind->close(self.of);
    }
    io_close(self.files);
    arena_close(&self.memory);
    return status == FIRN_OK ? 0 : 1;
}
