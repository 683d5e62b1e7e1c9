#include "catalogs/memory_catalog.h"

#include <assert.h>

#include "base/host.h"
#include "memory/text_builder.h"
#include "tables/memory/memory_table.h"

#define BUCKETS_MIN UINT32_C(64)

typedef struct entry {
    struct entry *following; // In the list of all, the latest first …
    struct entry *before;
    struct entry *beside; // … and among those whose names have a bucket in common.
    uint64_t hash;        // Of the name, whatever its case.
    arena memory;
    text space; // Schema name.
    text name;
    memory_table *table; // One of these three.
    table_snapshot *snapshot;
    view_definition *view;
} entry;

typedef struct space_entry {
    struct space_entry *following;
    arena memory;
    text name;
} space_entry;

typedef struct memory_catalog {
    catalog base;
    arena memory;
    struct pool *pool;
    mutex lock;
    entry *entries;
    uint32_t entry_count;
    uint32_t bucket_count; // A power of two; 0: there are none yet.
    entry **buckets;       // The latest of each first.
    arena table;           // Of the buckets.
    space_entry *spaces;
} memory_catalog;

static memory_catalog *of(catalog *base) {
    return (memory_catalog *)base; // `base` is its first member.
}

static void close_entry(entry *self) {
    if (self == NULL) {
        return;
    }
    memory_table_release(self->table);
    table_snapshot_release(self->snapshot);
    arena memory = self->memory;
    arena_close(&memory);
}

void memory_catalog_clear(catalog *base) {
    memory_catalog *self = of(base);
    mutex_lock(&self->lock);
    entry *entries = self->entries;
    self->entries = NULL;
    self->entry_count = 0;
    self->bucket_count = 0;
    arena_close(&self->table);
    mutex_unlock(&self->lock);
    while (entries != NULL) { // Without the lock: see put().
        entry *each = entries;
        entries = each->following;
        close_entry(each);
    }
}

static void close_catalog(catalog *base) {
    memory_catalog *self = of(base);
    memory_catalog_clear(base);
    while (self->spaces != NULL) {
        space_entry *each = self->spaces;
        self->spaces = each->following;
        arena memory = each->memory;
        arena_close(&memory);
    }
    mutex_end(&self->lock);
    arena memory = self->memory;
    arena_close(&memory);
}

static firn_status add_space(memory_catalog *self, text name, firn_error *err) {
    arena memory = arena_open(SIZE_MAX);
    space_entry *made = ARENA_NEW(&memory, space_entry, 1);
    if (made == NULL) {
        return ARENA_FULL(&memory, err);
    }
    *made = (space_entry){.following = self->spaces};
    firn_status status = text_copy(&memory, name, &made->name, err);
    if (status != FIRN_OK) {
        arena_close(&memory);
        return status;
    }
    made->memory = memory;
    self->spaces = made;
    return FIRN_OK;
}

firn_status memory_catalog_open(text alias, struct pool *pool, catalog **out, firn_error *err) {
    arena memory = arena_open(SIZE_MAX);
    memory_catalog *self = ARENA_NEW(&memory, memory_catalog, 1);
    if (self == NULL) {
        return ARENA_FULL(&memory, err);
    }
    *self = (memory_catalog){
        .base = {.kind = &memory_catalog_kind}, .pool = pool, .table = arena_open(SIZE_MAX)};
    firn_status status = text_copy(&memory, alias, &self->base.alias, err);
    status = status == FIRN_OK ? add_space(self, TEXT("main"), err) : status;
    if (status != FIRN_OK) {
        arena_close(&memory);
        return status;
    }
    mutex_begin(&self->lock, MUTEX_CATALOG);
    self->memory = memory;
    *out = &self->base;
    return FIRN_OK;
}

// ---- Looking -----------------------------------------------------------------------------------

static text space_of(namespace_path path) {
    return path.count == 0 ? TEXT("main") : path.items[path.count - 1];
}

static entry **bucket_of(const memory_catalog *self, uint64_t hash) {
    return &self->buckets[hash & (self->bucket_count - 1)];
}

