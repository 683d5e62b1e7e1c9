// Classes of letters by case, in patterns that don't look at case.
//
// In RE2, POSIX (PostgreSQL, DuckDB) and PCRE2 from 10.43 on, [[:upper:]] and \p{Lu} without regard
// to case are all letters that have one; in PCRE2 before, only those in upper case.
#ifndef FIRN_FUNCTIONS_SCALAR_REGULAR_CASE_H
#define FIRN_FUNCTIONS_SCALAR_REGULAR_CASE_H

#include "base/text.h"

/// Whether a pattern may name such a class at all.
bool regular_names_case(text pattern);

/// Writes the pattern, in as many bytes at the same places, with \p{L&} where [:upper:], [:lower:],
/// \p{Lu}, \p{Ll} or \p{Lt} stand and case is not looked at: by `is_caseless`, or what (?i), (?-i)
/// and (?i:…) make of it. A pattern that PCRE2 refuses comes out as another that it refuses.
void regular_write_case(text pattern, bool is_caseless, char *out);

#endif
