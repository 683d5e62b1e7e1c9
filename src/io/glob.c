#include "io/glob.h"

#include <assert.h>
#include <stdlib.h>

#include "io/io_path.h"
#include "memory/text_builder.h"

#define VARIANT_COUNT_MAX 1024
#define BRACE_DEPTH_MAX 16
#define DEPTH_MAX 64

bool glob_is_pattern(text path) {
    for (size_t i = 0; i < path.size; i++) {
        if (memchr("*?[{", path.data[i], 4) != NULL) {
            return true;
        }
    }
    return false;
}

// ---- Lists -------------------------------------------------------------------------------------

typedef struct path_list {
    arena *memory;
    text *items;
    uint32_t count;
    uint32_t capacity;
} path_list;

static firn_status list_add(path_list *self, text item, firn_error *err) {
    if (self->count == self->capacity) {
        const uint32_t capacity = self->capacity == 0 ? 32 : self->capacity * 2;
        text *items = ARENA_NEW(self->memory, text, capacity);
        if (items == NULL || capacity < self->capacity) {
            return ARENA_FULL(self->memory, err);
        }
        if (self->count > 0) {
            memcpy(items, self->items, self->count * sizeof *items);
        }
        self->items = items;
        self->capacity = capacity;
    }
    self->items[self->count++] = item;
    return FIRN_OK;
}

static int compare_paths(const void *left, const void *right) {
    return text_compare(*(const text *)left, *(const text *)right);
}

static void sort_and_thin(path_list *self) {
    if (self->count == 0) {
        return;
    }
    qsort(self->items, self->count, sizeof *self->items, compare_paths);
    uint32_t kept = 1;
    for (uint32_t i = 1; i < self->count; i++) {
        if (!text_equal(self->items[i], self->items[kept - 1])) {
            self->items[kept++] = self->items[i];
        }
    }
    self->count = kept;
}

// ---- Braces ------------------------------------------------------------------------------------

// Behind the ']' that closes the bracket at `at`; 0 if there is none. ']' as first member is one.
static size_t bracket_end(text pattern, size_t at) {
    size_t i = at + 1;
    if (i < pattern.size && (pattern.data[i] == '!' || pattern.data[i] == '^')) {
        i += 1;
    }
    for (size_t first = i; i < pattern.size && pattern.data[i] != '/'; i++) {
        if (pattern.data[i] == ']' && i > first) {
            return i + 1;
        }
    }
    return 0;
}

// The '}' that closes the brace at `at`, or pattern.size. `next_comma` is the first ',' of its own
// level, or that '}'.
static size_t brace_end(text pattern, size_t at, size_t *next_comma) {
    uint32_t depth = 0;
    *next_comma = pattern.size;
    for (size_t i = at; i < pattern.size; i++) {
        const char byte = pattern.data[i];
        if (byte == '[' && bracket_end(pattern, i) != 0) {
            i = bracket_end(pattern, i) - 1;
        } else if (byte == '{') {
            depth += 1;
        } else if (byte == '}') {
            depth -= 1;
            if (depth == 0) {
                *next_comma = *next_comma < i ? *next_comma : i;
                return i;
            }
        } else if (byte == ',' && depth == 1 && *next_comma == pattern.size) {
            *next_comma = i;
        }
    }
    return pattern.size;
}

// Where the first '{' outside brackets is, or pattern.size; checks the brackets before it.
static firn_status find_brace(text pattern, size_t *out, firn_error *err) {
    size_t i = 0;
    while (i < pattern.size && pattern.data[i] != '{') {
        if (pattern.data[i] == '[') {
            const size_t end = bracket_end(pattern, i);
            if (end == 0) {
                return FAIL(err, FIRN_INVALID,
                            "the '[' at byte %zu of the pattern \"%.*s\" is not closed", i,
                            TEXT_ARGS(pattern));
            }
            i = end;
        } else {
            i += 1;
        }
    }
    *out = i;
    return FIRN_OK;
}