static bool is_name(text name, text wanted, bool is_exact) {
    return is_exact ? text_equal(name, wanted) : text_equal_nocase(name, wanted);
}

// Unquoted names that mean several of which none is written so.
static firn_status refuse_both(const char *what, text wanted, text one, text other,
                               firn_error *err) {
    firn_status status = FAIL_SQL(err, FIRN_INVALID, "42P09", NO_POSITION,
                                  "\"%.*s\" is any of the %s \"%.*s\" and \"%.*s\"",
                                  TEXT_ARGS(wanted), what, TEXT_ARGS(one), TEXT_ARGS(other));
    err_hint(err, "names in double quotes are told apart by case");
    return status;
}

// Under the lock: exactly that schema, else, unless it was quoted, the one that is the same but for
// case; NULL if there is none. Schemas have one level.
static firn_status find_space(const memory_catalog *self, namespace_path path,
                              const space_entry **out, firn_error *err) {
    const space_entry *near = NULL;
    const space_entry *other = NULL;
    const text wanted = space_of(path);
    *out = NULL;
    for (const space_entry *each = self->spaces; each != NULL && path.count < 2;
         each = each->following) {
        if (text_equal(each->name, wanted)) {
            *out = each;
            return FIRN_OK;
        }
        if (is_name(each->name, wanted, path.count == 1 && namespace_is_exact(path, 0))) {
            other = near;
            near = each;
        }
    }
    if (other != NULL) {
        return refuse_both("schemas", wanted, near->name, other->name, err);
    }
    *out = near;
    return FIRN_OK;
}

// Under the lock: as find_space, of a table or view.
static firn_status find(const memory_catalog *self, object_name wanted, entry **out,
                        firn_error *err) {
    entry *near = NULL;
    const entry *other = NULL;
    const uint64_t hash = text_hash_nocase(wanted.name);
    const space_entry *space;
    *out = NULL;
    TRY(find_space(self, wanted.space, &space, err));
    for (entry *each = self->bucket_count == 0 || space == NULL ? NULL : *bucket_of(self, hash);
         each != NULL; each = each->beside) {
        if (each->hash != hash || !text_equal(each->space, space->name)) {
            continue;
        }
        if (text_equal(each->name, wanted.name)) {
            *out = each;
            return FIRN_OK;
        }
        if (is_name(each->name, wanted.name, wanted.is_exact)) {
            other = near;
            near = each;
        }
    }
    if (other != NULL) {
        return refuse_both("tables and views", wanted.name, near->name, other->name, err);
    }
    *out = near;
    return FIRN_OK;
}

// Twice as many buckets, once there are as many entries.
static firn_status make_room(memory_catalog *self, firn_error *err) {
    if (self->entry_count < self->bucket_count) {
        return FIRN_OK;
    }
    const uint32_t count = self->bucket_count == 0 ? BUCKETS_MIN : self->bucket_count * 2;
    arena table = arena_open(SIZE_MAX);
    entry **buckets = ARENA_NEW(&table, entry *, count);
    if (buckets == NULL) {
        return ARENA_FULL(&table, err);
    }
    memset((void *)buckets, 0, count * sizeof(entry *));
    arena_close(&self->table);
    self->table = table;
    self->buckets = buckets;
    self->bucket_count = count;
    const entry *oldest = self->entries;
    while (oldest != NULL && oldest->following != NULL) {
        oldest = oldest->following;
    }
    for (entry *each = (entry *)(uintptr_t)oldest; each != NULL; each = each->before) {
        entry **bucket = bucket_of(self, each->hash);
        each->beside = *bucket;
        *bucket = each;
    }
    return FIRN_OK;
}

static void link_entry(memory_catalog *self, entry *made) {
    assert(self->bucket_count > 0);
    entry **bucket = bucket_of(self, made->hash);
    made->beside = *bucket;
    *bucket = made;
    made->before = NULL;
    made->following = self->entries;
    if (self->entries != NULL) {
        self->entries->before = made;
    }
    self->entries = made;
    self->entry_count++;
}

