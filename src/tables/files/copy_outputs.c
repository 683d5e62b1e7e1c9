#include "tables/files/copy_outputs.h"

#include <stdlib.h>

#include "base/host.h"
#include "io/io.h"
#include "io/io_path.h"
#include "memory/arena_grow.h"
#include "memory/name_index.h"

typedef struct output {
    text hidden;
    text path;
    text aside;     // Another name of what had that name; "" before it was looked at.
    bool is_placed; // It has its name.
    bool is_first;  // Nothing had that name.
    struct output *following;
} output;

typedef struct made_folder {
    text path; // With a '/' behind, so that no file of that name is removed.
    struct made_folder *following;
} made_folder;

typedef struct old_file {
    text path;
    text aside; // Its name once it has none that is read; "" before.
    struct old_file *following;
} old_file;

struct copy_outputs {
    const copy_target *target;
    struct io *io;
    arena memory;
    output *first;
    output *last;
    size_t count;
    name_index folders; // Those that were looked at, and for each …
    uint64_t *numbers;  // … that of the next file there.
    uint32_t number_capacity;
    made_folder *made; // By this statement: none before one that is below it.
    uint64_t chance;   // In hidden names, so that two statements don't meet.
    old_file *old;     // Files of the format that were there before.
    bool is_committed;
};

typedef struct looking {
    copy_outputs *self;
    bool has_any;
} looking;

static firn_status note_entry(void *user, const io_entry *entry, firn_error *err) {
    looking *state = user;
    if (entry->name.size == 0 || entry->is_folder) {
        return FIRN_OK;
    }
    state->has_any = true;
    const copy_target *target = state->self->target;
    const text codec_ending = copy_target_codec_ending(target);
    if (!text_ends_with(entry->path, codec_ending)) {
        return FIRN_OK;
    }
    const text plain = text_slice(entry->path, 0, entry->path.size - codec_ending.size);
    if (!text_ends_with(plain, copy_target_ending(target))) {
        return FIRN_OK;
    }
    old_file *found = ARENA_NEW(&state->self->memory, old_file, 1);
    if (found == NULL) {
        return ARENA_FULL(&state->self->memory, err);
    }
    *found = (old_file){.following = state->self->old};
    TRY(text_copy(&state->self->memory, entry->path, &found->path, err));
    state->self->old = found;
    return FIRN_OK;
}

static firn_status say_exists(const copy_target *target, const char *what, firn_error *err) {
    const firn_status status = FAIL_SQL(err, FIRN_CONFLICT, "58P02", NO_POSITION,
                                        "%s \"%.*s\" exists", what, TEXT_ARGS(target->path));
    err_hint(err, "OVERWRITE true replaces it");
    return status;
}

