#include "byte_sink.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SINK_FLUSH_SIZE = 1 << 16, SINK_CAPACITY_MIN = 1 << 10 };

static _Noreturn void out_of_memory(void) {
    static const char text[] = "error: the command line is out of memory\n";
    (void)!write(STDERR_FILENO, text, sizeof text - 1);
    _exit(1);
}

void *cli_allocate(size_t count, size_t size) {
    void *block = calloc(count == 0 ? 1 : count, size);
    if (block == NULL) {
        out_of_memory();
    }
    return block;
}

void *cli_reallocate(void *block, size_t count, size_t size) {
    if (size != 0 && count > SIZE_MAX / size) {
        out_of_memory();
    }
    void *grown = realloc(block, count * size == 0 ? 1 : count * size);
    if (grown == NULL) {
        out_of_memory();
    }
    return grown;
}

char *cli_sink_reserve(cli_sink *self, size_t size) {
    if (self->fd >= 0 && self->size >= SINK_FLUSH_SIZE) {
        (void)cli_sink_flush(self);
    }
    if (size > self->capacity - self->size) {
        if (size > SIZE_MAX / 4 || self->size > SIZE_MAX / 4) {
            out_of_memory();
        }
        size_t capacity = self->capacity < SINK_CAPACITY_MIN ? SINK_CAPACITY_MIN : self->capacity;
        while (capacity - self->size < size) {
            capacity *= 2;
        }
        self->data = cli_reallocate(self->data, capacity, 1);
        self->capacity = capacity;
    }
    return self->data + self->size;
}

void cli_sink_write(cli_sink *self, const void *data, size_t size) {
    if (size > 0) {
        memcpy(cli_sink_reserve(self, size), data, size);
        self->size += size;
    }
}

void cli_sink_text(cli_sink *self, const char *text) {
    cli_sink_write(self, text, strlen(text));
}

void cli_sink_char(cli_sink *self, char letter) {
    *cli_sink_reserve(self, 1) = letter;
    self->size += 1;
}

void cli_sink_fill(cli_sink *self, char letter, size_t count) {
    if (count == 0) {
        return;
    }
    memset(cli_sink_reserve(self, count), letter, count);
    self->size += count;
}

void cli_sink_format(cli_sink *self, const char *format, ...) {
    va_list list;
    va_start(list, format);
    va_list again;
    va_copy(again, list);
    const int size = vsnprintf(NULL, 0, format, list);
    va_end(list);
    if (size > 0) {
        (void)vsnprintf(cli_sink_reserve(self, (size_t)size + 1), (size_t)size + 1, format, again);
        self->size += (size_t)size;
    }
    va_end(again);
}

bool cli_sink_flush(cli_sink *self) {
    if (self->fd < 0) {
        return self->fault == 0;
    }
    size_t done = 0;
    if (self->before_write != NULL && self->size > 0) {
        self->before_write();
    }
    while (self->fault == 0 && done < self->size) {
        const ssize_t count = write(self->fd, self->data + done, self->size - done);
        if (count >= 0) {
            done += (size_t)count;
        } else if (errno != EINTR) {
            self->fault = errno;
        }
    }
    self->size = 0;
    return self->fault == 0;
}

bool cli_sink_is(const cli_sink *self, const char *text) {
    const size_t size = strlen(text);
    return self->size == size && (size == 0 || memcmp(self->data, text, size) == 0);
}

void cli_sink_reset(cli_sink *self) {
    self->size = 0;
}

void cli_sink_close(cli_sink *self) {
    free(self->data);
    self->data = NULL;
    self->size = 0;
    self->capacity = 0;
}