static void unlink_entry(memory_catalog *self, const entry *gone) {
    entry **place = bucket_of(self, gone->hash);
    while (*place != gone) {
        place = &(*place)->beside;
    }
    *place = gone->beside;
    if (gone->following != NULL) {
        gone->following->before = gone->before;
    }
    *(gone->before == NULL ? &self->entries : &gone->before->following) = gone->following;
    self->entry_count--;
}

static firn_status list_namespaces(catalog *base, namespace_path parent, arena *memory,
                                   namespace_path **out, uint32_t *count, const cancel_flag *cancel,
                                   firn_error *err) {
    (void)cancel;
    memory_catalog *self = of(base);
    *count = 0;
    mutex_lock(&self->lock);
    uint32_t all = 0;
    for (const space_entry *each = self->spaces; each != NULL; each = each->following) {
        all++;
    }
    firn_status status = FIRN_OK;
    *out = ARENA_NEW(memory, namespace_path, all + 1);
    text *names = ARENA_NEW(memory, text, all + 1);
    if (*out == NULL || names == NULL) {
        status = ARENA_FULL(memory, err);
    }
    for (const space_entry *each = self->spaces;
         status == FIRN_OK && each != NULL && parent.count == 0; each = each->following) {
        status = text_copy(memory, each->name, &names[*count], err);
        (*out)[*count] = (namespace_path){.count = 1, .items = &names[*count]};
        (*count)++;
    }
    mutex_unlock(&self->lock);
    return status;
}

static firn_status has_namespace(catalog *base, namespace_path space, bool *out,
                                 const cancel_flag *cancel, firn_error *err) {
    (void)cancel;
    memory_catalog *self = of(base);
    const space_entry *found;
    mutex_lock(&self->lock);
    const firn_status status = find_space(self, space, &found, err);
    *out = found != NULL;
    mutex_unlock(&self->lock);
    return status;
}

static text comment_of(const entry *self) {
    if (self->view != NULL) {
        return self->view->comment;
    }
    return self->table != NULL ? memory_table_comment(self->table) : TEXT("");
}

static firn_status list(catalog *base, namespace_path space, arena *memory, catalog_entry_list *out,
                        const cancel_flag *cancel, firn_error *err) {
    (void)cancel;
    memory_catalog *self = of(base);
    *out = (catalog_entry_list){0};
    mutex_lock(&self->lock);
    uint32_t all = 0;
    for (const entry *each = self->entries; each != NULL; each = each->following) {
        all++;
    }
    const space_entry *inside;
    firn_status status = find_space(self, space, &inside, err);
    out->items = ARENA_NEW(memory, catalog_entry, all + 1);
    if (status == FIRN_OK && out->items == NULL) {
        status = ARENA_FULL(memory, err);
    }
    for (const entry *each = self->entries; status == FIRN_OK && inside != NULL && each != NULL;
         each = each->following) {
        if (text_equal(each->space, inside->name)) {
            catalog_entry *made = &out->items[out->count++];
            *made = (catalog_entry){.kind = each->view != NULL ? ENTRY_VIEW : ENTRY_TABLE};
            status = text_copy(memory, each->name, &made->name, err);
            status = status == FIRN_OK ? text_copy(memory, comment_of(each), &made->comment, err)
                                       : status;
        }
    }
    mutex_unlock(&self->lock);
    return status;
}

static firn_status copy_view(arena *memory, const view_definition *view, view_definition **out,
                             firn_error *err) {
    view_definition *made = ARENA_NEW(memory, view_definition, 1);
    text *columns = ARENA_NEW(memory, text, view->columns.count + 1);
    text *space = ARENA_NEW(memory, text, view->space.count + 1);
    if (made == NULL || columns == NULL || space == NULL) {
        return ARENA_FULL(memory, err);
    }
    *made = (view_definition){.sees_temporary = view->sees_temporary,
                              .columns = {.count = view->columns.count, .items = columns},
                              .space = {.count = view->space.count, .items = space}};
    TRY(text_copy(memory, view->sql, &made->sql, err));
    TRY(text_copy(memory, view->name, &made->name, err));
    TRY(text_copy(memory, view->catalog, &made->catalog, err));
    TRY(text_copy(memory, view->search_path, &made->search_path, err));
    TRY(text_copy(memory, view->comment, &made->comment, err));
    for (uint32_t i = 0; i < view->columns.count; i++) {
        TRY(text_copy(memory, view->columns.items[i], &columns[i], err));
    }
    for (uint32_t i = 0; i < view->space.count; i++) {
        TRY(text_copy(memory, view->space.items[i], &space[i], err));
    }
    *out = made;
    return FIRN_OK;
}

