#include "fault_server.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/host.h"
#include "io/loopback_server.h"

#define METADATA "tests/data/iceberg/sales/metadata/v1.metadata.json"

// Answers live until the process ends, which is all the freeing there is.
static bytes read_file(const char *path) {
    firn_error err = ERR_INIT;
    host_file file;
    host_stat found;
    if (host_open(path, HOST_MODE_READ, &file, &err) != FIRN_OK) {
        return (bytes){.size = 0};
    }
    uint8_t *data = NULL;
    if (host_file_stat(file, &found, &err) == FIRN_OK) {
        data = host_alloc((size_t)found.size);
    }
    const bool is_read =
        data != NULL && host_read(file, 0, (size_t)found.size, data, &err) == FIRN_OK;
    host_close(&file);
    return is_read ? (bytes){.data = data, .size = (size_t)found.size} : (bytes){.size = 0};
}

static bytes bytes_of(const char *words) {
    return (bytes){.data = (const uint8_t *)words, .size = strlen(words)};
}

static bytes table_answer(void) {
    const bytes metadata = read_file(METADATA);
    const size_t capacity = metadata.size + 256;
    char *out = host_alloc(capacity);
    if (out == NULL || metadata.size == 0) {
        return (bytes){.size = 0};
    }
    (void)snprintf(out, capacity,
                   "{\"metadata-location\":\"" METADATA "\",\"metadata\":%.*s,\"config\":{}}",
                   (int)metadata.size, (const char *)metadata.data);
    return bytes_of(out);
}

static void answer(void *user, uint32_t number, const net_call *call, fake_answer *out) {
    static fake_object object; // Its headers live as long as it.
    static const char catalog[] = "/v1/";
    (void)user;
    out->status = 200;
    if (strncmp(call->url, "/tests/data/", strlen("/tests/data/")) == 0) {
        object.content = read_file(call->url + 1);
        object.etag = "\"1\"";
        fake_object_answer(&object, number, call, out);
    } else if (strcmp(call->url, "/v1/config") == 0) {
        out->body = bytes_of("{\"defaults\":{},\"overrides\":{}}");
    } else if (strncmp(call->url, "/v1/namespaces/db/tables/sales", 30) == 0) {
        out->body = table_answer();
    } else if (strncmp(call->url, "/v1/namespaces/db/tables?", 25) == 0) {
        out->body = bytes_of("{\"identifiers\":[{\"namespace\":[\"db\"],\"name\":\"sales\"}]}");
    } else if (strcmp(call->url, "/v1/namespaces/db") == 0) {
        out->body = bytes_of("{\"namespace\":[\"db\"],\"properties\":{}}");
    } else if (strncmp(call->url, "/v1/namespaces?parent=", 22) == 0) {
        out->body = bytes_of("{\"namespaces\":[]}");
    } else if (strncmp(call->url, "/v1/namespaces?", 15) == 0) {
        out->body = bytes_of("{\"namespaces\":[[\"db\"]]}");
    } else {
        out->status = 404;
        out->body = bytes_of(strncmp(call->url, catalog, strlen(catalog)) == 0
                                 ? "{\"error\":{\"message\":\"no such thing\",\"type\":"
                                   "\"NotFoundException\",\"code\":404}}"
                                 : "");
    }
}

static void serve(int out) {
    static loopback_server server;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    host_fault_set(HOST_ALLOC, 0);
    const uint16_t port = loopback_open(&server, answer, NULL) ? server.port : 0;
    if (write(out, &port, sizeof port) == sizeof port && port != 0) {
        for (;;) {
            (void)pause();
        }
    }
    _exit(1);
}

bool fault_server_open(fault_server *self) {
    int ends[2];
    uint16_t port = 0;
    *self = (fault_server){.process = -1};
    if (pipe(ends) != 0) {
        return false;
    }
    self->process = fork();
    if (self->process == 0) {
        serve(ends[1]);
    }
    (void)close(ends[1]);
    const bool is_told = read(ends[0], &port, sizeof port) == sizeof port;
    (void)close(ends[0]);
    (void)snprintf(self->base, sizeof self->base, "http://127.0.0.1:%u", port);
    return self->process > 0 && is_told && port != 0;
}

// A port that is free; 0: none.
static uint16_t free_port(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    const int at = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const bool is_found = bind(at, (struct sockaddr *)&address, size) == 0 &&
                          getsockname(at, (struct sockaddr *)&address, &size) == 0;
    (void)close(at);
    return is_found ? ntohs(address.sin_port) : 0;
}

static bool is_answered(uint16_t port) {
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int at = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const bool is = connect(at, (const struct sockaddr *)&address, sizeof address) == 0;
    (void)close(at);
    return is;
}

bool fault_server_open_catalog(fault_server *self, const char *database, const char *warehouse) {
    const uint16_t port = free_port();
    char words[8];
    *self = (fault_server){.process = -1};
    (void)snprintf(words, sizeof words, "%u", port);
    (void)snprintf(self->base, sizeof self->base, "http://127.0.0.1:%u", port);
    self->process = fork();
    if (self->process == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)execlp("python3", "python3", "tests/tools/rest_catalog.py", words, database,
                     warehouse, (char *)NULL);
        _exit(1);
    }
    for (int tries = 0; tries < 3000; tries++) {
        if (is_answered(port)) {
            return true;
        }
        host_sleep_ms(10);
    }
    return false;
}

void fault_server_close(fault_server *self) {
    if (self->process > 0) {
        (void)kill(self->process, SIGKILL);
        (void)waitpid(self->process, NULL, 0);
    }
}
