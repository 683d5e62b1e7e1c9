// When an answer of a test file and a value of the engine are the same.
//
// Texts must agree as they are. Numbers agree by value, floats within 1e-8; dates and times
// whatever their separators and trailing zeros; lists, structs and maps part by part, whatever
// their blanks and quotes; intervals by months, days and nanoseconds.
#ifndef FIRN_TESTS_SLT_COMPARE_H
#define FIRN_TESTS_SLT_COMPARE_H

#include <stdbool.h>
#include <stddef.h>

typedef enum slt_class {
    SLT_NONE, // Not known: a part of a nested value.
    SLT_BOOLEAN,
    SLT_INTEGER,
    SLT_DECIMAL,
    SLT_FLOAT,
    SLT_TEXT,
    SLT_BLOB,
    SLT_OTHER,
} slt_class;

typedef struct slt_text {
    const char *data;
    size_t size;
} slt_text;

/// One value of the engine; `data` is NULL for NULL.
typedef struct slt_value {
    slt_text text;
    slt_class class;
} slt_value;

slt_text slt_trim(slt_text text);
bool slt_same(slt_text left, slt_text right);

/// Whether `expected`, as it stands in the file, is this value.
bool slt_cell_agrees(slt_text expected, slt_value actual);

/// Whether a line is these values, one blank between two of them; values may hold blanks.
bool slt_line_agrees(slt_text line, const slt_value *values, size_t count);

/// Writes one form to `out` (of at least size + 16 bytes) for every way to write a date, time or
/// timestamp; 0 if the text is none. In slt_moment.c, as the next.
size_t slt_moment_canonical(slt_text text, char *out, size_t capacity);

typedef struct slt_interval {
    long long months;
    long long days;
    long long nanoseconds;
} slt_interval;

/// Reads `1 year 2 mons 3 days 04:05:06.789` and the like; false if the text is none.
bool slt_interval_read(slt_text text, slt_interval *out);

#endif
