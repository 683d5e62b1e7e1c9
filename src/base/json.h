// JSON: a pull parser over borrowed bytes, and a writer.
//
// The parser is strict RFC 8259 and takes UTF-8 only: no comments, no comma before a bracket, no
// NaN, no lone surrogate in a \u escape, nothing behind the document. It allocates nothing, hands
// out one token at a time and never a wrong one: numbers come as their text, so 64-bit identifiers
// stay exact, and every key comes, also one that was there before. For documents that need random
// access there is memory/json_tree.h.
//
//     json_reader in = json_reader_open(input);
//     json_token token;
//     TRY(json_read(&in, JSON_OBJECT, &token, err));
//     TRY(json_next(&in, &token, err));
//     while (token.kind == JSON_KEY) {
//         if (json_token_is(&token, TEXT("size"))) {
//             TRY(json_read_i64(&in, &size, err));
//         } else {
//             TRY(json_skip(&in, &token, err));
//         }
//         TRY(json_next(&in, &token, err)); // The next key, or JSON_OBJECT_END.
//     }
#ifndef FIRN_BASE_JSON_H
#define FIRN_BASE_JSON_H

#include "base/bytes.h"
#include "base/number_text.h"
#include "base/text.h"

#define JSON_DEPTH_MAX 1024 // Objects and arrays inside each other.

// Kind, and how messages call it.
#define JSON_KIND_LIST(X)                                                                          \
    X(END, "the end")                                                                              \
    X(OBJECT, "an object")                                                                         \
    X(OBJECT_END, "\"}\"")                                                                         \
    X(ARRAY, "an array")                                                                           \
    X(ARRAY_END, "\"]\"")                                                                          \
    X(KEY, "a key")                                                                                \
    X(STRING, "a string")                                                                          \
    X(NUMBER, "a number")                                                                          \
    X(TRUE, "true")                                                                                \
    X(FALSE, "false")                                                                              \
    X(NULL, "null")

#define X(name, words) JSON_##name,
typedef enum json_kind { JSON_KIND_LIST(X) JSON_KIND_COUNT } json_kind;
#undef X

/// How messages call a kind, such as "an object". Static storage.
const char *json_kind_words(json_kind kind);

typedef struct json_token {
    json_kind kind;
    bool has_escapes; // Of a key or string: `raw` holds backslashes; see json_unescape.
    text raw;         // Key, string: what stands between the quotes, valid UTF-8. Number: its text.
    size_t position;  // The byte of the input at which it begins.
} json_token;

typedef struct json_reader {
    const uint8_t *start;
    const uint8_t *at;
    const uint8_t *end;
    uint8_t state; // What may come next; private.
    bool takes_many;
    uint32_t depth;                          // Objects and arrays that are open.
    uint64_t is_object[JSON_DEPTH_MAX / 64]; // One bit a level: object, or array.
} json_reader;

/// Starts before a document that is one value.
///
/// Borrows: `input`, as long as tokens are used.
json_reader json_reader_open(bytes input);

/// The same for any number of values one behind another, such as one a line; JSON_END comes after
/// the last.
json_reader json_reader_open_many(bytes input);

/// Reads the next token. Behind the last one comes JSON_END, again and again.
///
/// Errors:  FIRN_CORRUPT, with line and column. The reader can't go on after it.
/// Cost:    no allocation; about 1 ns a byte of numbers and keys, a tenth of that in long strings.
firn_status json_next(json_reader *self, json_token *out, firn_error *err);

/// Reads the next token, which must be of this kind: else FIRN_CORRUPT, "a string is required".
firn_status json_read(json_reader *self, json_kind kind, json_token *out, firn_error *err);

/// Reads the next value: a whole number without point and exponent that fits; true or false; a
/// number, rounded to the nearest double.
firn_status json_read_i64(json_reader *self, int64_t *out, firn_error *err);
firn_status json_read_bool(json_reader *self, bool *out, firn_error *err);
firn_status json_read_f64(json_reader *self, double *out, firn_error *err);

/// Passes over what belongs to the token just read: the content of an object or array up to its
/// end, the value of a key, nothing of any other.
firn_status json_skip(json_reader *self, const json_token *token, firn_error *err);

/// Makes the error that says `what` with line and column of a byte of the input.
firn_status json_fail(const json_reader *self, size_t position, firn_error *err, const char *format,
                      ...) PRINTF_LIKE(4, 5);

/// Whether a key or string, unescaped, is `value`.
bool json_token_is(const json_token *token, text value);

/// Writes a key or string without its escapes to `out`, which has room for raw.size bytes; the
/// size. The result is valid UTF-8 and may hold NUL.
size_t json_unescape(const json_token *token, char *out);

/// The number as a 64-bit integer: NUMBER_SYNTAX if it has a point or an exponent.
number_answer json_token_i64(const json_token *token, int64_t *out);

// ---- Writing -----------------------------------------------------------------------------------

/// Where the text goes, in pieces.
typedef struct json_sink {
    void *user;
    void (*append)(void *user, const char *data, size_t size);
} json_sink;

typedef struct json_writer {
    json_sink sink;
    uint32_t indent_blanks; // Blanks a level; 0: all in one line, no blanks at all.
    bool escapes_by_number; // \u000a for \n, and so on; may be set after opening.
    bool needs_comma;
    bool is_behind_key;
    uint32_t depth;
    size_t used; // Bytes of buffer not yet handed to the sink.
    char buffer[512];
} json_writer;

json_writer json_writer_open(json_sink sink, uint32_t indent_blanks);

/// Hands what is left to the sink. Every object and array must have been ended.
void json_writer_finish(json_writer *self);

// One value each. In an object every value follows its key. Texts are valid UTF-8 and are escaped.
void json_begin_object(json_writer *self);
void json_end_object(json_writer *self);
void json_begin_array(json_writer *self);
void json_end_array(json_writer *self);
void json_write_key(json_writer *self, text key);
void json_write_text(json_writer *self, text value);
void json_write_i64(json_writer *self, int64_t value);
void json_write_u64(json_writer *self, uint64_t value);
/// NaN and infinities become the strings "NaN", "Infinity" and "-Infinity".
void json_write_f64(json_writer *self, double value);
void json_write_bool(json_writer *self, bool value);
void json_write_null(json_writer *self);
/// A value that is JSON already, such as the text of a number.
void json_write_raw(json_writer *self, text json);

/// A string with quotes and escapes to a sink, as the writer does it, outside of any document.
void json_escape(json_sink sink, text value);

#endif
