// A web server in a process of its own that says little, for tests that stop who waits for it:
//
//     …/whole.parquet   a Parquet file, as a well-behaved server gives it
//     …/stuck.parquet   its end, so that it can be opened; then nothing
//     /v1/config        the configuration of a REST catalog
//     anything else     nothing: the connection is taken and kept
#ifndef FIRN_TESTS_API_HANGING_SERVER_H
#define FIRN_TESTS_API_HANGING_SERVER_H

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/host.h"
#include "io/loopback_testing.h"

#define HANGING_CONNECTION_MAX 256
#define HANGING_REQUEST_MAX 4096
#define HANGING_FILE "examples/data/nycflights13/flights.parquet"

typedef struct hanging_server {
    pid_t process;
    char base[LOOPBACK_BASE_SIZE]; // "http://127.0.0.1:4711"
} hanging_server;

static inline bool hanging_send(int connection, const void *data, size_t size) {
    const char *at = data;
    while (size > 0) {
        const ssize_t sent = send(connection, at, size, MSG_NOSIGNAL);
        if (sent <= 0) {
            return false; // Who asked has gone.
        }
        at += sent;
        size -= (size_t)sent;
    }
    return true;
}

static inline bool hanging_send_range(int connection, const uint8_t *file, size_t file_size,
                                      const char *range) {
    size_t first = 0;
    size_t last = file_size - 1;
    if (range[0] == '-') {
        const size_t wanted = strtoull(range + 1, NULL, 10);
        first = wanted < file_size ? file_size - wanted : 0;
    } else {
        char *dash = NULL;
        first = strtoull(range, &dash, 10);
        last = strtoull(dash + 1, NULL, 10);
    }
    char head[256];
    const int size =
        snprintf(head, sizeof head,
                 "HTTP/1.1 206 Partial Content\r\nETag: \"1\"\r\nContent-Length: %zu\r\n"
                 "Content-Range: bytes %zu-%zu/%zu\r\n\r\n",
                 last - first + 1, first, last, file_size);
    return hanging_send(connection, head, (size_t)size) &&
           hanging_send(connection, file + first, last - first + 1);
}

// False: the connection is over.
static inline bool hanging_answer(int connection, const uint8_t *file, size_t file_size) {
    static const char config[] = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                                 "Content-Length: 30\r\n\r\n{\"defaults\":{},\"overrides\":{}}";
    char request[HANGING_REQUEST_MAX + 1];
    const ssize_t size = recv(connection, request, HANGING_REQUEST_MAX, 0);
    if (size <= 0) {
        return false;
    }
    request[size] = '\0';
    const char *range = strstr(request, "bytes=");
    range = range == NULL ? "" : range + strlen("bytes=");
    if (strstr(request, " /v1/config ") != NULL) {
        return hanging_send(connection, config, sizeof config - 1);
    }
    if (range[0] != '\0' && (strstr(request, "/whole.parquet ") != NULL ||
                             (strstr(request, "/stuck.parquet ") != NULL && range[0] == '-'))) {
        return hanging_send_range(connection, file, file_size, range);
    }
    return true;
}

static inline void hanging_serve(int listener, const uint8_t *file, size_t file_size) {
    struct pollfd waiting[HANGING_CONNECTION_MAX] = {{.fd = listener, .events = POLLIN}};
    nfds_t count = 1;
    while (poll(waiting, count, -1) >= 0) {
        if ((waiting[0].revents & POLLIN) != 0 && count < HANGING_CONNECTION_MAX) {
            waiting[count++] =
                (struct pollfd){.fd = accept(listener, NULL, NULL), .events = POLLIN};
        }
        for (nfds_t i = count - 1; i > 0; i--) {
            if (waiting[i].revents != 0 && !hanging_answer(waiting[i].fd, file, file_size)) {
                (void)close(waiting[i].fd);
                waiting[i] = waiting[--count];
            }
        }
    }
}

static inline uint8_t *hanging_read_file(size_t *size) {
    FILE *file = fopen(HANGING_FILE, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0) {
        return NULL;
    }
    const long end = ftell(file);
    uint8_t *data = end > 0 ? malloc((size_t)end) : NULL;
    rewind(file);
    *size = data == NULL ? 0 : fread(data, 1, (size_t)end, file);
    (void)fclose(file);
    return data;
}

/// Starts it; no other thread of this process may run.
static inline bool hanging_server_open(hanging_server *self) {
    uint16_t port;
    *self = (hanging_server){.process = -1};
    const int listener = loopback_listen(HANGING_CONNECTION_MAX, &port, self->base);
    if (listener < 0) {
        return false;
    }
    self->process = fork();
    if (self->process == 0) {
        size_t file_size = 0;
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        const uint8_t *file = hanging_read_file(&file_size);
        if (file != NULL) {
            hanging_serve(listener, file, file_size);
        }
        _exit(1);
    }
    (void)close(listener);
    return self->process > 0;
}

#define HANGING_SQL_MAX 512
/// A statement with the server's address for each @.
static inline const char *hanging_sql(const hanging_server *self, const char *form,
                                      char out[HANGING_SQL_MAX]) {
    size_t size = 0;
    for (; *form != '\0' && size + sizeof self->base < HANGING_SQL_MAX; form++) {
        const size_t length = *form == '@' ? strlen(self->base) : 1;
        memcpy(out + size, *form == '@' ? self->base : form, length);
        size += length;
    }
    out[size] = '\0';
    return out;
}

static inline void hanging_server_close(hanging_server *self) {
    if (self->process > 0) {
        (void)kill(self->process, SIGKILL);
        (void)waitpid(self->process, NULL, 0);
    }
}

#endif
