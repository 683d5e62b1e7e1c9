#include "functions/scalar/code_map.h"

#include "base/hash.h"
#include "base/utf8.h"

#define SIZE_MIN UINT32_C(16)

static bool is_same(text left, text right) {
    return left.data != NULL && right.data != NULL && left.size == right.size &&
           (left.data == right.data || text_equal(left, right));
}

static code_entry *slot_of(const code_map *self, uint32_t code) {
    uint32_t at = (uint32_t)hash_u32(code) & (self->size - 1);
    while (self->entries[at].is_taken && self->entries[at].code != code) {
        at = (at + 1) & (self->size - 1);
    }
    return &self->entries[at];
}

// Empty, with room for the characters of a text while half of it stays free.
static bool begin(code_map *self, const function_call *call, text from) {
    uint64_t size = SIZE_MIN;
    while (size < (uint64_t)from.size * 2) {
        size *= 2;
    }
    if (size > UINT32_MAX / 2 + 1) {
        return false;
    }
    if (size > self->room) {
        self->entries = ARENA_NEW(call->scratch, code_entry, size);
        self->room = self->entries == NULL ? 0 : (uint32_t)size;
    }
    self->size = self->room == 0 ? 0 : (uint32_t)size;
    if (self->size > 0) {
        memset(self->entries, 0, size * sizeof *self->entries);
    }
    return self->size > 0;
}

bool code_map_fill(code_map *self, const function_call *call, text from, text to) {
    cancel_watch watch = {.cancel = function_cancel(call)};
    if (self->size > 0 && is_same(self->from, from) && is_same(self->to, to)) {
        return true;
    }
    self->from = from;
    self->to = to;
    if (!begin(self, call, from)) {
        return false;
    }
    size_t to_at = 0;
    for (size_t at = 0; at < from.size;) {
        if (cancel_watch_is_raised(&watch, 4)) {
            self->size = 0;
            return false;
        }
        const uint32_t code = utf8_next(from, &at);
        code_entry *entry = slot_of(self, code);
        const bool has_other = to_at < to.size;
        const uint32_t other = has_other ? utf8_next(to, &to_at) : 0;
        if (!entry->is_taken) {
            *entry = (code_entry){
                .code = code, .other = other, .has_other = has_other, .is_taken = true};
        }
    }
    return true;
}

const code_entry *code_map_find(const code_map *self, uint32_t code) {
    const code_entry *found = slot_of(self, code);
    return found->is_taken ? found : NULL;
}