// Writes every choice of the braces out. Each round replaces the first brace by one of its choices.
static firn_status expand(text pattern, uint32_t depth, path_list *out, firn_error *err) {
    size_t open;
    TRY(find_brace(pattern, &open, err));
    if (open == pattern.size) {
        if (out->count == VARIANT_COUNT_MAX) {
            return FAIL(err, FIRN_INVALID, "the braces of a pattern make more than %d variants",
                        VARIANT_COUNT_MAX);
        }
        return list_add(out, pattern, err);
    }
    size_t comma;
    const size_t end = brace_end(pattern, open, &comma);
    if (end == pattern.size) {
        return FAIL(err, FIRN_INVALID, "the '{' at byte %zu of the pattern \"%.*s\" is not closed",
                    open, TEXT_ARGS(pattern));
    }
    if (depth == BRACE_DEPTH_MAX) {
        return FAIL(err, FIRN_INVALID, "a pattern with more than %d braces", BRACE_DEPTH_MAX);
    }
    const text head = text_slice(pattern, 0, open);
    const text tail = text_slice(pattern, end + 1, pattern.size);
    text choices = text_slice(pattern, open, end + 1); // "{a,b}", later "{b}"
    for (;;) {
        const size_t choice_end = brace_end(choices, 0, &comma);
        text variant;
        TRY(text_format(out->memory, &variant, err, "%.*s%.*s%.*s", TEXT_ARGS(head),
                        TEXT_ARGS(text_slice(choices, 1, comma)), TEXT_ARGS(tail)));
        TRY(expand(variant, depth + 1, out, err));
        if (comma == choice_end) {
            return FIRN_OK;
        }
        // The comma's place becomes the opening brace of what is left.
        text_builder rest = text_builder_open(out->memory);
        text_append_char(&rest, '{');
        text_append(&rest, text_slice(choices, comma + 1, choices.size));
        TRY(text_builder_finish(&rest, &choices, err));
    }
}

// ---- Matching one name -------------------------------------------------------------------------

static size_t character_size(text name, size_t at) {
    size_t size = 1;
    while (at + size < name.size && ((unsigned char)name.data[at + size] & 0xc0) == 0x80) {
        size += 1;
    }
    return size;
}

// Whether the bracket [at, end) takes `byte`. Sets are of bytes.
static bool bracket_takes(text pattern, size_t at, size_t end, char byte) {
    size_t i = at + 1;
    const bool is_negated = pattern.data[i] == '!' || pattern.data[i] == '^';
    i += is_negated ? 1 : 0;
    bool is_member = false;
    while (i < end - 1) {
        const unsigned char low = (unsigned char)pattern.data[i];
        unsigned char high = low;
        if (i + 2 < end - 1 && pattern.data[i + 1] == '-') {
            high = (unsigned char)pattern.data[i + 2];
            i += 2;
        }
        is_member = is_member || (low <= (unsigned char)byte && (unsigned char)byte <= high);
        i += 1;
    }
    return is_member != is_negated;
}

// One step of matching: whether what stands at `at` of the pattern (no '*') takes what stands at
// `position` of the name; moves both behind it.
static bool take_one(text pattern, size_t *at, text name, size_t *position) {
    if (*at >= pattern.size || *position >= name.size) {
        return false;
    }
    const char byte = name.data[*position];
    switch (pattern.data[*at]) {
    case '?':
        *at += 1;
        *position += character_size(name, *position);
        return true;
    case '[': {
        const size_t end = bracket_end(pattern, *at);
        const bool is_taken = end != 0 ? bracket_takes(pattern, *at, end, byte) : byte == '[';
        *at = end != 0 ? end : *at + 1;
        *position += 1;
        return is_taken;
    }
    default:
        *at += 1;
        *position += 1;
        return pattern.data[*at - 1] == byte;
    }
}

