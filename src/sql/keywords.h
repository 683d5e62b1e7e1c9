// The words of the grammar, by number: KW_SELECT and so on, KW_NONE for any other word.
#ifndef FIRN_SQL_KEYWORDS_H
#define FIRN_SQL_KEYWORDS_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/text.h"

typedef enum sql_keyword {
    KW_NONE,
#define KEYWORD(word, use) KW_##word,
#include "sql/keywords.def"
#undef KEYWORD
    KW_COUNT,
} sql_keyword;

/// What a keyword may still name without quotes: see keywords.def.
typedef enum sql_keyword_use {
    KEYWORD_FREE,
    KEYWORD_LABEL,
    KEYWORD_JOIN,
    KEYWORD_RESERVED,
} sql_keyword_use;

#define KEYWORD_HASH_START UINT32_C(2166136261)

/// Adds one byte of a word to its hash; upper and lower case count the same.
WRAPS static inline uint32_t sql_keyword_hash_add(uint32_t hash, uint8_t byte) {
    return (hash ^ (byte & UINT32_C(0xdf))) * UINT32_C(16777619);
}

/// The keyword that `word` is, in whatever case, KW_NONE if it is none. `hash` is
/// KEYWORD_HASH_START with every byte of the word added.
sql_keyword sql_keyword_find(text word, uint32_t hash);

/// In capitals. `keyword` is not KW_NONE.
text sql_keyword_text(sql_keyword keyword);

/// KEYWORD_FREE for KW_NONE.
sql_keyword_use sql_keyword_use_of(sql_keyword keyword);

#endif