static firn_status say_missing(const memory_catalog *self, const char *what, namespace_path space,
                               text name, firn_error *err) {
    if (space.count > 1) { // Then nobody has a catalog of that name.
        return FAIL_SQL(err, FIRN_NOT_FOUND, "42P01", NO_POSITION, "there is no catalog \"%.*s\"",
                        TEXT_ARGS(space.items[0]));
    }
    return FAIL_SQL(err, FIRN_NOT_FOUND, "42P01", NO_POSITION,
                    "there is no %s \"%.*s\" in %.*s.%.*s", what, TEXT_ARGS(name),
                    TEXT_ARGS(self->base.alias), TEXT_ARGS(space_of(space)));
}

static firn_status load(catalog *base, object_name name, const table_version *version,
                        arena *memory, catalog_object *out, const cancel_flag *cancel,
                        firn_error *err) {
    (void)cancel;
    memory_catalog *self = of(base);
    *out = (catalog_object){0};
    entry *found;
    mutex_lock(&self->lock);
    firn_status status = find(self, name, &found, err);
    if (status != FIRN_OK) {
        // Said.
    } else if (found == NULL) {
        status = say_missing(self, "table", name.space, name.name, err);
    } else if (version != NULL && version->kind != VERSION_CURRENT) {
        status =
            FAIL_SQL(err, FIRN_INVALID, "42809", NO_POSITION,
                     "\"%.*s\" is in memory and has no earlier versions", TEXT_ARGS(name.name));
    } else if (found->view != NULL) {
        status = copy_view(memory, found->view, &out->view, err);
    } else if (found->snapshot != NULL) {
        out->snapshot = table_snapshot_retain(found->snapshot);
    } else {
        status = memory_table_snapshot(found->table, &out->snapshot, err);
    }
    mutex_unlock(&self->lock);
    return status;
}

// ---- Changing ----------------------------------------------------------------------------------

static firn_status new_entry(text name, entry **out, firn_error *err) {
    arena memory = arena_open(SIZE_MAX);
    entry *made = ARENA_NEW(&memory, entry, 1);
    if (made == NULL) {
        return ARENA_FULL(&memory, err);
    }
    *made = (entry){0};
    const firn_status status = text_copy(&memory, name, &made->name, err);
    if (status != FIRN_OK) {
        arena_close(&memory);
        return status;
    }
    made->memory = memory;
    made->hash = text_hash_nocase(made->name);
    *out = made;
    return FIRN_OK;
}

// Under the lock: may a table or view of that name be put? *old is what it would replace, or NULL.
static firn_status check_place(const memory_catalog *self, object_name name, bool is_view,
                               bool replace, entry **old, firn_error *err) {
    const space_entry *space;
    TRY(find_space(self, name.space, &space, err));
    if (space == NULL) {
        return FAIL_SQL(err, FIRN_NOT_FOUND, "3F000", NO_POSITION,
                        "there is no schema \"%.*s\" in catalog \"%.*s\"",
                        TEXT_ARGS(space_of(name.space)), TEXT_ARGS(self->base.alias));
    }
    TRY(find(self, name, old, err));
    if (*old != NULL && !replace) {
        return FAIL_SQL(err, FIRN_CONFLICT, "42P07", NO_POSITION,
                        "a table or view \"%.*s\" exists already", TEXT_ARGS(name.name));
    }
    if (*old != NULL && ((*old)->view != NULL) != is_view) {
        return catalog_say_other_kind(name.name, is_view, NULL, err);
    }
    return FIRN_OK;
}

