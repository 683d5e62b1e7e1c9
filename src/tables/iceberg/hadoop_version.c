#include "tables/iceberg/hadoop_version.h"

#include "memory/text_builder.h"

#define HINT_BYTES_MAX 1024
#define NAME_BYTES_MAX 255 // Of a file: no file system that is in use takes longer ones.
// So many versions behind the hint are tried before the folder is listed instead.
#define LATE_COUNT_MAX 1000

static const char *const endings[] = {".metadata.json", ".gz.metadata.json", ".metadata.json.gz"};
#define ENDING_COUNT (sizeof endings / sizeof *endings)

// The digits from `at` on, which is moved behind them. False: none, or too many.
static bool read_digits(text value, size_t *at, uint64_t *out) {
    const size_t start = *at;
    uint64_t number = 0;
    for (; *at < value.size && value.data[*at] >= '0' && value.data[*at] <= '9'; *at += 1) {
        if (*at - start == 18) {
            return false;
        }
        number = number * 10 + (uint64_t)(value.data[*at] - '0');
    }
    *out = number;
    return *at > start;
}

// "<uuid>.metadata.json" is what a writer has not numbered yet, also where it begins with digits.
static bool is_uuid(text name) {
    static const size_t dashes[] = {8, 13, 18, 23};
    bool is = name.size > 36 && name.data[36] == '.';
    for (size_t i = 0; i < sizeof dashes / sizeof *dashes && is; i++) {
        is = name.data[dashes[i]] == '-';
    }
    return is;
}

bool hadoop_version_of(text name, uint64_t *out) {
    bool is_metadata = false;
    for (size_t i = 0; i < ENDING_COUNT; i++) {
        is_metadata = is_metadata || text_ends_with(name, text_of(endings[i]));
    }
    const bool has_letter = text_starts_with(name, TEXT("v"));
    size_t at = has_letter ? 1 : 0;
    return is_metadata && !is_uuid(name) && read_digits(name, &at, out) && at < name.size &&
           name.data[at] == (has_letter ? '.' : '-');
}

static text trim(text value) {
    while (value.size > 0 && (unsigned char)value.data[value.size - 1] <= ' ') {
        value.size -= 1;
    }
    while (value.size > 0 && (unsigned char)value.data[0] <= ' ') {
        value.data += 1;
        value.size -= 1;
    }
    return value;
}

typedef struct finder {
    io *files;
    const cancel_flag *cancel;
    arena *memory;
    text folder; // Of the metadata, with '/' at its end.
} finder;

// The file of a version, in one of its forms; *found says whether there is one.
static firn_status find_version(const finder *self, uint64_t version, bool *found, text *out,
                                firn_error *err) {
    *found = false;
    for (size_t i = 0; i < ENDING_COUNT && !*found; i++) {
        text path;
        TRY(text_format(self->memory, &path, err, "%.*sv%llu%s", TEXT_ARGS(self->folder),
                        (unsigned long long)version, endings[i]));
        TRY(io_exists(self->files, path, self->cancel, found, err));
        if (*found) {
            *out = path;
        }
    }
    return FIRN_OK;
}

// The text of the hint; empty if there is none, or it is no hint.
static firn_status read_hint(const finder *self, text *out, firn_error *err) {
    *out = (text){.size = 0};
    text path;
    TRY(text_format(self->memory, &path, err, "%.*sversion-hint.text", TEXT_ARGS(self->folder)));
    bytes content;
    const firn_status status =
        io_get(self->files, path, HINT_BYTES_MAX, self->cancel, self->memory, &content, err);
    if (status == FIRN_NOT_FOUND || status == FIRN_INVALID) {
        return err_forgive(err, status, status);
    }
    TRY(status);
    *out = trim(text_of_bytes(content));
    return FIRN_OK;
}