// Matches one folder or file name. After a mismatch the last '*' takes one byte more: earlier ones
// need not be tried again, so the cost is at most the product of the sizes.
static bool match_name(text pattern, text name) {
    if (name.size > 0 && name.data[0] == '.' && (pattern.size == 0 || pattern.data[0] != '.')) {
        return false;
    }
    size_t at = 0;
    size_t position = 0;
    size_t star = SIZE_MAX;
    size_t star_position = 0;
    while (position < name.size) {
        if (at < pattern.size && pattern.data[at] == '*') {
            star = at;
            star_position = position;
            at += 1;
        } else if (!take_one(pattern, &at, name, &position)) {
            if (star == SIZE_MAX) {
                return false;
            }
            star_position += 1;
            position = star_position;
            at = star + 1;
        }
    }
    while (at < pattern.size && pattern.data[at] == '*') {
        at += 1;
    }
    return at == pattern.size;
}

// ---- Matching a path ---------------------------------------------------------------------------

// Cuts the first name off; false if nothing is left.
static bool take_name(text *rest, text *name) {
    if (rest->size == 0) {
        return false;
    }
    const size_t slash = text_find(*rest, TEXT("/"));
    *name = text_slice(*rest, 0, slash);
    *rest = text_slice(*rest, slash < rest->size ? slash + 1 : slash, rest->size);
    return true;
}

// As match_name, one level up: names are the letters, "**" is the star.
static bool match_path(text pattern, text path) {
    text star_pattern = {.data = NULL};
    text star_path = {.data = NULL};
    bool has_star = false;
    while (path.size > 0) {
        text rest = pattern;
        text wanted = {.size = 0};
        const bool has_wanted = take_name(&rest, &wanted);
        if (has_wanted && text_equal(wanted, TEXT("**"))) {
            has_star = true;
            star_pattern = rest;
            star_path = path;
            pattern = rest;
            continue;
        }
        text name;
        text rest_path = path;
        (void)take_name(&rest_path, &name);
        if (has_wanted && match_name(wanted, name)) {
            pattern = rest;
            path = rest_path;
            continue;
        }
        if (!has_star || !take_name(&star_path, &name) || text_starts_with(name, TEXT("."))) {
            return false;
        }
        path = star_path;
        pattern = star_pattern;
    }
    while (text_starts_with(pattern, TEXT("**"))) {
        text name;
        if (!take_name(&pattern, &name) || name.size != 2) {
            return false;
        }
    }
    return pattern.size == 0;
}

firn_status glob_match(text pattern, text path, arena *memory, bool *out, firn_error *err) {
    *out = false;
    path_list variants = {.memory = memory};
    TRY(expand(pattern, 0, &variants, err));
    for (uint32_t i = 0; i < variants.count && !*out; i++) {
        *out = match_path(variants.items[i], path);
    }
    return FIRN_OK;
}

// ---- Finding files -----------------------------------------------------------------------------

typedef struct globber {
    io *owner;
    const cancel_flag *cancel;
    path_list *out;
    uint32_t depth;
} globber;

// What io_list calls for each entry of the folder that a wildcard stands for.
typedef struct level {
    globber *globber;
    text pattern; // Of the name.
    text rest;    // Behind it; empty: files are wanted.
    bool is_deep; // The pattern is "**".
} level;

static firn_status find(globber *self, text folder, text rest, firn_error *err);

