#include "catalogs/rest_client_private.h"

#include <stdio.h>

#include "base/host.h"
#include "base/utf8.h"
#include "catalogs/rest_client_storage.h"
#include "io/io_path.h"
#include "io/uri.h"
#include "memory/arena_grow.h"
#include "memory/name_index.h"
#include "memory/text_builder.h"

// A server that never ends a list is stopped here: after so many pages, or so many times as long as
// one request may take.
#define PAGE_COUNT_MAX 100000
#define PAGES_TIMEOUTS 10

// How often a thread that waits for another one's answer looks at its cancel flag.
#define LOOK_MS 20

firn_status rest_client_open(io *files, const rest_options *options, rest_client **out,
                             firn_error *err) {
    *out = NULL;
    arena memory = arena_open(CLIENT_MEMORY_LIMIT);
    rest_client *self = ARENA_NEW(&memory, rest_client, 1);
    if (self == NULL) {
        return ARENA_FULL(&memory, err);
    }
    *self = (rest_client){.config_memory = arena_open(CLIENT_MEMORY_LIMIT)};
    const firn_status status = rest_session_open(&self->session, files, options, err);
    if (status != FIRN_OK) {
        arena_close(&memory);
        return status;
    }
    mutex_begin(&self->lock, MUTEX_CATALOG);
    condition_begin(&self->changed);
    rest_owns_open(&self->owns);
    self->memory = memory;
    *out = self;
    return FIRN_OK;
}

void rest_client_close(rest_client *self) {
    if (self != NULL) {
        io_storage_drop(self->session.files, self);
        rest_session_close(&self->session);
        rest_owns_close(&self->owns);
        arena_close(&self->config_memory);
        condition_end(&self->changed);
        mutex_end(&self->lock);
        arena memory = self->memory;
        arena_close(&memory);
    }
}

// ---- Configuration -----------------------------------------------------------------------------

// `memory` is where the answer was read to.
firn_status rest_while_reading(firn_status status, const rest_client *self, text subject,
                               const arena *memory, firn_error *err) {
    if (status == FIRN_NO_MEMORY && arena_is_at_limit(memory)) {
        char limit[IO_SIZE_TEXT];
        status = FAIL(err, FIRN_INVALID, "an answer that takes more than the allowed %s",
                      io_size_shown(memory->limit, limit));
    }
    if (status != FIRN_OK) {
        err_while(err, "reading the answer of catalog \"%.*s\" about %.*s",
                  TEXT_ARGS(self->session.options.alias), TEXT_ARGS(subject));
    }
    return status;
}

static firn_status configure(rest_client *self, const catalog_properties *properties,
                             bool is_override, firn_error *err) {
    for (uint32_t i = 0; i < properties->count; i++) {
        TRY(rest_session_configure(&self->session, properties->items[i].key,
                                   properties->items[i].value, is_override, err));
    }
    return FIRN_OK;
}

static firn_status ask_config(rest_client *self, const cancel_flag *cancel, firn_error *err) {
    arena *memory = &self->config_memory;
    const text warehouse = self->session.options.warehouse;
    text_builder path = text_builder_open(memory);
    text_append(&path, TEXT("v1/config"));
    if (warehouse.size > 0) {
        text_append(&path, TEXT("?warehouse="));
        uri_append_encoded(&path, warehouse);
    }
    rest_call call = {.method = "GET", .subject = TEXT("the configuration")};
    TRY(text_builder_finish(&path, &call.path, err));
    http_answer answer;
    firn_status status = rest_session_call(&self->session, &call, memory, cancel, &answer, err);
    if (status == FIRN_NOT_FOUND) {
        err_hint(err, "the URI of a REST catalog is what stands before /v1");
    }
    TRY(status);
    status = rest_read_config(answer.body, memory, &self->config, err);
    if (status == FIRN_OK) {
        status = configure(self, &self->config.defaults, false, err);
    }
    if (status == FIRN_OK) {
        status = configure(self, &self->config.overrides, true, err);
    }
    return rest_while_reading(status, self, call.subject, memory, err);
}

firn_status rest_client_connect(rest_client *self, const cancel_flag *cancel, firn_error *err) {
    firn_status status = FIRN_OK;
    mutex_lock(&self->lock);
    while (self->state == CLIENT_ASKING && status == FIRN_OK) {
        condition_wait(&self->changed, &self->lock, LOOK_MS);
        status = cancel_check(cancel, err);
    }
    const bool is_mine = self->state == CLIENT_NEW && status == FIRN_OK;
    if (is_mine) {
        self->state = CLIENT_ASKING;
    }
    mutex_unlock(&self->lock);
    if (!is_mine) {
        return status;
    }
    // The lock is not held while the server is asked; the state is.
    arena_reset(&self->config_memory);
    status = ask_config(self, cancel, err);
    mutex_lock(&self->lock);
    self->state = status == FIRN_OK ? CLIENT_CONNECTED : CLIENT_NEW;
    condition_wake_all(&self->changed);
    mutex_unlock(&self->lock);
    return status;
}