// A hint that is the name of a metadata file, as PyIceberg reads it, with or without its ending.
static firn_status follow_name(const finder *self, text hint, bool *found, text *out,
                               firn_error *err) {
    text name;
    uint64_t version;
    const bool is_whole = text_ends_with(hint, TEXT(".json")) || text_ends_with(hint, TEXT(".gz"));
    TRY(text_format(self->memory, &name, err, "%.*s%s", TEXT_ARGS(hint),
                    is_whole ? "" : endings[0]));
    if (!hadoop_version_of(name, &version) || text_find(name, TEXT("/")) < name.size ||
        name.size > NAME_BYTES_MAX) {
        return FIRN_OK; // No hint of anybody's; a '/' would lead out of the folder.
    }
    TRY(text_format(self->memory, out, err, "%.*s%.*s", TEXT_ARGS(self->folder), TEXT_ARGS(name)));
    return io_exists(self->files, *out, self->cancel, found, err);
}

static firn_status follow_hint(const finder *self, text hint, bool *found, text *out,
                               firn_error *err) {
    size_t at = 0;
    uint64_t version;
    if (!read_digits(hint, &at, &version) || at != hint.size) {
        return follow_name(self, hint, found, out, err);
    }
    TRY(find_version(self, version, found, out, err));
    bool has_next = *found;
    for (uint64_t i = 1; has_next && i <= LATE_COUNT_MAX; i++) {
        TRY(find_version(self, version + i, &has_next, out, err));
        *found = !has_next || i < LATE_COUNT_MAX; // So very late, the folder knows better.
    }
    return FIRN_OK;
}

typedef struct greatest {
    arena *memory;
    text skipped;     // A name that does not count.
    text path;        // Empty: none yet.
    bool is_numbered; // v3, not 00003-<uuid>, which nobody need have committed yet.
    uint64_t version;
    int64_t mtime_ns;
} greatest;

static firn_status take_greatest(void *user, const io_entry *entry, firn_error *err) {
    greatest *self = user;
    uint64_t version;
    if (entry->is_folder || !hadoop_version_of(entry->name, &version) ||
        text_equal(entry->name, self->skipped)) {
        return FIRN_OK;
    }
    const bool is_numbered = text_starts_with(entry->name, TEXT("v"));
    // A commit that lost leaves a file of the same version behind: the later one is likelier.
    const bool is_later = is_numbered != self->is_numbered ? is_numbered
                          : version != self->version       ? version > self->version
                                                           : entry->mtime_ns >= self->mtime_ns;
    if (self->path.size > 0 && !is_later) {
        return FIRN_OK;
    }
    self->is_numbered = is_numbered;
    self->version = version;
    self->mtime_ns = entry->mtime_ns;
    return text_copy(self->memory, entry->path, &self->path, err);
}

firn_status hadoop_current_metadata(io *files, text table, const cancel_flag *cancel, arena *memory,
                                    text *out, firn_error *err) {
    return hadoop_current_metadata_but(files, table, (text){.size = 0}, cancel, memory, out, err);
}

firn_status hadoop_current_metadata_but(io *files, text table, text skipped,
                                        const cancel_flag *cancel, arena *memory, text *out,
                                        firn_error *err) {
    finder self = {.files = files, .cancel = cancel, .memory = memory};
    TRY(text_format(memory, &self.folder, err, "%.*s%smetadata/", TEXT_ARGS(table),
                    text_ends_with(table, TEXT("/")) ? "" : "/"));
    text hint;
    bool found = false;
    TRY(read_hint(&self, &hint, err));
    if (hint.size > 0) {
        TRY(follow_hint(&self, hint, &found, out, err));
    }
    if (found) {
        return FIRN_OK;
    }
    greatest found_last = {.memory = memory, .skipped = skipped};
    const io_list_options options = {.cancel = cancel};
    const firn_status status =
        io_list(files, self.folder, &options, take_greatest, &found_last, err);
    TRY(err_forgive(err, status, FIRN_NOT_FOUND));
    if (found_last.path.size == 0) {
        return FAIL(err, FIRN_NOT_FOUND,
                    "\"%.*s\" is no Iceberg table: there is no metadata file in \"%.*s\"",
                    TEXT_ARGS(table), TEXT_ARGS(self.folder));
    }
    *out = found_last.path;
    return FIRN_OK;
}