// Under the lock: puts a new entry. What it replaces is closed by the caller, without the lock, as
// the release of a foreign stream may do anything.
static firn_status put(memory_catalog *self, object_name name, entry *made, bool replace,
                       entry **replaced, firn_error *err) {
    *replaced = NULL;
    entry *old;
    const space_entry *space;
    TRY(check_place(self, name, made->view != NULL, replace, &old, err));
    TRY(find_space(self, name.space, &space, err));
    assert(space != NULL);
    TRY(text_copy(&made->memory, space->name, &made->space, err));
    TRY(make_room(self, err));
    if (old != NULL) {
        unlink_entry(self, old);
    }
    link_entry(self, made);
    *replaced = old;
    return FIRN_OK;
}

// Under the lock: a view with another query keeps the rest of the old one of that name.
static firn_status keep_of_old(memory_catalog *self, object_name name, entry *made,
                               firn_error *err) {
    entry *old;
    TRY(find(self, name, &old, err));
    if (old == NULL) {
        return say_missing(self, "view", name.space, name.name, err);
    }
    TRY(text_copy(&made->memory, old->name, &made->name, err)); // It differs in case at most.
    return old->view == NULL
               ? FIRN_OK // put() refuses it.
               : text_copy(&made->memory, old->view->comment, &made->view->comment, err);
}

typedef enum put_kind {
    PUT_NEW,
    PUT_OR_REPLACE,
    PUT_QUERY // Of a view that is there.
} put_kind;

static firn_status finish_put(memory_catalog *self, object_name name, entry *made, put_kind kind,
                              firn_status status, firn_error *err) {
    entry *replaced = NULL;
    if (status == FIRN_OK) {
        mutex_lock(&self->lock);
        status = kind == PUT_QUERY ? keep_of_old(self, name, made, err) : FIRN_OK;
        if (status == FIRN_OK) {
            status = put(self, name, made, kind != PUT_NEW, &replaced, err);
        }
        mutex_unlock(&self->lock);
    }
    close_entry(replaced);
    if (status != FIRN_OK) {
        close_entry(made);
    }
    return status;
}

// How a table calls itself: by its schema and name; the schema `main` goes without saying. Under
// the lock.
static firn_status dotted_name(const memory_catalog *self, object_name name, arena *memory,
                               text *out, firn_error *err) {
    text space = space_of(name.space);
    const space_entry *found;
    TRY(find_space(self, name.space, &found, err));
    if (found != NULL) { // As it is written there.
        space = found->name;
    }
    return text_equal(space, TEXT("main"))
               ? text_copy(memory, name.name, out, err)
               : text_format(memory, out, err, "%.*s.%.*s", TEXT_ARGS(space), TEXT_ARGS(name.name));
}

static firn_status open_table(memory_catalog *self, object_name name, const new_table *definition,
                              memory_table **out, firn_error *err) {
    arena memory = arena_open(SIZE_MAX);
    text dotted;
    mutex_lock(&self->lock);
    firn_status status = dotted_name(self, name, &memory, &dotted, err);
    mutex_unlock(&self->lock);
    if (status == FIRN_OK) {
        status = memory_table_open(self->base.alias, dotted, definition, self->pool, out, err);
    }
    arena_close(&memory);
    return status;
}

static firn_status create_table(catalog *base, object_name name, const new_table *definition,
                                bool replace, catalog_object *out, firn_error *err) {
    memory_catalog *self = of(base);
    entry *made;
    TRY(new_entry(name.name, &made, err));
    firn_status status = open_table(self, name, definition, &made->table, err);
    table_snapshot *snapshot = NULL;
    if (status == FIRN_OK) {
        status = memory_table_snapshot(made->table, &snapshot, err);
    }
    status = finish_put(self, name, made, replace ? PUT_OR_REPLACE : PUT_NEW, status, err);
    if (status != FIRN_OK) {
        table_snapshot_release(snapshot);
        return status;
    }
    *out = (catalog_object){.snapshot = snapshot};
    return FIRN_OK;
}