bool rest_client_can(const rest_client *self, rest_endpoint endpoint) {
    return (self->config.endpoints >> endpoint & 1) != 0;
}

// ---- Paths -------------------------------------------------------------------------------------

// A path below /v1/{prefix}/.
text_builder rest_path_open(const rest_client *self, arena *memory) {
    text_builder path = text_builder_open(memory);
    text_append(&path, TEXT("v1/"));
    if (self->config.prefix.size > 0) {
        uri_append_repaired(&path, self->config.prefix);
        text_append_char(&path, '/');
    }
    return path;
}

void rest_append_levels(const rest_client *self, text_builder *path, namespace_path space) {
    for (uint32_t i = 0; i < space.count; i++) {
        if (i > 0) {
            text_append(path, self->config.separator);
        }
        uri_append_encoded(path, space.items[i]);
    }
}

text_builder rest_space_path_open(const rest_client *self, arena *memory, namespace_path space) {
    text_builder path = rest_path_open(self, memory);
    text_append(&path, TEXT("namespaces/"));
    rest_append_levels(self, &path, space);
    return path;
}

firn_status rest_name_space(arena *memory, namespace_path space, text *out, firn_error *err) {
    text_builder words = text_builder_open(memory);
    text_append(&words, TEXT("namespace \""));
    for (uint32_t i = 0; i < space.count; i++) {
        text_append(&words, i > 0 ? TEXT(".") : TEXT(""));
        text_append(&words, space.items[i]);
    }
    text_append_char(&words, '"');
    return text_builder_finish(&words, out, err);
}

firn_status rest_name_table(arena *memory, const rest_load *what, const char *kind, text *out,
                            firn_error *err) {
    text_builder words = text_builder_open(memory);
    text_append_format(&words, "%s \"", kind);
    for (uint32_t i = 0; i < what->space.count; i++) {
        text_append(&words, what->space.items[i]);
        text_append_char(&words, '.');
    }
    text_append(&words, what->name);
    text_append_char(&words, '"');
    return text_builder_finish(&words, out, err);
}

// Dots are taken out of paths on the way, also encoded ones: "DROP TABLE a.\"..\"" would drop a.
static bool is_dots(text name) {
    return text_equal(name, TEXT(".")) || text_equal(name, TEXT(".."));
}

static firn_status check_part(text part, const char *what, firn_error *err) {
    if (part.size == 0) {
        return FAIL(err, FIRN_INVALID, "%s is empty", what);
    }
    if (!utf8_is_valid(bytes_of_text(part))) {
        return FAIL(err, FIRN_INVALID, "%s is not UTF-8", what);
    }
    return is_dots(part) ? FAIL(err, FIRN_INVALID,
                                "%s is \"%.*s\", which means another place in the paths of a REST "
                                "catalog",
                                what, TEXT_ARGS(part))
                         : (firn_status)FIRN_OK;
}

// Whether a level and what comes between levels would be taken apart at another place: "a-" before
// "--" as well as "a--b".
static bool is_parted_early(text level, text separator) {
    bool is = text_find(level, separator) < level.size;
    for (size_t i = 1; i < separator.size; i++) {
        is = is || (text_ends_with(level, text_slice(separator, 0, i)) &&
                    text_ends_with(separator, text_slice(separator, 0, separator.size - i)));
    }
    return is;
}

firn_status rest_check_space(const rest_client *self, namespace_path space, firn_error *err) {
    if (space.count == 0) {
        return FAIL(err, FIRN_INVALID, "a namespace without a level, at least one is needed");
    }
    for (uint32_t i = 0; i < space.count; i++) {
        const text level = space.items[i];
        char what[64];
        (void)snprintf(what, sizeof what, "level %u of a namespace", i + 1);
        TRY(check_part(level, what, err));
        if (is_parted_early(level, self->config.separates)) {
            return FAIL(
                err, FIRN_INVALID,
                "level %u of a namespace, \"%.*s\", holds what catalog \"%.*s\" puts between "
                "levels (%.*s)",
                i + 1, TEXT_ARGS(level), TEXT_ARGS(self->session.options.alias),
                TEXT_ARGS(self->config.separator));
        }
    }
    return FIRN_OK;
}