static firn_status visit_entry(void *user, const io_entry *entry, firn_error *err) {
    const level *self = user;
    globber *owner = self->globber;
    text path;
    if (self->is_deep) {
        // Through links files would be found twice, or without end.
        if (!entry->is_folder || entry->is_link || text_starts_with(entry->name, TEXT("."))) {
            return FIRN_OK;
        }
        TRY(text_format(owner->out->memory, &path, err, "%.*s/", TEXT_ARGS(entry->path)));
        TRY(find(owner, path, self->rest, err)); // "**" ends here, ...
        text again;
        TRY(text_format(owner->out->memory, &again, err, "**/%.*s", TEXT_ARGS(self->rest)));
        return find(owner, path, again, err); // ... or goes on.
    }
    if (!match_name(self->pattern, entry->name)) {
        return FIRN_OK;
    }
    if (self->rest.size == 0) {
        if (entry->is_folder) {
            return FIRN_OK;
        }
        TRY(text_copy(owner->out->memory, entry->path, &path, err));
        return list_add(owner->out, path, err);
    }
    if (!entry->is_folder) {
        return FIRN_OK;
    }
    TRY(text_format(owner->out->memory, &path, err, "%.*s/", TEXT_ARGS(entry->path)));
    return find(owner, path, self->rest, err);
}

static firn_status list_level(globber *self, text folder, level *wanted, firn_error *err) {
    if (self->depth == DEPTH_MAX) {
        return FAIL(err, FIRN_INVALID,
                    "\"%.*s\" is %d folders deep, patterns go no further (a loop of links?)",
                    TEXT_ARGS(folder), DEPTH_MAX);
    }
    const io_list_options options = {
        .cancel = self->cancel, .no_detail = true, .tells_links = wanted->is_deep};
    self->depth += 1;
    const firn_status status = io_list(self->owner, folder.size == 0 ? TEXT(".") : folder, &options,
                                       visit_entry, wanted, err);
    self->depth -= 1;
    return err_forgive(err, status, FIRN_NOT_FOUND);
}

// Finds what `rest` matches below `folder`, which is empty or ends in '/' and is no pattern.
static firn_status find(globber *self, text folder, text rest, firn_error *err) {
    text name = {.size = 0};
    text behind = rest;
    // Names without wildcards belong to the folder.
    text literal = folder;
    while (take_name(&behind, &name) && !glob_is_pattern(name)) {
        const bool is_last = behind.size == 0;
        TRY(text_format(self->out->memory, &literal, err, "%.*s%.*s%s", TEXT_ARGS(literal),
                        TEXT_ARGS(name), is_last ? "" : "/"));
        if (is_last) {
            bool exists;
            TRY(io_exists(self->owner, literal, self->cancel, &exists, err));
            return exists ? list_add(self->out, literal, err) : FIRN_OK;
        }
    }
    if (text_equal(name, TEXT("**"))) {
        if (behind.size == 0) {
            behind = TEXT("*"); // "a/**" means all files below.
        }
        TRY(find(self, literal, behind, err)); // No folder between.
        level deep = {.globber = self, .rest = behind, .is_deep = true};
        return list_level(self, literal, &deep, err);
    }
    level flat = {.globber = self, .pattern = name, .rest = behind};
    return list_level(self, literal, &flat, err);
}

firn_status io_glob(io *owner, text pattern, const cancel_flag *cancel, arena *memory,
                    io_paths *out, firn_error *err) {
    path_list found = {.memory = memory};
    bool is_itself = !glob_is_pattern(io_path_object(pattern));
    if (!is_itself && io_path_is_local(pattern)) {
        TRY(io_exists(owner, pattern, cancel, &is_itself, err));
    }
    if (is_itself) {
        TRY(list_add(&found, pattern, err));
    } else {
        path_list variants = {.memory = memory};
        TRY(expand(pattern, 0, &variants, err));
        globber self = {.owner = owner, .cancel = cancel, .out = &found};
        for (uint32_t i = 0; i < variants.count; i++) {
            // The scheme and host are no names to match: "http://host/" begins the folder.
            const text scheme = io_path_scheme(variants.items[i]);
            const size_t start = scheme.size == 0 ? 0 : scheme.size + 1;
            const text whole = variants.items[i];
            TRY(find(&self, text_slice(whole, 0, start), text_slice(whole, start, whole.size),
                     err));
        }
        sort_and_thin(&found);
    }
    *out = (io_paths){.count = found.count, .items = found.items};
    return FIRN_OK;
}