static firn_status look_at_folder(copy_outputs *self, const cancel_flag *cancel, firn_error *err) {
    const copy_target *target = self->target;
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

static firn_status look_at_file(copy_outputs *self, const cancel_flag *cancel, firn_error *err) {
    const copy_target *target = self->target;
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

firn_status copy_outputs_open(const copy_target *target, struct io *io, struct pool *pool,
                              const cancel_flag *cancel, copy_outputs **out, firn_error *err) {
    arena memory = arena_open_in(pool, SIZE_MAX);
    copy_outputs *self = ARENA_NEW(&memory, copy_outputs, 1);
    if (self == NULL) {
        const firn_status status = ARENA_FULL(&memory, err);
        arena_close(&memory);
        return status;
    }
    *self = (copy_outputs){.target = target, .io = io, .memory = memory};
    firn_status status = host_random(&self->chance, sizeof self->chance, err);
    if (status == FIRN_OK) {
        status = copy_target_is_folder(target) ? look_at_folder(self, cancel, err)
                                               : look_at_file(self, cancel, err);
    }
    if (status != FIRN_OK) {
        copy_outputs_close(self);
        return status;
    }
    *out = self;
    return FIRN_OK;
}

// ---- Folders -----------------------------------------------------------------------------------

static uint32_t find_folder(const copy_outputs *self, text path) {
    uint32_t found = name_index_first(&self->folders, path);
    while (found != NO_NAME && !text_equal(self->folders.entries[found].name, path)) {
        found = name_index_next(&self->folders, found);
    }
    return found;
}

static bool is_missing(const copy_outputs *self, text path) {
    const io_list_options options = {.no_detail = true};
    firn_error ignored = ERR_INIT; // What cannot be looked into is there.
    return io_list(self->io, path, &options, ignore_entry, NULL, &ignored) == FIRN_NOT_FOUND;
}

// A folder that nobody has looked at, and those above it up to one that is there: the first file
// makes the others.
static firn_status add_folder(copy_outputs *self, text path, firn_error *err) {
    made_folder **place = &self->made;
    bool may_be_new = true;
    while (may_be_new && find_folder(self, path) == NO_NAME) {
        uint64_t *numbers = ARENA_GROW(&self->memory, uint64_t, self->numbers, self->folders.count,
                                       1, &self->number_capacity);
        if (numbers == NULL) {
            return ARENA_FULL(&self->memory, err);
        }
        self->numbers = numbers;
        numbers[self->folders.count] = 0;
        TRY(name_index_add(&self->folders, path, &self->memory, err));
        may_be_new = is_missing(self, path);
        if (may_be_new) {
            made_folder *made = ARENA_NEW(&self->memory, made_folder, 1);
            if (made == NULL) {
                return ARENA_FULL(&self->memory, err);
            }
            *made = (made_folder){.following = *place};
            TRY(text_format(&self->memory, &made->path, err, "%.*s/", TEXT_ARGS(path)));
            *place = made;
            place = &made->following;
            path = io_path_folder(path);
        }
    }
    return FIRN_OK;
}

// Where the files of a partition are, without a '/' behind; *out is the number of that folder.
static firn_status enter_folder(copy_outputs *self, text partition, uint32_t *out,
                                firn_error *err) {
    const copy_target *target = self->target;
    text path = target->path;
    while (path.size > 1 && path.data[path.size - 1] == '/') {
        path.size--;
    }
    if (!copy_target_is_folder(target)) {
        path = io_path_folder(path);
    } else if (partition.size > 0) {
        TRY(text_format(&self->memory, &path, err, "%.*s/%.*s", TEXT_ARGS(path),
                        TEXT_ARGS(partition)));
    }
    *out = find_folder(self, path);
    if (*out == NO_NAME) {
        *out = self->folders.count;
        TRY(add_folder(self, path, err));
    }
    return FIRN_OK;
}

static void remove_folders(const copy_outputs *self) {
    for (const made_folder *each = self->made; each != NULL; each = each->following) {
        firn_error ignored = ERR_INIT; // Of one that somebody else uses, or that is a file.
        (void)(io_remove(self->io, each->path, &ignored) == FIRN_OK);
    }
}

// ---- Files -------------------------------------------------------------------------------------

// Beside the path, where no pattern and no list of files has it.
static firn_status hidden_path(copy_outputs *self, text path, const char *ending, text *out,
                               firn_error *err) {
    const text name = io_path_name(path);
    return text_format(&self->memory, out, err, "%.*s.%.*s.%016llx.%s",
                       (int)(path.size - name.size), path.data, TEXT_ARGS(name),
                       (unsigned long long)self->chance, ending);
}

static firn_status make_paths(copy_outputs *self, text folder, uint64_t number, output *made,
                              firn_error *err) {
    const copy_target *target = self->target;
    text whole = target->path;
    if (copy_target_is_folder(target)) {
        TRY(text_format(&self->memory, &whole, err, "%.*s/data_%llu%.*s%.*s", TEXT_ARGS(folder),
                        (unsigned long long)number, TEXT_ARGS(copy_target_ending(target)),
                        TEXT_ARGS(copy_target_codec_ending(target))));
    }
    made->path = whole;
    return hidden_path(self, whole, "copy", &made->hidden, err);
}

firn_status copy_outputs_next(copy_outputs *self, text folder, text *path, firn_error *err) {
    uint32_t place;
    output *made = ARENA_NEW(&self->memory, output, 1);
    if (made == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    *made = (output){.hidden = TEXT("")};
    TRY(enter_folder(self, folder, &place, err));
    TRY(make_paths(self, self->folders.entries[place].name, self->numbers[place], made, err));
    self->numbers[place]++;
    *(self->last == NULL ? &self->first : &self->last->following) = made;
    self->last = made;
    self->count++;
    *path = made->hidden;
    return FIRN_OK;
}

// Keeps what has the name of a new file, by another name, until all new ones have theirs. Where a
// file system has no links it is replaced all the same, and cannot come back.
static firn_status keep_old(copy_outputs *self, output *each, firn_error *err) {
    firn_error ignored = ERR_INIT;
    TRY(hidden_path(self, each->path, "old", &each->aside, err));
    each->is_first = io_link(self->io, each->path, each->aside, &ignored) == FIRN_NOT_FOUND;
    return FIRN_OK;
}

static firn_status place(copy_outputs *self, output *each, firn_error *err) {
    if (self->target->options.overwrite) {
        TRY(keep_old(self, each, err));
    } else {
        bool is_there;
        TRY(io_exists(self->io, each->path, NULL, &is_there, err));
        if (is_there) { // Somebody made it meanwhile.
            return say_exists(self->target, "the file", err);
        }
        each->is_first = true;
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

static int compare_paths(const void *left, const void *right) {
    return text_compare(*(const text *)left, *(const text *)right);
}

// The paths of all files, in order; NULL if nothing is to be looked up among them.
static firn_status sort_paths(copy_outputs *self, text **out, firn_error *err) {
    *out = NULL;
    if (self->old == NULL || self->count == 0) {
        return FIRN_OK;
    }
    text *paths = ARENA_NEW(&self->memory, text, self->count);
    if (paths == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    size_t count = 0;
    for (const output *each = self->first; each != NULL; each = each->following) {
        paths[count++] = each->path;
    }
    qsort(paths, count, sizeof *paths, compare_paths);
    *out = paths;
    return FIRN_OK;
}

firn_status copy_outputs_commit(copy_outputs *self, firn_error *err) {
    text *paths;
    TRY(sort_paths(self, &paths, err));
    for (output *each = self->first; each != NULL; each = each->following) {
        TRY(place(self, each, err));
    }
    for (old_file *each = self->old; each != NULL; each = each->following) {
        if (paths == NULL ||
            bsearch(&each->path, paths, self->count, sizeof *paths, compare_paths) == NULL) {
            TRY(hidden_path(self, each->path, "old", &each->aside, err));
            TRY(err_forgive(err, io_rename(self->io, each->path, each->aside, err),
                            FIRN_NOT_FOUND));
        }
    }
    self->is_committed = true;
    return FIRN_OK;
}

// ---- The end -----------------------------------------------------------------------------------

static void remove_file(const copy_outputs *self, text path) {
    firn_error ignored = ERR_INIT; // Of one that never got so far, or cannot be removed.
    (void)(path.size == 0 || io_remove(self->io, path, &ignored) == FIRN_OK);
}

// Old files have their names again, and new ones that nothing was called like go.
static void take_back(const copy_outputs *self) {
    firn_error ignored = ERR_INIT;
    for (const old_file *each = self->old; each != NULL; each = each->following) {
        (void)(each->aside.size == 0 ||
               io_rename(self->io, each->aside, each->path, &ignored) == FIRN_OK);
    }
    for (const output *each = self->first; each != NULL; each = each->following) {
        if (each->is_placed && each->is_first) {
            remove_file(self, each->path);
        } else if (each->is_placed) {
            (void)(io_rename(self->io, each->aside, each->path, &ignored) == FIRN_OK);
        }
    }
}

static void remove_hidden(const copy_outputs *self) {
    for (const output *each = self->first; each != NULL; each = each->following) {
        remove_file(self, each->is_placed ? TEXT("") : each->hidden);
        remove_file(self, each->is_first ? TEXT("") : each->aside);
    }
    for (const old_file *each = self->old; each != NULL; each = each->following) {
        remove_file(self, each->aside);
    }
}

void copy_outputs_close(copy_outputs *self) {
    if (self == NULL) {
        return;
    }
    if (!self->is_committed) {
        take_back(self);
    }
    remove_hidden(self);
    if (!self->is_committed) {
        remove_folders(self);
    }
    arena memory = self->memory; // It holds `self`.
    arena_close(&memory);
}