static firn_status stage_table(catalog *base, object_name name, const new_table *definition,
                               bool replace, table_snapshot **out, firn_error *err) {
    memory_catalog *self = of(base);
    entry *old;
    mutex_lock(&self->lock);
    firn_status status = check_place(self, name, false, replace, &old, err);
    mutex_unlock(&self->lock);
    TRY(status);
    memory_table *made;
    TRY(open_table(self, name, definition, &made, err));
    status = memory_table_snapshot(made, out, err);
    memory_table_release(made); // The snapshot has it.
    return status;
}

static firn_status publish_table(catalog *base, object_name name, table_snapshot *staged,
                                 bool replace, firn_error *err) {
    entry *made;
    TRY(new_entry(name.name, &made, err));
    made->table = memory_table_of(staged);
    return finish_put(of(base), name, made, replace ? PUT_OR_REPLACE : PUT_NEW, FIRN_OK, err);
}

static firn_status change_view(catalog *base, object_name name, const view_change *change,
                               const cancel_flag *cancel, firn_error *err) {
    (void)cancel;
    assert(change->kind != VIEW_PROPERTIES);
    entry *made;
    TRY(new_entry(name.name, &made, err));
    const firn_status status = copy_view(&made->memory, &change->view->as, &made->view, err);
    const put_kind kind = change->kind == VIEW_CREATE    ? PUT_NEW
                          : change->kind == VIEW_REPLACE ? PUT_QUERY
                                                         : PUT_OR_REPLACE;
    return finish_put(of(base), name, made, kind, status, err);
}

firn_status memory_catalog_put(catalog *base, text name, table_snapshot *taken, firn_error *err) {
    entry *made;
    TRY(new_entry(name, &made, err));
    made->snapshot = taken;
    memory_catalog *self = of(base);
    mutex_lock(&self->lock);
    entry *replaced;
    firn_status status = put(self, (object_name){.name = name}, made, true, &replaced, err);
    mutex_unlock(&self->lock);
    close_entry(replaced);
    if (status != FIRN_OK) {
        made->snapshot = NULL;
        close_entry(made);
    }
    return status;
}

static firn_status drop(catalog *base, object_name name, bool is_view, firn_error *err) {
    memory_catalog *self = of(base);
    entry *gone;
    mutex_lock(&self->lock);
    firn_status status = find(self, name, &gone, err);
    if (status != FIRN_OK) {
        // Said.
    } else if (gone == NULL) {
        status = say_missing(self, is_view ? "view" : "table", name.space, name.name, err);
    } else if ((gone->view != NULL) != is_view) {
        status = catalog_say_other_kind(name.name, is_view, "DROP", err);
    } else {
        unlink_entry(self, gone);
    }
    mutex_unlock(&self->lock);
    if (status == FIRN_OK) {
        close_entry(gone); // Without the lock: see put().
    }
    return status;
}

// Under the lock: what is called `from`, and may be called `to`.
static firn_status find_renamed(memory_catalog *self, object_name from, object_name to,
                                bool is_view, entry **out, firn_error *err) {
    entry *taken = NULL; // It stays so if there is no such schema.
    TRY(find(self, from, out, err));
    if (*out == NULL) {
        return say_missing(self, is_view ? "view" : "table", from.space, from.name, err);
    }
    if (((*out)->view != NULL) != is_view) {
        return catalog_say_other_kind(from.name, is_view, NULL, err);
    }
    const firn_status status = check_place(self, to, is_view, false, &taken, err);
    // Another case of its own name is free.
    return status != FIRN_OK && taken == *out ? err_forgive(err, status, FIRN_CONFLICT) : status;
}

