// A network module without sockets, for test files: a script answers every request, after a pause
// and whole or broken. Put it into io_options.net.
//
//     fake_net net;
//     fake_net_begin(&net, script, user);
//     io_open(&(io_options){.net = fake_net_module()}, &self, &err);
//     ...
//     fake_net_end(&net);
//
// One fake at a time: it is a global, as a real network is.
#ifndef FIRN_IO_FAKE_NET_H
#define FIRN_IO_FAKE_NET_H

#include "base/mutex.h"
#include "io/net_module.h"

#define FAKE_NEVER UINT32_MAX
#define FAKE_CALL_COUNT_MAX 256
#define FAKE_HEADER_COUNT_MAX 8

/// What the script decides about one request. The texts must live until the fake ends.
typedef struct fake_answer {
    uint32_t pause_ms; // FAKE_NEVER: the server hangs.
    uint32_t status;   // 0: no answer at all, only `end`.
    uint32_t header_count;
    net_header headers[FAKE_HEADER_COUNT_MAX];
    bytes body;
    size_t cut_after; // The answer ends with `end` after so many bytes of the body.
    size_t part_size; // Bytes handed over at a time; 0: all.
    net_end end;      // NET_DONE.
    const char *redirect_url;
    const char *reason; // Of an `end` that is none of NET_DONE; NULL: some words.
} fake_answer;

/// Called for each request, under the fake's lock. `number` counts from 0.
typedef void (*fake_script)(void *user, uint32_t number, const net_call *call, fake_answer *out);

typedef struct fake_call {
    net_call *call; // NULL: free.
    int64_t due_ns;
    fake_answer answer;
} fake_call;

typedef struct fake_net {
    fake_script script;
    void *user;
    mutex lock;
    condition woken;
    bool is_woken;
    uint32_t request_count;
    uint32_t moving_count;
    uint32_t moving_count_max; // The most at one time.
    uint32_t stop_count;
    uint32_t client_count; // Open clients.
    uint32_t gathers;      // fake_net_gather.
    int64_t gather_ns;
    int64_t newest_ns; // When the newest request came.
    fake_call calls[FAKE_CALL_COUNT_MAX];
} fake_net;

void fake_net_begin(fake_net *self, fake_script script, void *user);
/// Checks that nothing was left open.
void fake_net_end(fake_net *self);
const net_module *fake_net_module(void);
/// From now on nothing is answered before `count` requests were on their way at one time, or none
/// has come for `patience_ms`: how many there are is no matter of how fast the machine is then.
void fake_net_gather(fake_net *self, uint32_t count, uint32_t patience_ms);

/// Serves one object as a well-behaved server would: whole, or the range that is asked for.
typedef struct fake_object {
    bytes content;
    const char *etag; // NULL: none.
    uint32_t pause_ms;
    bool ignores_ranges;
    char ranges[FAKE_CALL_COUNT_MAX][48]; // What the n-th request asked for; "" for all.
    char heads[FAKE_CALL_COUNT_MAX][64];  // Memory of headers.
} fake_object;

void fake_object_answer(fake_object *self, uint32_t number, const net_call *call, fake_answer *out);
/// The same as a script, with the object as user.
void fake_object_script(void *user, uint32_t number, const net_call *call, fake_answer *out);

/// A request's header, or "".
text fake_header(const net_call *call, text name);

#endif
