// The test modes of FIRN_TEST: the same queries under conditions that users meet rarely. Read once
// when an engine opens; release builds obey them too, so that CI can run the suite on what users
// get.
#ifndef FIRN_EXEC_TEST_MODES_H
#define FIRN_EXEC_TEST_MODES_H

#include "base/error.h"
#include "base/text.h"

// Name, word in FIRN_TEST, what it does.
#define TEST_MODE_LIST(X)                                                                          \
    X(TINY, tiny, "sources hand out batches of 3 rows")                                            \
    X(FORMS, forms, "random legal forms at every border between operators")                        \
    X(PLANS, plans, "every plan is encoded, decoded, and the copy runs")                           \
    X(WAIT, wait, "operators say WAIT at random")                                                  \
    X(SPILL, spill, "every reservation of a keeper is refused once")                               \
    X(ORDER, order, "one thread takes ready tasks in a random order")                              \
    X(INLINE, inline, "no string is inline: a build of its own (preset inline)")

#define X(NAME, word, text) TEST_MODE_BIT_##NAME,
enum { TEST_MODE_LIST(X) TEST_MODE_COUNT };
#undef X
#define X(NAME, word, text) TEST_MODE_##NAME = 1 << TEST_MODE_BIT_##NAME,
enum { TEST_MODE_LIST(X) };
#undef X

/// The modes in a list of words separated by commas or blanks.
///
/// Errors: FIRN_INVALID: an unknown word, since what is misspelled would test nothing.
firn_status test_modes_parse(text words, unsigned *out, firn_error *err);

#endif