firn_status rest_check_name(const rest_client *self, object_name name, firn_error *err) {
    TRY(rest_check_space(self, name.space, err));
    return check_part(name.name, "the name of a table", err);
}

// ---- Pages -------------------------------------------------------------------------------------

// A list of the server: where it is and what is done with a page of it, which says how to go on.
typedef struct page_list {
    text path; // May have a query already.
    text subject;
    firn_status (*read)(void *user, bytes body, arena *memory, text *next_page, firn_error *err);
    void *user;
} page_list;

// Asks for all pages, one after the other.
static firn_status read_pages(rest_client *self, const page_list *list, arena *memory,
                              const cancel_flag *cancel, firn_error *err) {
    const bool has_query = text_find(list->path, TEXT("?")) < list->path.size;
    const uint32_t own_ms = self->session.options.request_timeout_ms;
    // Where no option says it: twice what a server may be silent (exchange_time.h).
    const int64_t one_ms =
        own_ms == 0 ? 2 * (int64_t)io_timeout_ms(self->session.files) : (int64_t)own_ms;
    const int64_t end = host_clock_ns() + one_ms * PAGES_TIMEOUTS * 1000000;
    text page = {.size = 0};
    for (uint32_t i = 0; i < PAGE_COUNT_MAX && host_clock_ns() <= end; i++) {
        text_builder builder = text_builder_open(memory);
        text_append(&builder, list->path);
        text_append(&builder, has_query ? TEXT("&pageToken=") : TEXT("?pageToken="));
        uri_append_encoded(&builder, page);
        rest_call call = {.method = "GET", .subject = list->subject};
        TRY(text_builder_finish(&builder, &call.path, err));
        http_answer answer;
        TRY(rest_session_call(&self->session, &call, memory, cancel, &answer, err));
        text next;
        TRY(rest_while_reading(list->read(list->user, answer.body, memory, &next, err), self,
                               list->subject, memory, err));
        if (next.size == 0) {
            return FIRN_OK;
        }
        if (text_equal(next, page)) {
            break;
        }
        page = next;
    }
    (void)FAIL(err, FIRN_CORRUPT, "the list of %.*s of catalog \"%.*s\" has no last page",
               TEXT_ARGS(list->subject), TEXT_ARGS(self->session.options.alias));
    if (host_clock_ns() > end) {
        err_hint(err, "none came in %g s, %d times %s", (double)(one_ms * PAGES_TIMEOUTS) / 1000,
                 own_ms == 0 ? 2 * PAGES_TIMEOUTS : PAGES_TIMEOUTS,
                 own_ms == 0 ? "the setting \"http_timeout\"" : "the REQUEST_TIMEOUT of ATTACH");
    }
    return FIRN_CORRUPT;
}

typedef struct space_list {
    const rest_client *client;
    namespace_path parent;
    namespace_path *items;
    uint32_t count;
    uint32_t capacity;
    name_index names;
} space_list;

// Servers that know nothing of `parent` answer with all they have, whatever is asked for: whoever
// asked for the children of those in turn would never end.
static bool is_child(namespace_path parent, namespace_path space) {
    bool is_below = space.count == parent.count + 1;
    for (uint32_t i = 0; is_below && i < parent.count; i++) {
        is_below = text_equal(space.items[i], parent.items[i]);
    }
    return is_below;
}

// One that cannot be asked about is left out: it would be an error of whoever looks through all.
static bool can_be_asked(const rest_client *self, namespace_path space) {
    firn_error ignored = ERR_INIT;
    return rest_check_space(self, space, &ignored) == FIRN_OK;
}

// Adds a name, or says that it is there: servers repeat some, above all at the borders of pages.
static firn_status is_new(name_index *names, text name, arena *memory, bool *out, firn_error *err) {
    uint32_t at = name_index_first(names, name);
    while (at != NO_NAME && !text_equal(names->entries[at].name, name)) { // It may differ in case.
        at = name_index_next(names, at);
    }
    *out = at == NO_NAME;
    return *out ? name_index_add(names, name, memory, err) : FIRN_OK;
}

