#include "tables/files/parquet_target.h"

#include "base/host.h"
#include "io/io.h"
#include "io/io_path.h"
#include "memory/pool.h"
#include "tables/files/parquet_sink.h"

#define DEFAULT_PARTITION TEXT("__HIVE_DEFAULT_PARTITION__")

// ---- The snapshot ------------------------------------------------------------------------------

static void free_target(table_snapshot *base) {
    arena memory = base->memory; // It holds the target.
    arena_close(&memory);
}

const table_kind parquet_target_kind = {
    .name = "parquet target",
    .free = free_target,
    .sink = &parquet_sink_kind,
};

static firn_status check_partitions(const schema *columns, const parquet_target_options *options,
                                    firn_error *err) {
    for (uint32_t i = 0; i < options->partition_count; i++) {
        const field *key = &columns->fields[options->partitions[i]];
        if (type_is_nested(key->type)) {
            return FAIL_SQL(err, FIRN_INVALID, "22023", NO_POSITION,
                            "PARTITION_BY: column \"%.*s\" has fields or elements, and no text to "
                            "name a folder by",
                            TEXT_ARGS(key->name));
        }
    }
    return options->partition_count < columns->count
               ? FIRN_OK
               : FAIL_SQL(err, FIRN_INVALID, "22023", NO_POSITION,
                          "PARTITION_BY names all columns, and none is left for the files");
}

static firn_status fill(parquet_target *self, text path, const schema *columns,
                        const parquet_target_options *options, arena *memory, firn_error *err) {
    const uint32_t count = options->partition_count;
    uint32_t *partitions = ARENA_NEW(memory, uint32_t, (size_t)count + 1);
    if (partitions == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t i = 0; i < count; i++) {
        partitions[i] = options->partitions[i];
    }
    self->options = *options;
    self->options.partitions = partitions;
    TRY(text_copy(memory, path, &self->path, err));
    self->base.ref.name = self->path;
    return schema_copy(memory, columns, &self->base.columns, err);
}

firn_status parquet_target_open(text path, const schema *columns,
                                const parquet_target_options *options, struct pool *pool,
                                table_snapshot **out, firn_error *err) {
    TRY(check_partitions(columns, options, err));
    arena memory = arena_open_in(pool, SIZE_MAX);
    parquet_target *self = ARENA_NEW(&memory, parquet_target, 1);
    if (self == NULL) {
        return ARENA_FULL(&memory, err);
    }
    *self = (parquet_target){
        .base = {.kind = &parquet_target_kind,
                 .ref = {.kind = TEXT("parquet target"), .snapshot_id = -1, .schema_id = -1}}};
    atomic_init(&self->base.references, 1);
    const firn_status status = fill(self, path, columns, options, &memory, err);
    self->base.memory = memory;
    if (status != FIRN_OK) {
        free_target(&self->base);
        return status;
    }
    *out = &self->base;
    return FIRN_OK;
}

// ---- Folders -----------------------------------------------------------------------------------

// What Hive writes as %XX in names of folders.
static bool is_escaped(char byte) {
    static const char special[] = "\"#%'*/:=?\\{}[]^";
    return (unsigned char)byte < 0x20 || byte == 0x7f ||
           (byte != '\0' && memchr(special, byte, sizeof special - 1) != NULL);
}

static void append_escaped(text_builder *out, text value) {
    for (size_t i = 0; i < value.size; i++) {
        if (is_escaped(value.data[i])) {
            text_append_format(out, "%%%02X", (unsigned)(unsigned char)value.data[i]);
        } else {
            text_append_char(out, value.data[i]);
        }
    }
}

firn_status parquet_target_folder(const parquet_target *self, const column *columns, uint32_t row,
                                  arena *memory, text *out, firn_error *err) {
    text_builder folder = text_builder_open(memory);
    for (uint32_t i = 0; i < self->options.partition_count; i++) {
        const uint32_t at = self->options.partitions[i];
        const column *values = &columns[at];
        text_append(&folder, i == 0 ? TEXT("") : TEXT("/"));
        append_escaped(&folder, self->base.columns.fields[at].name);
        text_append_char(&folder, '=');
        if (!column_is_valid(values, row)) {
            text_append(&folder, DEFAULT_PARTITION);
            continue;
        }
        text printed;
        text_builder value = text_builder_open(memory);
        column_print_row(values, row, &value);
        TRY(text_builder_finish(&value, &printed, err));
        append_escaped(&folder, printed);
    }
    return text_builder_finish(&folder, out, err);
}

