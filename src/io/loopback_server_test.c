#include "io/loopback_server.h"

#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/test.h"
#include "io/loopback_testing.h"

#define REQUEST_BYTES_MAX ((size_t)64 << 10)
#define HEADER_COUNT_MAX 32
#define TLS_HELLO 0x16 // The first byte of a client that speaks TLS.

typedef struct loopback_request {
    net_call call;
    net_header headers[HEADER_COUNT_MAX];
    size_t size; // Bytes of `data`.
    size_t head; // Of them: the head with its empty line; 0 while it is not whole.
    char url[4096];
    char method[16];
    char data[64 << 10];
} loopback_request;

static bool is_closing(loopback_server *server) {
    mutex_lock(&server->lock);
    const bool is = server->is_closing;
    mutex_unlock(&server->lock);
    return is;
}

// Waits until the socket can be read or written; false when the server closes.
static bool wait_for(loopback_connection *self, short what) {
    while (!is_closing(self->server)) {
        struct pollfd ready = {.fd = self->socket, .events = what};
        if (poll(&ready, 1, 5) > 0) {
            return true;
        }
    }
    return false;
}

static bool send_all(loopback_connection *self, const void *data, size_t size) {
    const char *at = data;
    while (size > 0) {
        if (!wait_for(self, POLLOUT)) {
            return false;
        }
        const ssize_t put = send(self->socket, at, size, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (put <= 0) {
            return false;
        }
        at += put;
        size -= (size_t)put;
    }
    return true;
}

static bool send_text(loopback_connection *self, const char *words) {
    return send_all(self, words, strlen(words));
}

// Takes the request line and the headers apart, in place.
static bool parse(loopback_request *request) {
    request->data[request->head - 2] = '\0';
    if (sscanf(request->data, "%15s %4095s", request->method, request->url) != 2) {
        return false;
    }
    request->call =
        (net_call){.method = request->method, .url = request->url, .headers = request->headers};
    char *line = strstr(request->data, "\r\n") + 2;
    for (char *end = strstr(line, "\r\n"); end != NULL; end = strstr(line, "\r\n")) {
        char *colon = memchr(line, ':', (size_t)(end - line));
        if (colon == NULL || request->call.header_count == HEADER_COUNT_MAX) {
            return false;
        }
        char *value = colon + 1 + strspn(colon + 1, " ");
        request->headers[request->call.header_count++] =
            (net_header){.name = {.data = line, .size = (size_t)(colon - line)},
                         .value = {.data = value, .size = (size_t)(end - value)}};
        line = end + 2;
    }
    return true;
}

// Reads one request with its body. False: no more comes.
static bool read_request(loopback_connection *self, loopback_request *request) {
    request->size = 0;
    request->head = 0;
    size_t body_size = 0;
    while (request->head == 0 || request->size < request->head + body_size) {
        const size_t room = REQUEST_BYTES_MAX - 1 - request->size;
        if (room == 0 || !wait_for(self, POLLIN)) {
            return false;
        }
        const ssize_t got = recv(self->socket, request->data + request->size, room, 0);
        if (got <= 0) {
            return false;
        }
        request->size += (size_t)got;
        if (request->data[0] == TLS_HELLO) { // Hanging up is all that a server without TLS can do.
            return false;
        }
        request->data[request->size] = '\0';
        const char *end = strstr(request->data, "\r\n\r\n");
        if (request->head == 0 && end != NULL) {
            request->head = (size_t)(end - request->data) + 4;
            if (!parse(request)) {
                return false;
            }
            const text length = fake_header(&request->call, TEXT("Content-Length"));
            body_size = length.size == 0 ? 0 : strtoull(length.data, NULL, 10);
        }
    }
    request->call.has_body = body_size > 0;
    request->call.body =
        (bytes){.data = (const uint8_t *)request->data + request->head, .size = body_size};
    return true;
}

static bool send_chunked(loopback_connection *self, bytes body, size_t part) {
    for (size_t at = 0; at < body.size; at += part) {
        const size_t take = body.size - at < part ? body.size - at : part;
        char head[32];
        (void)snprintf(head, sizeof head, "%zx\r\n", take);
        if (!send_text(self, head) || !send_all(self, body.data + at, take) ||
            !send_text(self, "\r\n")) {
            return false;
        }
    }
    return send_text(self, "0\r\n\r\n");
}

static bool send_head(loopback_connection *self, const fake_answer *answer) {
    char line[4096];
    (void)snprintf(line, sizeof line, "HTTP/1.1 %u Word\r\n", answer->status);
    bool is_sent = send_text(self, line);
    bool has_length = false;
    for (uint32_t i = 0; i < answer->header_count; i++) {
        (void)snprintf(line, sizeof line, "%.*s: %.*s\r\n", TEXT_ARGS(answer->headers[i].name),
                       TEXT_ARGS(answer->headers[i].value));
        is_sent = is_sent && send_text(self, line);
        has_length =
            has_length || text_equal_nocase(answer->headers[i].name, TEXT("Content-Length"));
    }
    line[0] = '\0';
    if (answer->end == NET_STOPPED) {
        (void)snprintf(line, sizeof line, "Connection: close\r\n");
    } else if (answer->part_size != 0) {
        (void)snprintf(line, sizeof line, "Transfer-Encoding: chunked\r\n");
    } else if (!has_length) {
        (void)snprintf(line, sizeof line, "Content-Length: %zu\r\n", answer->body.size);
    }
    return is_sent && send_text(self, line) && send_text(self, "\r\n");
}

// False: the connection ends.
static bool answer_request(loopback_connection *self, const loopback_request *request) {
    loopback_server *server = self->server;
    fake_answer answer = {.cut_after = SIZE_MAX};
    mutex_lock(&server->lock);
    server->script(server->user, server->request_count, &request->call, &answer);
    server->request_count += 1;
    mutex_unlock(&server->lock);
    for (uint32_t waited = 0; waited < answer.pause_ms; waited += 5) {
        struct pollfd hung_up = {.fd = self->socket, .events = POLLIN};
        if (is_closing(server) || poll(&hung_up, 1, 5) != 0) {
            return false;
        }
    }
    if (answer.end == NET_GARBAGE) {
        (void)send_text(self, "\x16\x03\x01 this is no HTTP at all\r\n\r\n");
        return false;
    }
    if (answer.status == 0 || !send_head(self, &answer)) {
        return false;
    }
    if (strcmp(request->method, "HEAD") == 0) {
        return true;
    }
    if (answer.end == NET_STOPPED) {
        while (send_all(self, answer.body.data, answer.body.size)) {
        }
        return false;
    }
    if (answer.part_size != 0) {
        return send_chunked(self, answer.body, answer.part_size);
    }
    const bool is_cut = answer.cut_after < answer.body.size;
    const size_t size = is_cut ? answer.cut_after : answer.body.size;
    return send_all(self, answer.body.data, size) && !is_cut;
}

static void serve(void *user) {
    loopback_connection *self = user;
    loopback_request *request = host_alloc(sizeof *request);
    while (request != NULL && read_request(self, request) && answer_request(self, request)) {
    }
    host_free(request);
    (void)shutdown(self->socket, SHUT_RDWR);
    self->is_over = true;
}

static void end(loopback_connection *self) {
    host_thread_join(self->thread);
    if (self->socket >= 0) {
        (void)close(self->socket);
    }
}

// A place of a connection that is over, or a new one; NULL: all are in use.
static loopback_connection *free_place(loopback_server *self) {
    for (uint32_t i = 0; i < self->connection_count; i++) {
        if (self->connections[i].is_over) {
            end(&self->connections[i]);
            return &self->connections[i];
        }
    }
    if (self->connection_count == LOOPBACK_CONNECTION_MAX) {
        return NULL;
    }
    return &self->connections[self->connection_count++];
}

static void accept_all(void *user) {
    loopback_server *self = user;
    while (!is_closing(self)) {
        struct pollfd ready = {.fd = self->socket, .events = POLLIN};
        if (poll(&ready, 1, 5) <= 0) {
            continue;
        }
        const int accepted = accept(self->socket, NULL, NULL);
        if (accepted < 0) {
            continue;
        }
        loopback_connection *connection = free_place(self);
        if (connection == NULL) {
            (void)close(accepted);
            continue;
        }
        const int at_once = 1; // Heads are sent in small pieces.
        (void)setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
        *connection = (loopback_connection){.server = self, .socket = accepted};
        firn_error err = ERR_INIT;
        if (host_thread_start(serve, connection, &connection->thread, &err) != FIRN_OK) {
            (void)close(accepted);
            connection->socket = -1;
            connection->is_over = true;
        }
    }
}

bool loopback_open_deaf(loopback_server *self) {
    *self = (loopback_server){0};
    mutex_begin(&self->lock, MUTEX_LEAF);
    self->socket = loopback_bind(&self->port, self->base);
    return self->socket >= 0;
}

bool loopback_open(loopback_server *self, fake_script script, void *user) {
    firn_error err = ERR_INIT;
    const bool is_open = loopback_open_deaf(self);
    self->script = script;
    self->user = user;
    return is_open && listen(self->socket, 128) == 0 &&
           host_thread_start(accept_all, self, &self->thread, &err) == FIRN_OK;
}

void loopback_close(loopback_server *self) {
    mutex_lock(&self->lock);
    self->is_closing = true;
    mutex_unlock(&self->lock);
    host_thread_join(self->thread);
    for (uint32_t i = 0; i < self->connection_count; i++) {
        end(&self->connections[i]);
    }
    (void)close(self->socket);
    mutex_end(&self->lock);
}
