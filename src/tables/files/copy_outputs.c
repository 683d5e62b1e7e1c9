#include "tables/files/copy_outputs.h"

#include "base/host.h"
#include "io/io.h"
#include "io/io_path.h"

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

struct copy_outputs {
    const copy_target *target;
    struct io *io;
    arena memory;
    output *first;
    output *last;
    text folder;     // Of the last one, …
    uint64_t number; // … and its number there.
    uint64_t chance; // In hidden names, so that two statements don't meet.
    old_file *old;   // Files of the format that were there before.
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
    TRY(text_copy(&state->self->memory, entry->path, &found->path, err));
    found->following = state->self->old;
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

static firn_status make_paths(copy_outputs *self, output *made, firn_error *err) {
    const copy_target *target = self->target;
    text whole = target->path;
    while (whole.size > 1 && whole.data[whole.size - 1] == '/') {
        whole.size--;
    }
    if (copy_target_is_folder(target)) {
        TRY(text_format(&self->memory, &whole, err, "%.*s%s%.*s/data_%llu%.*s%.*s",
                        TEXT_ARGS(whole), self->folder.size > 0 ? "/" : "", TEXT_ARGS(self->folder),
                        (unsigned long long)self->number, TEXT_ARGS(copy_target_ending(target)),
                        TEXT_ARGS(copy_target_codec_ending(target))));
    }
    made->path = whole;
    const text name = io_path_name(whole);
    return text_format(&self->memory, &made->hidden, err, "%.*s.%.*s.%016llx.copy",
                       (int)(whole.size - name.size), whole.data, TEXT_ARGS(name),
                       (unsigned long long)self->chance);
}

firn_status copy_outputs_next(copy_outputs *self, text folder, text *path, firn_error *err) {
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

static firn_status place(copy_outputs *self, output *each, firn_error *err) {
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

static bool is_new(const copy_outputs *self, text path) {
    const output *each = self->first;
    while (each != NULL && !text_equal(each->path, path)) {
        each = each->following;
    }
    return each != NULL;
}

firn_status copy_outputs_commit(copy_outputs *self, firn_error *err) {
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

void copy_outputs_close(copy_outputs *self) {
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