// ---- The files ---------------------------------------------------------------------------------

typedef struct output {
    text hidden;
    text path;
    bool is_placed; // It has its name.
    struct output *following;
} output;

typedef struct old_file {
    text path;
    struct old_file *following;
} old_file;

struct parquet_outputs {
    const parquet_target *target;
    struct io *io;
    arena memory;
    output *first;
    output *last;
    text folder;     // Of the last one, …
    uint64_t number; // … and its number there.
    uint64_t chance; // In hidden names, so that two statements don't meet.
    old_file *old;   // Parquet files that were there before.
    bool is_committed;
};

typedef struct looking {
    parquet_outputs *self;
    bool has_any;
} looking;

static firn_status note_entry(void *user, const io_entry *entry, firn_error *err) {
    looking *state = user;
    if (entry->name.size == 0 || entry->is_folder) {
        return FIRN_OK;
    }
    state->has_any = true;
    if (!text_ends_with(entry->path, TEXT(".parquet"))) {
        return FIRN_OK;
    }
    old_file *found = ARENA_NEW(&state->self->memory, old_file, 1);
    if (found == NULL) {
        return ARENA_FULL(&state->self->memory, err);
    }
    TRY(text_copy(&state->self->memory, entry->path, &found->path, err));
    found->following = state->self->old;
    state->self->old = found;
    return FIRN_OK;
}

static firn_status say_exists(const parquet_target *target, const char *what, firn_error *err) {
    const firn_status status = FAIL_SQL(err, FIRN_CONFLICT, "58P02", NO_POSITION,
                                        "%s \"%.*s\" exists", what, TEXT_ARGS(target->path));
    err_hint(err, "OVERWRITE true replaces it");
    return status;
}

static firn_status look_at_folder(parquet_outputs *self, const cancel_flag *cancel,
                                  firn_error *err) {
    const parquet_target *target = self->target;
    looking state = {.self = self};
    bool is_file;
    TRY(io_exists(self->io, target->path, cancel, &is_file, err));
    if (is_file) {
        return FAIL_SQL(err, FIRN_CONFLICT, "58P02", NO_POSITION,
                        "\"%.*s\" is a file, and files would be written below it",
                        TEXT_ARGS(target->path));
    }
    const io_list_options options = {.cancel = cancel, .is_deep = true, .no_detail = true};
    TRY(err_forgive(err, io_list(self->io, target->path, &options, note_entry, &state, err),
                    FIRN_NOT_FOUND));
    return state.has_any && !target->options.overwrite ? say_exists(target, "the folder", err)
                                                       : FIRN_OK;
}

static firn_status ignore_entry(void *user, const io_entry *entry, firn_error *err) {
    (void)user;
    (void)entry;
    (void)err;
    return FIRN_OK;
}

static firn_status look_at_file(parquet_outputs *self, const cancel_flag *cancel, firn_error *err) {
    const parquet_target *target = self->target;
    bool is_file;
    TRY(io_exists(self->io, target->path, cancel, &is_file, err));
    if (is_file) {
        return target->options.overwrite ? FIRN_OK : say_exists(target, "the file", err);
    }
    const io_list_options options = {.cancel = cancel, .no_detail = true};
    firn_error ignored = ERR_INIT;
    if (io_list(self->io, target->path, &options, ignore_entry, NULL, &ignored) == FIRN_OK) {
        const firn_status status = FAIL_SQL(err, FIRN_CONFLICT, "58P02", NO_POSITION,
                                            "\"%.*s\" is a folder", TEXT_ARGS(target->path));
        err_hint(err, "name a file in it; FILE_SIZE and PARTITION_BY write folders");
        return status;
    }
    return cancel_check(cancel, err);
}

