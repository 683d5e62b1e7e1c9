// The name that somebody meant: the one of several that is written most like what was written.
//
//     nearest_name near = nearest_to(written);
//     for (…) { nearest_offer(&near, each); }
//     nearest_hint(&near, err);                    // did you mean "region"?
//
// What differs too much is not proposed: one letter of a word of two to four, two of up to seven,
// else three. Of names that are equally near all are told, up to NEAREST_MAX.
#ifndef FIRN_BASE_NEAREST_H
#define FIRN_BASE_NEAREST_H

#include "base/error.h"
#include "base/text.h"

#define NEAREST_MAX 3

typedef struct nearest_name {
    text wanted;
    size_t distance; ///< Of the found ones; at first the least that is too much.
    size_t count;
    text found[NEAREST_MAX];
} nearest_name;

nearest_name nearest_to(text wanted);

/// Keeps: `candidate`, until the hint is given. The same name may be offered again; what was wanted
/// is passed over, as it can't be what was meant.
void nearest_offer(nearest_name *self, text candidate);

/// Adds the hint to `err`, which holds an error; does nothing when no name is near enough. Answers
/// whether one was.
bool nearest_hint(const nearest_name *self, firn_error *err);

#endif
