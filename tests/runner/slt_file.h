// The records of a test file in sqllogictest's form.
//
//     statement ok | statement error [TEXT or pattern] | statement count N
//     query TYPES [nosort|rowsort|valuesort] [label] | query error [TEXT or pattern]
//     skipif LABEL / onlyif LABEL      before a record
//     include FILE                     relative to this file
//     loop NAME FIRST END … endloop    NAME is ${NAME} inside; END is not reached
//     foreach NAME VALUE… … endloop
//     connection NAME                  before a record: another session of the same engine
//     halt
//
// SQL is what follows up to a blank line or `----`; an answer is what follows `----` up to a blank
// line, one row a line, values separated by one blank, NULL and (empty) for what can't be seen. The
// text of an error may follow `----` too and then ends at two blank lines. `#` begins a comment.
#ifndef FIRN_TESTS_SLT_FILE_H
#define FIRN_TESTS_SLT_FILE_H

#include "byte_sink.h"
#include "slt_compare.h"

typedef enum slt_kind {
    SLT_STATEMENT,
    SLT_QUERY,
    SLT_CONDITION, // skipif, onlyif: `words[1]` is the label.
    SLT_INCLUDE,
    SLT_LOOP,
    SLT_FOREACH,
    SLT_ENDLOOP,
    SLT_CONNECTION,
    SLT_HALT,
    SLT_END,    // The file is at its end.
    SLT_UNKNOWN // A line that is none of these.
} slt_kind;

typedef enum slt_expect { SLT_OK, SLT_ERROR, SLT_COUNT } slt_expect;
typedef enum slt_sort { SLT_NOSORT, SLT_ROWSORT, SLT_VALUESORT } slt_sort;

enum { SLT_WORDS_MAX = 64 };

typedef struct slt_record {
    slt_kind kind;
    size_t line; // From 1, of its first line.
    slt_text words[SLT_WORDS_MAX];
    size_t word_count;
    slt_expect expect;
    slt_sort sort;
    slt_text sql;
    slt_text error;  // What the message must hold; empty: any error.
    bool has_answer; // There is a `----`.
    slt_text answer; // Its lines, without the last line end.
    slt_text types;
} slt_record;

/// A file being read; lines end in \n.
typedef struct slt_reader {
    slt_text text;
    size_t at;
    size_t line;
} slt_reader;

/// Reads the next record.
void slt_record_next(slt_reader *self, slt_record *out);

/// The next line of a text; false at its end.
bool slt_next_line(slt_text text, size_t *at, slt_text *out);

#endif
