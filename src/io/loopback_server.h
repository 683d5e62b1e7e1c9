// A small HTTP/1.1 server on 127.0.0.1 for test files, to try the real network module: real
// sockets, the same scripts as the fake network (fake_net.h). A connection has a thread, as long as
// it lasts.
//
// A script's answer means here: status 0: hang up. pause_ms FAKE_NEVER: never answer. cut_after:
// hang up in the middle of the body. end NET_GARBAGE: bytes that are no HTTP. end NET_STOPPED: the
// body again and again without an end. A "Content-Length" is added unless the script gives one, or
// part_size is not 0: then the body is chunked.
#ifndef FIRN_IO_LOOPBACK_SERVER_H
#define FIRN_IO_LOOPBACK_SERVER_H

#include "base/host.h"
#include "io/fake_net.h"

#define LOOPBACK_CONNECTION_MAX 256

typedef struct loopback_server loopback_server;

typedef struct loopback_connection {
    loopback_server *server;
    host_thread *thread;
    int socket;
    atomic_bool is_over; // Its thread ends: the place is free.
} loopback_connection;

struct loopback_server {
    fake_script script;
    void *user;
    int socket;
    uint16_t port;
    char base[32]; // "http://127.0.0.1:4711"
    host_thread *thread;
    mutex lock;
    bool is_closing;
    uint32_t request_count;
    uint32_t connection_count;
    loopback_connection connections[LOOPBACK_CONNECTION_MAX];
};

/// False if no socket is to be had.
bool loopback_open(loopback_server *self, fake_script script, void *user);
/// An address that refuses connections: nobody listens there, and nobody else is given the port.
bool loopback_open_deaf(loopback_server *self);
void loopback_close(loopback_server *self);

#endif
