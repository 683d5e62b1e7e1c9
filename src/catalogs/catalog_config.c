#include "catalogs/catalog_config.h"

#include "base/nearest.h"
#include "memory/text_builder.h"

#define CONFIG_BYTES_MAX ((uint64_t)1 << 20)

// ---- Options -----------------------------------------------------------------------------------

static bool has_option(const option_list *list, text key) {
    for (size_t i = 0; i < list->count; i++) {
        if (text_equal_nocase(text_of(list->items[i].key), key)) {
            return true;
        }
    }
    return false;
}

// `list` has room. What is wrong with the option is told here, where it is known who gave it.
static firn_status add_option(const catalog_config *self, option_list *list, text key, text value,
                              arena *memory, firn_error *err) {
    text copies[2];
    TRY(text_copy(memory, key, &copies[0], err));
    TRY(text_copy(memory, value, &copies[1], err));
    const firn_option made = {.key = copies[0].data, .value = copies[1].data};
    catalog_options ignored;
    TRY(catalog_options_read(&made, 1, self->kind, memory, &ignored, err));
    list->items[list->count++] = made;
    return FIRN_OK;
}

// ---- Environment -------------------------------------------------------------------------------

static void append_capitals(text_builder *out, text words) {
    static const char capitals[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    for (size_t i = 0; i < words.size; i++) {
        const char byte = words.data[i];
        const bool is_small = byte >= 'a' && byte <= 'z';
        const bool is_kept = (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9');
        char made = '_';
        if (is_small) {
            made = capitals[byte - 'a'];
        } else if (is_kept) {
            made = byte;
        }
        text_append_char(out, made);
    }
}

static bool is_option(text key) {
    for (size_t i = 0; i < CATALOG_OPTION_COUNT; i++) {
        if (text_equal(key, text_of(catalog_option_name(i)))) {
            return true;
        }
    }
    return false;
}

// A variable of this catalog that names no option is misspelled: its value would be missed. What
// has two '_' more may be of a catalog whose name is longer.
static firn_status check_variables(const catalog_config *self, text prefix, firn_error *err) {
    for (size_t i = 0;; i++) {
        const char *variable = self->environment_at(i);
        if (variable == NULL) {
            return FIRN_OK;
        }
        const text whole = text_of(variable);
        const text name = text_slice(whole, 0, text_find(whole, TEXT("=")));
        if (!text_starts_with(name, prefix)) {
            continue;
        }
        const text key = text_slice(name, prefix.size, name.size);
        if (text_find(key, TEXT("__")) < key.size || is_option(key)) {
            continue;
        }
        nearest_name near = nearest_to(key);
        for (size_t k = 0; k < CATALOG_OPTION_COUNT; k++) {
            nearest_offer(&near, text_of(catalog_option_name(k)));
        }
        const firn_status status =
            FAIL(err, FIRN_INVALID, "the variable %.*s names no option of ATTACH", TEXT_ARGS(name));
        (void)nearest_hint(&near, err);
        return status;
    }
}

static firn_status add_variables(const catalog_config *self, text alias, arena *memory,
                                 option_list *out, firn_error *err) {
    text_builder beginning = text_builder_open(memory);
    text prefix;
    text_append(&beginning, TEXT("FIRN_CATALOG__"));
    append_capitals(&beginning, alias);
    text_append(&beginning, TEXT("__"));
    TRY(text_builder_finish(&beginning, &prefix, err));
    TRY(check_variables(self, prefix, err));
    for (size_t i = 0; i < CATALOG_OPTION_COUNT; i++) {
        const text key = text_of(catalog_option_name(i));
        text_builder builder = text_builder_open(memory);
        text name;
        text_append(&builder, prefix);
        append_capitals(&builder, key);
        TRY(text_builder_finish(&builder, &name, err));
        const char *value = self->environment(name.data);
        if (value != NULL && !has_option(out, key)) {
            const firn_status status = add_option(self, out, key, text_of(value), memory, err);
            if (status != FIRN_OK) {
                err_while(err, "reading the variable %s", name.data);
                return status;
            }
        }
    }
    return FIRN_OK;
}

// ---- File --------------------------------------------------------------------------------------

static bool is_blank(char byte) {
    return byte == ' ' || byte == '\t' || byte == '\r';
}

static text without_blanks(text words) {
    size_t from = 0;
    size_t to = words.size;
    while (from < to && is_blank(words.data[from])) {
        from += 1;
    }
    while (to > from && is_blank(words.data[to - 1])) {
        to -= 1;
    }
    return text_slice(words, from, to);
}

static firn_status take_line(const catalog_config *self, text line, text alias, bool *is_ours,
                             arena *memory, option_list *out, firn_error *err) {
    if (line.size == 0 || line.data[0] == '#' || line.data[0] == ';') {
        return FIRN_OK;
    }
    if (line.data[0] == '[' && line.data[line.size - 1] == ']') {
        *is_ours = text_equal_nocase(without_blanks(text_slice(line, 1, line.size - 1)), alias);
        return FIRN_OK;
    }
    const size_t equal = text_find(line, TEXT("="));
    const text key = without_blanks(text_slice(line, 0, equal));
    if (equal == line.size || key.size == 0) {
        return FAIL(err, FIRN_INVALID, "a line is neither [a section], key = value nor a comment");
    }
    if (!*is_ours || has_option(out, key)) {
        return FIRN_OK;
    }
    return add_option(self, out, key, without_blanks(text_slice(line, equal + 1, line.size)),
                      memory, err);
}

static firn_status take_lines(const catalog_config *self, text file, text alias, arena *memory,
                              option_list *out, firn_error *err) {
    bool is_ours = false;
    uint32_t number = 1;
    for (size_t from = 0; from < file.size; number++) {
        const text rest = text_slice(file, from, file.size);
        const size_t size = text_find(rest, TEXT("\n"));
        const firn_status status = take_line(self, without_blanks(text_slice(rest, 0, size)), alias,
                                             &is_ours, memory, out, err);
        if (status != FIRN_OK) {
            err_while(err, "reading line %u", number);
            return status;
        }
        from += size + 1;
    }
    return FIRN_OK;
}

static size_t line_count(text file) {
    size_t count = 1;
    for (size_t i = 0; i < file.size; i++) {
        count += file.data[i] == '\n';
    }
    return count;
}

firn_status catalog_config_add(const catalog_config *self, text alias, option_list given,
                               arena *memory, option_list *out, firn_error *err) {
    const char *path = self->environment("FIRN_CONFIG");
    bytes file = {.size = 0};
    if (path != NULL) {
        const firn_status status =
            io_get(self->files, text_of(path), CONFIG_BYTES_MAX, NULL, memory, &file, err);
        if (status != FIRN_OK) {
            err_while(err, "reading the file that FIRN_CONFIG names");
            return status;
        }
    }
    const text words = text_of_bytes(file);
    const size_t most = given.count + CATALOG_OPTION_COUNT + line_count(words);
    *out = (option_list){.items = ARENA_NEW(memory, firn_option, most)};
    if (out->items == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (; out->count < given.count; out->count++) {
        out->items[out->count] = given.items[out->count];
    }
    TRY(add_variables(self, alias, memory, out, err));
    const firn_status status = take_lines(self, words, alias, memory, out, err);
    if (status != FIRN_OK) {
        err_while(err, "reading %s, which FIRN_CONFIG names", path);
    }
    return status;
}
