// Where output goes: a buffer in memory that may stand before a file descriptor.
//
// Writing never fails at the place that writes: a fault of the descriptor is kept and asked for
// once, after a batch; being out of memory ends the program with a message. A zeroed sink with
// `fd = -1` only gathers.
#ifndef FIRN_CLI_BYTE_SINK_H
#define FIRN_CLI_BYTE_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct cli_sink {
    char *data;
    size_t size;
    size_t capacity;
    int fd;    // -1: gather only.
    int fault; // errno of the first write that failed, 0 if none. What follows is dropped.
    void (*before_write)(void); // Called before each write to the descriptor; may be NULL.
} cli_sink;
#define CLI_SINK_MEMORY ((cli_sink){.fd = -1})

/// Makes room for `size` more bytes and returns where they go; the caller adds what it wrote to
/// `self->size`.
char *cli_sink_reserve(cli_sink *self, size_t size);

void cli_sink_write(cli_sink *self, const void *data, size_t size);
void cli_sink_text(cli_sink *self, const char *text);
void cli_sink_char(cli_sink *self, char letter);
/// Writes `letter` `count` times.
void cli_sink_fill(cli_sink *self, char letter, size_t count);
void cli_sink_format(cli_sink *self, const char *format, ...) __attribute__((format(printf, 2, 3)));

/// Gives what was gathered to the descriptor. True if all writes so far went well.
bool cli_sink_flush(cli_sink *self);

/// Whether exactly `text` was gathered.
bool cli_sink_is(const cli_sink *self, const char *text);

/// Empties the buffer and keeps its memory.
void cli_sink_reset(cli_sink *self);

/// Frees the buffer; leaves the descriptor open and writes nothing.
void cli_sink_close(cli_sink *self);

/// Memory that is never NULL: without any the program ends with a message.
void *cli_allocate(size_t count, size_t size);
/// The same for growing; `block` may be NULL.
void *cli_reallocate(void *block, size_t count, size_t size);

#endif
