#include "functions/scalar/list_build.h"

#define LOOK_EVERY UINT32_C(65536) // Elements between two looks at who still waits.

static bool reserve(list_build *self, uint32_t more) {
    if (more <= self->capacity - self->count) {
        return true;
    }
    const uint64_t wanted = ((uint64_t)self->count + more) * 2;
    if (wanted > UINT32_MAX || function_is_stopped(self->call)) {
        return false;
    }
    const uint32_t capacity = wanted < 64 ? 64 : (uint32_t)wanted;
    const column **sources = ARENA_NEW(self->memory, const column *, capacity);
    uint32_t *rows = ARENA_NEW(self->memory, uint32_t, capacity);
    if (sources == NULL || rows == NULL) {
        return false;
    }
    for (uint32_t from = 0; from < self->count; from += LOOK_EVERY) {
        const uint32_t left = self->count - from;
        const uint32_t count = left < LOOK_EVERY ? left : LOOK_EVERY;
        if (function_is_stopped(self->call)) {
            return false;
        }
        memcpy(sources + from, self->sources + from, count * sizeof(const column *));
        memcpy(rows + from, self->rows + from, count * sizeof *rows);
    }
    self->sources = sources;
    self->rows = rows;
    self->capacity = capacity;
    return true;
}

bool list_build_add(list_build *self, const column *source, uint32_t row) {
    if (!reserve(self, 1)) {
        return false;
    }
    self->sources[self->count] = source;
    self->rows[self->count++] = row;
    return true;
}

bool list_build_add_range(list_build *self, const column *source, uint32_t from, uint32_t count) {
    if (!reserve(self, count)) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        self->sources[self->count] = source;
        self->rows[self->count++] = from + i;
        if (i % LOOK_EVERY == LOOK_EVERY - 1 && function_is_stopped(self->call)) {
            return false;
        }
    }
    return true;
}

const column *list_build_finish(const list_build *self, const type *type) {
    column *made = ARENA_NEW(self->memory, column, 1);
    firn_error ignored = ERR_INIT;
    const gathered_rows from = {.sources = self->sources, .rows = self->rows, .count = self->count};
    if (made == NULL || column_gather(self->memory, type, &from, made, &ignored) != FIRN_OK) {
        return NULL;
    }
    return made;
}

static bool grow_texts(text_list *self) {
    if (self->count < self->capacity) {
        return true;
    }
    if (self->capacity > UINT32_MAX / 2 || function_is_stopped(self->call)) {
        return false;
    }
    const uint32_t capacity = self->capacity == 0 ? 64 : self->capacity * 2;
    string_value *values = ARENA_NEW(self->memory, string_value, capacity);
    uint64_t *validity = ARENA_NEW(self->memory, uint64_t, BITMAP_WORDS(capacity));
    if (values == NULL || validity == NULL) {
        return false;
    }
    memset(validity, 0xff, BITMAP_WORDS(capacity) * sizeof *validity);
    for (uint32_t from = 0; from < self->count; from += LOOK_EVERY) {
        const uint32_t left = self->count - from;
        if (function_is_stopped(self->call)) {
            return false;
        }
        memcpy(values + from, self->values + from,
               (left < LOOK_EVERY ? left : LOOK_EVERY) * sizeof *values);
    }
    if (self->count > 0) {
        memcpy(validity, self->validity, BITMAP_WORDS(self->count) * sizeof *validity);
    }
    self->values = values;
    self->validity = validity;
    self->capacity = capacity;
    return true;
}

bool text_list_add(text_list *self, const text *value) {
    if (!grow_texts(self)) {
        return false;
    }
    bitmap_put(self->validity, self->count, value != NULL);
    self->values[self->count++] =
        value == NULL ? (string_value){.size = 0} : string_of(value->data, (uint32_t)value->size);
    return true;
}

const column *text_list_finish(const text_list *self) {
    column *made = ARENA_NEW(self->memory, column, 1);
    static const string_value nothing = {.size = 0};
    if (made == NULL) {
        return NULL;
    }
    *made = (column){.type = TYPE_OF(VARCHAR),
                     .form = FORM_FLAT,
                     .length = self->count,
                     .validity = self->validity,
                     .values = self->values == NULL ? &nothing : self->values};
    return made;
}