firn_status parquet_outputs_open(const parquet_target *target, struct io *io, struct pool *pool,
                                 const cancel_flag *cancel, parquet_outputs **out,
                                 firn_error *err) {
    arena memory = arena_open_in(pool, SIZE_MAX);
    parquet_outputs *self = ARENA_NEW(&memory, parquet_outputs, 1);
    if (self == NULL) {
        const firn_status status = ARENA_FULL(&memory, err);
        arena_close(&memory);
        return status;
    }
    *self = (parquet_outputs){.target = target, .io = io, .memory = memory};
    firn_status status = host_random(&self->chance, sizeof self->chance, err);
    if (status == FIRN_OK) {
        status = parquet_target_is_folder(target) ? look_at_folder(self, cancel, err)
                                                  : look_at_file(self, cancel, err);
    }
    if (status != FIRN_OK) {
        parquet_outputs_close(self);
        return status;
    }
    *out = self;
    return FIRN_OK;
}

static firn_status make_paths(parquet_outputs *self, output *made, firn_error *err) {
    const parquet_target *target = self->target;
    text whole = target->path;
    while (whole.size > 1 && whole.data[whole.size - 1] == '/') {
        whole.size--;
    }
    if (parquet_target_is_folder(target)) {
        TRY(text_format(&self->memory, &whole, err, "%.*s%s%.*s/data_%llu.parquet",
                        TEXT_ARGS(whole), self->folder.size > 0 ? "/" : "", TEXT_ARGS(self->folder),
                        (unsigned long long)self->number));
    }
    made->path = whole;
    const text name = io_path_name(whole);
    return text_format(&self->memory, &made->hidden, err, "%.*s.%.*s.%016llx.copy",
                       (int)(whole.size - name.size), whole.data, TEXT_ARGS(name),
                       (unsigned long long)self->chance);
}

firn_status parquet_outputs_next(parquet_outputs *self, text folder, text *path, firn_error *err) {
    output *made = ARENA_NEW(&self->memory, output, 1);
    if (made == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    *made = (output){.hidden = TEXT("")};
    if (self->first == NULL || !text_equal(self->folder, folder)) {
        TRY(text_copy(&self->memory, folder, &self->folder, err));
        self->number = 0;
    }
    TRY(make_paths(self, made, err));
    self->number++;
    *(self->last == NULL ? &self->first : &self->last->following) = made;
    self->last = made;
    *path = made->hidden;
    return FIRN_OK;
}

static firn_status place(parquet_outputs *self, output *each, firn_error *err) {
    if (!self->target->options.overwrite) {
        bool is_there;
        TRY(io_exists(self->io, each->path, NULL, &is_there, err));
        if (is_there) { // Somebody made it meanwhile.
            return say_exists(self->target, "the file", err);
        }
    }
    const firn_status status = io_rename(self->io, each->hidden, each->path, err);
    bool is_hidden = false;
    if (status != FIRN_OK) { // It may have its name, and the folder not be durable.
        firn_error ignored = ERR_INIT;
        is_hidden =
            io_exists(self->io, each->hidden, NULL, &is_hidden, &ignored) != FIRN_OK || is_hidden;
    }
    each->is_placed = !is_hidden;
    return status;
}

static bool is_new(const parquet_outputs *self, text path) {
    const output *each = self->first;
    while (each != NULL && !text_equal(each->path, path)) {
        each = each->following;
    }
    return each != NULL;
}

firn_status parquet_outputs_commit(parquet_outputs *self, firn_error *err) {
    for (output *each = self->first; each != NULL; each = each->following) {
        TRY(place(self, each, err));
    }
    self->is_committed = true;
    for (const old_file *each = self->old; each != NULL; each = each->following) {
        if (!is_new(self, each->path)) {
            TRY(err_forgive(err, io_remove(self->io, each->path, err), FIRN_NOT_FOUND));
        }
    }
    return FIRN_OK;
}

void parquet_outputs_close(parquet_outputs *self) {
    if (self == NULL) {
        return;
    }
    for (const output *each = self->first; each != NULL; each = each->following) {
        firn_error ignored = ERR_INIT; // Of one that never got so far, or cannot be removed.
        if (!each->is_placed) {
            (void)(io_remove(self->io, each->hidden, &ignored) == FIRN_OK);
        } else if (!self->is_committed && !self->target->options.overwrite) {
            (void)(io_remove(self->io, each->path, &ignored) == FIRN_OK);
        }
    }
    arena memory = self->memory; // It holds `self`.
    arena_close(&memory);
}
