// For tests: a socket that listens on 127.0.0.1, for servers of a test's own.
#ifndef FIRN_IO_LOOPBACK_TESTING_H
#define FIRN_IO_LOOPBACK_TESTING_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define LOOPBACK_BASE_SIZE 32

/// Takes a port of the system's choice, where nobody listens yet; `base` becomes its
/// "http://127.0.0.1:4711". The caller closes the socket. -1 if none is to be had.
static inline int loopback_bind(uint16_t *port, char base[LOOPBACK_BASE_SIZE]) {
    struct sockaddr_in place = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof place;
    const int made = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (made < 0 || bind(made, (const struct sockaddr *)&place, size) != 0 ||
        getsockname(made, (struct sockaddr *)&place, &size) != 0) {
        if (made >= 0) {
            (void)close(made);
        }
        return -1;
    }
    *port = ntohs(place.sin_port);
    (void)snprintf(base, LOOPBACK_BASE_SIZE, "http://127.0.0.1:%u", *port);
    return made;
}

/// The same, and listens.
static inline int loopback_listen(int backlog, uint16_t *port, char base[LOOPBACK_BASE_SIZE]) {
    const int made = loopback_bind(port, base);
    if (made >= 0 && listen(made, backlog) != 0) {
        (void)close(made);
        return -1;
    }
    return made;
}

#endif