static firn_status add_spaces(void *user, bytes body, arena *memory, text *next_page,
                              firn_error *err) {
    space_list *self = user;
    namespace_path *page;
    uint32_t count;
    TRY(rest_read_namespaces(body, memory, &page, &count, next_page, err));
    if (count == 0) {
        return FIRN_OK;
    }
    namespace_path *items =
        ARENA_GROW(memory, namespace_path, self->items, self->count, count, &self->capacity);
    if (items == NULL) {
        return ARENA_FULL(memory, err);
    }
    self->items = items;
    for (uint32_t i = 0; i < count; i++) {
        bool is_wanted = is_child(self->parent, page[i]) && can_be_asked(self->client, page[i]);
        if (is_wanted) { // They differ in the last level alone.
            const text name = page[i].items[page[i].count - 1];
            TRY(is_new(&self->names, name, memory, &is_wanted, err));
        }
        if (is_wanted) {
            self->items[self->count++] = page[i];
        }
    }
    return FIRN_OK;
}

typedef struct entry_list {
    catalog_entry_list *out;
    uint32_t capacity;
    bool are_views;
    name_index names;
} entry_list;

static firn_status add_entries(void *user, bytes body, arena *memory, text *next_page,
                               firn_error *err) {
    entry_list *self = user;
    catalog_entry_list *out = self->out;
    text_list page;
    TRY(rest_read_identifiers(body, memory, &page, next_page, err));
    if (page.count == 0) {
        return FIRN_OK;
    }
    catalog_entry *items =
        ARENA_GROW(memory, catalog_entry, out->items, out->count, page.count, &self->capacity);
    if (items == NULL) {
        return ARENA_FULL(memory, err);
    }
    out->items = items;
    for (uint32_t i = 0; i < page.count; i++) {
        bool is_wanted;
        TRY(is_new(&self->names, page.items[i], memory, &is_wanted, err));
        if (is_wanted) {
            out->items[out->count++] = (catalog_entry){
                .name = page.items[i], .kind = self->are_views ? ENTRY_VIEW : ENTRY_TABLE};
        }
    }
    return FIRN_OK;
}

// ---- Namespaces --------------------------------------------------------------------------------

firn_status rest_client_namespaces(rest_client *self, namespace_path parent, arena *memory,
                                   namespace_path **out, uint32_t *count, const cancel_flag *cancel,
                                   firn_error *err) {
    *out = NULL;
    *count = 0;
    TRY(rest_client_connect(self, cancel, err));
    text_builder builder = rest_path_open(self, memory);
    text_append(&builder, TEXT("namespaces"));
    space_list found = {.client = self, .parent = parent};
    page_list list = {.subject = TEXT("the namespaces"), .read = add_spaces, .user = &found};
    if (parent.count > 0) {
        TRY(rest_check_space(self, parent, err));
        TRY(rest_name_space(memory, parent, &list.subject, err));
        text_append(&builder, TEXT("?parent="));
        rest_append_levels(self, &builder, parent);
    }
    TRY(text_builder_finish(&builder, &list.path, err));
    TRY(read_pages(self, &list, memory, cancel, err));
    *out = found.items;
    *count = found.count;
    return FIRN_OK;
}

static firn_status call_space(rest_client *self, const char *method, namespace_path space,
                              arena *memory, http_answer *answer, const cancel_flag *cancel,
                              firn_error *err) {
    TRY(rest_check_space(self, space, err));
    text_builder path = rest_space_path_open(self, memory, space);
    rest_call call = {.method = method};
    TRY(text_builder_finish(&path, &call.path, err));
    TRY(rest_name_space(memory, space, &call.subject, err));
    return rest_session_call(&self->session, &call, memory, cancel, answer, err);
}

firn_status rest_client_has_namespace(rest_client *self, namespace_path space, bool *out,
                                      const cancel_flag *cancel, firn_error *err) {
    *out = false;
    TRY(rest_client_connect(self, cancel, err));
    const bool has_head = rest_client_can(self, REST_NAMESPACE_EXISTS);
    arena memory = arena_open(CLIENT_MEMORY_LIMIT);
    http_answer answer;
    const firn_status status =
        call_space(self, has_head ? "HEAD" : "GET", space, &memory, &answer, cancel, err);
    arena_close(&memory);
    *out = status == FIRN_OK;
    return err_forgive(err, status, FIRN_NOT_FOUND);
}

firn_status rest_client_namespace_properties(rest_client *self, namespace_path space, arena *memory,
                                             catalog_properties *out, const cancel_flag *cancel,
                                             firn_error *err) {
    *out = (catalog_properties){.count = 0};
    TRY(rest_client_connect(self, cancel, err));
    http_answer answer;
    TRY(call_space(self, "GET", space, memory, &answer, cancel, err));
    return rest_while_reading(rest_read_properties(answer.body, memory, out, err), self,
                              TEXT("a namespace"), memory, err);
}

// ---- Tables and views --------------------------------------------------------------------------

