// A perfect hash: every keyword has a slot of its own, so one comparison decides.
#include "sql/keywords.h"

#include <assert.h>

#include "sql/keywords_table.h"

static const text words[KW_COUNT] = {
#define KEYWORD(word, use) [KW_##word] = {.data = #word, .size = sizeof #word - 1},
#include "sql/keywords.def"
#undef KEYWORD
};

static const uint8_t uses[KW_COUNT] = {
#define KEYWORD(word, use) [KW_##word] = KEYWORD_##use,
#include "sql/keywords.def"
#undef KEYWORD
};

WRAPS static uint32_t slot_of(uint32_t hash) {
    return ((hash >> 16) + keyword_shifts[hash % KEYWORD_BUCKETS]) % KEYWORD_SLOTS;
}

sql_keyword sql_keyword_find(text word, uint32_t hash) {
    if (word.size > KEYWORD_SIZE_MAX) {
        return KW_NONE;
    }
    const sql_keyword found = (sql_keyword)keyword_slots[slot_of(hash)];
    const text keyword = words[found];
    if (keyword.size != word.size) {
        return KW_NONE;
    }
    for (size_t i = 0; i < word.size; i++) {
        // Clears the bit that tells lower from upper case; of all bytes that a word may hold, only
        // letters and _ become letters or _ by it.
        if (((uint8_t)word.data[i] & 0xdf) != (uint8_t)keyword.data[i]) {
            return KW_NONE;
        }
    }
    return word.size == 0 ? KW_NONE : found;
}

text sql_keyword_text(sql_keyword keyword) {
    assert(keyword > KW_NONE && keyword < KW_COUNT);
    return words[keyword];
}

sql_keyword_use sql_keyword_use_of(sql_keyword keyword) {
    return (sql_keyword_use)uses[keyword];
}