// Under the lock: `made` takes the place and what is in `old`, which is left empty.
static firn_status take_name(memory_catalog *self, object_name to, entry *old, entry *made,
                             firn_error *err) {
    const space_entry *space;
    TRY(find_space(self, to.space, &space, err));
    assert(space != NULL);
    TRY(text_copy(&made->memory, space->name, &made->space, err));
    if (old->view != NULL) {
        TRY(copy_view(&made->memory, old->view, &made->view, err));
        TRY(text_copy(&made->memory, to.name, &made->view->name, err));
    }
    TRY(make_room(self, err));
    if (old->table != NULL) {
        text dotted;
        TRY(dotted_name(self, to, &made->memory, &dotted, err));
        TRY(memory_table_rename(old->table, dotted, err)); // The last that can fail.
    }
    made->table = old->table;
    made->snapshot = old->snapshot;
    old->table = NULL;
    old->snapshot = NULL;
    unlink_entry(self, old);
    link_entry(self, made);
    return FIRN_OK;
}

static firn_status rename_object(catalog *base, object_name from, object_name to, bool is_view,
                                 firn_error *err) {
    memory_catalog *self = of(base);
    entry *made;
    entry *old = NULL;
    TRY(new_entry(to.name, &made, err));
    mutex_lock(&self->lock);
    firn_status status = find_renamed(self, from, to, is_view, &old, err);
    status = status == FIRN_OK ? take_name(self, to, old, made, err) : status;
    mutex_unlock(&self->lock);
    close_entry(status == FIRN_OK ? old : made);
    return status;
}

static firn_status create_namespace(catalog *base, namespace_path space, firn_error *err) {
    memory_catalog *self = of(base);
    if (space.count != 1) {
        return FAIL_SQL(err, FIRN_INVALID, "42601", NO_POSITION,
                        "a schema in memory has a name of one part");
    }
    mutex_lock(&self->lock);
    const space_entry *found;
    firn_status status = find_space(self, space, &found, err);
    if (found != NULL) {
        status = FAIL_SQL(err, FIRN_CONFLICT, "42P06", NO_POSITION,
                          "a schema \"%.*s\" exists already", TEXT_ARGS(found->name));
    } else if (status == FIRN_OK) {
        status = add_space(self, space.items[0], err);
    }
    mutex_unlock(&self->lock);
    return status;
}

// Under the lock.
static firn_status unlink_space(memory_catalog *self, const space_entry *gone, firn_error *err) {
    if (text_equal(gone->name, TEXT("main"))) {
        return FAIL_SQL(err, FIRN_INVALID, "42809", NO_POSITION,
                        "the schema \"main\" cannot be dropped: sessions begin in it");
    }
    for (const entry *each = self->entries; each != NULL; each = each->following) {
        if (text_equal(each->space, gone->name)) {
            firn_status status =
                FAIL_SQL(err, FIRN_INVALID, "2BP01", NO_POSITION,
                         "the schema \"%.*s\" is not empty", TEXT_ARGS(gone->name));
            err_hint(err, "drop what is in it first");
            return status;
        }
    }
    space_entry **slot = &self->spaces;
    while (*slot != gone) {
        slot = &(*slot)->following;
    }
    *slot = gone->following;
    arena memory = gone->memory;
    arena_close(&memory);
    return FIRN_OK;
}

static firn_status drop_namespace(catalog *base, namespace_path space, firn_error *err) {
    memory_catalog *self = of(base);
    const space_entry *gone;
    mutex_lock(&self->lock);
    firn_status status = find_space(self, space, &gone, err);
    if (gone != NULL) {
        status = unlink_space(self, gone, err);
    } else if (status == FIRN_OK) {
        status = FAIL_SQL(err, FIRN_NOT_FOUND, "3F000", NO_POSITION, "there is no schema \"%.*s\"",
                          TEXT_ARGS(space_of(space)));
    }
    mutex_unlock(&self->lock);
    return status;
}

static bool recognises(text location) {
    (void)location;
    return false; // Engines and sessions make them; ATTACH does not.
}

const catalog_kind memory_catalog_kind = {
    .name = "memory",
    .finds_any_case = true,
    .recognises = recognises,
    .close = close_catalog,
    .list_namespaces = list_namespaces,
    .has_namespace = has_namespace,
    .list = list,
    .load = load,
    .create_namespace = create_namespace,
    .drop_namespace = drop_namespace,
    .create_table = create_table,
    .stage_table = stage_table,
    .publish_table = publish_table,
    .change_view = change_view,
    .drop = drop,
    .rename = rename_object,
};