static firn_status list_kind(rest_client *self, namespace_path space, arena *memory,
                             entry_list *found, const cancel_flag *cancel, firn_error *err) {
    text_builder builder = rest_space_path_open(self, memory, space);
    text_append(&builder, found->are_views ? TEXT("/views") : TEXT("/tables"));
    page_list list = {.read = add_entries, .user = found};
    TRY(text_builder_finish(&builder, &list.path, err));
    TRY(rest_name_space(memory, space, &list.subject, err));
    return read_pages(self, &list, memory, cancel, err);
}

firn_status rest_client_list(rest_client *self, namespace_path space, arena *memory,
                             catalog_entry_list *out, const cancel_flag *cancel, firn_error *err) {
    *out = (catalog_entry_list){.count = 0};
    TRY(rest_client_connect(self, cancel, err));
    TRY(rest_check_space(self, space, err));
    entry_list found = {.out = out};
    TRY(list_kind(self, space, memory, &found, cancel, err));
    if (rest_client_can(self, REST_LIST_VIEWS)) {
        found.are_views = true;
        TRY(list_kind(self, space, memory, &found, cancel, err));
    }
    return FIRN_OK;
}

// The ETag of what is behind the compression: Jetty marks that of a packed answer with "--gzip",
// httpd with "-gzip", and neither knows it again.
static text without_packing(text etag) {
    const text marks[] = {TEXT("--gzip\""), TEXT("-gzip\""), TEXT("--gzip"), TEXT("-gzip")};
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        if (text_ends_with(etag, marks[i])) {
            const size_t size = etag.size - marks[i].size;
            char *data = (char *)(uintptr_t)etag.data; // In the caller's arena, our own copy.
            if (i < 2) {
                data[size] = '"';
            }
            return text_slice(etag, 0, i < 2 ? size + 1 : size);
        }
    }
    return etag;
}

static firn_status load_kind(rest_client *self, const rest_load *what, bool is_view, arena *memory,
                             loaded_table *out, const cancel_flag *cancel, firn_error *err) {
    text_builder path = rest_space_path_open(self, memory, what->space);
    text_append(&path, is_view ? TEXT("/views/") : TEXT("/tables/"));
    uri_append_encoded(&path, what->name);
    if (!is_view) { // The default is said too: some servers make another ETag of leaving it out.
        text_append(&path,
                    what->only_referenced ? TEXT("?snapshots=refs") : TEXT("?snapshots=all"));
    }
    const object_name name = {.space = what->space, .name = what->name};
    rest_own own = {.header_count = 0};
    rest_call call = {.method = "GET", .etag = what->etag, .has_table_ask = !is_view, .own = &own};
    if (!is_view) {
        TRY(rest_owns_find(&self->owns, name, memory, &own, err));
    }
    TRY(text_builder_finish(&path, &call.path, err));
    TRY(rest_name_table(memory, what, is_view ? "view" : "table", &call.subject, err));
    http_answer answer;
    TRY(rest_session_call(&self->session, &call, memory, cancel, &answer, err));
    if (answer.status == 304) {
        out->is_unchanged = true;
        return FIRN_OK;
    }
    TRY(rest_while_reading(rest_read_table(answer.body, memory, out, err), self, call.subject,
                           memory, err));
    out->is_view = is_view;
    if (!is_view) {
        rest_owns_put(&self->owns, name, out);
        TRY(rest_storage_set(self, name, out, memory, err));
    }
    out->etag = without_packing(http_header(&answer, TEXT("ETag")));
    return FIRN_OK;
}

firn_status rest_client_load(rest_client *self, const rest_load *what, arena *memory,
                             loaded_table *out, const cancel_flag *cancel, firn_error *err) {
    *out = (loaded_table){.is_view = false};
    TRY(rest_client_connect(self, cancel, err));
    TRY(rest_check_name(self, (object_name){.space = what->space, .name = what->name}, err));
    firn_error of_table = ERR_INIT;
    firn_status status = load_kind(self, what, false, memory, out, cancel, &of_table);
    if (status == FIRN_NOT_FOUND && rest_client_can(self, REST_LOAD_VIEW)) {
        firn_error of_view = ERR_INIT;
        status = load_kind(self, what, true, memory, out, cancel, &of_view);
        if (status != FIRN_NOT_FOUND) { // If there is neither, the table is what is told.
            of_table = of_view;
        }
    }
    if (status != FIRN_OK) {
        *err = of_table;
    }
    if (status == FIRN_NOT_FOUND) {
        memcpy(err->sqlstate, "42P01", sizeof "42P01");
    }
    return status;
}
