// Files of web servers, read in ranges.
//
// The ranges of a ticket are sorted by offset and cut into transfers, one request each: ranges with
// small gaps share a transfer, long ones get several. What arrives is copied from libcurl's buffer
// straight to where the reader wants it; the bytes of gaps are dropped.
//
//     ranges      [a....]  [b..]                    [c........................]
//     transfers   └──────────────┘                  └───────────┘└────────────┘
//
// A transfer that breaks goes on where it stopped. What a server says about the file (size, ETag,
// date) is taken down from the first answer and compared with every later one: a file that changes
// is an error.
//
// Lists, transfers and identities are guarded by the lock of the exchange driver.
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "io/exchange.h"
#include "io/http.h"
#include "io/io_path.h"
#include "io/store.h"
#include "io/uri.h"

// Reading a gap costs less than another request, up to here.
#define GAP_BYTES_MAX ((uint64_t)256 << 10)
// Longer transfers are cut, so that one slow connection holds up little.
#define TRANSFER_BYTES_MAX ((uint64_t)8 << 20)
// After so many bytes a repeat counts as the first again.
#define PROGRESS_BYTES ((uint64_t)64 << 10)
#define NO_RANGE UINT32_MAX

typedef struct io_transfer {
    exchange exchange;        // First, so that one is the other.
    struct io_transfer *next; // Of the ticket's, or of the unused ones.
    io_ticket *ticket;
    uint32_t first_range; // In the order of offsets.
    bool is_tail; // Wants the last `tail_size` bytes and does not know yet where they begin.
    uint64_t tail_size;
    uint64_t at;       // The first byte still wanted; from here a repeat goes on.
    uint64_t end;      // Behind the last one.
    uint64_t position; // Of the next byte that arrives; before `at` if the server sends more.
    uint64_t begun_at; // `at` when the attempt began.
    net_header header;
    char range[64];
} io_transfer;

static io_transfer *transfer_of(exchange *self) {
    return (io_transfer *)(void *)self;
}

static firn_status driver_of(io_file *file, exchange_driver **out, firn_error *err) {
    return io_driver(file->owner, out, err);
}

// ---- Opening -----------------------------------------------------------------------------------

static firn_status http_open(io_file *file, const io_open_options *options, firn_error *err) {
    exchange_driver *driver;
    TRY(io_driver(file->owner, &driver, err)); // Says so now if there is no network module.
    if (memchr(file->path.data, '\0', file->path.size) != NULL) {
        return FAIL(err, FIRN_INVALID, "\"%.*s\" holds a NUL byte", TEXT_ARGS(file->path));
    }
    text_builder url = text_builder_open(&file->memory);
    uri_append_repaired(&url, file->path);
    text built;
    TRY(text_builder_finish(&url, &built, err));
    file->url = built.data;
    char buffer[512];
    TRY(text_copy(&file->memory, io_path_shown(file->path, buffer, sizeof buffer), &file->shown,
                  err));
    if (options->expected != NULL) {
        file->identity = *options->expected;
    }
    if (options->has_size) {
        file->identity.size = options->size;
    }
    return FIRN_OK;
}

static void http_close(io_file *file) {
    (void)file;
}

static bool http_is_current(io_file *file) {
    (void)file;
    return true; // Every answer is compared with what was seen before.
}

static io_identity http_identity(io_file *file) {
    exchange_driver *driver;
    firn_error ignored = ERR_INIT;
    if (driver_of(file, &driver, &ignored) != FIRN_OK) {
        return file->identity; // There is none, so nobody changes it.
    }
    mutex_lock(exchange_lock(driver));
    const io_identity identity = file->identity;
    mutex_unlock(exchange_lock(driver));
    return identity;
}

// ---- What the server says ----------------------------------------------------------------------

static bool fail_status(exchange *self, const io_file *file) {
    const uint32_t status = self->head.status;
    if (status == 404 || status == 410) {
        self->status = FAIL(&self->error, FIRN_NOT_FOUND, "\"%.*s\" does not exist (HTTP %u)",
                            TEXT_ARGS(file->shown), status);
    } else if (status == 416) {
        self->status =
            FAIL(&self->error, FIRN_CORRUPT, "\"%.*s\" ends at byte %llu, more is wanted of it",
                 TEXT_ARGS(file->shown), (unsigned long long)self->head.range_total);
    } else {
        self->status = FAIL(&self->error, FIRN_IO, "\"%.*s\": the server answers HTTP %u%s",
                            TEXT_ARGS(file->shown), status,
                            status == 401 || status == 403 ? ", access is denied" : "");
        self->error.retryable = status >= 500 || status == 429;
    }
    return false;
}

static bool fail_answer(exchange *self, const io_file *file, const char *what) {
    self->status =
        FAIL(&self->error, FIRN_IO, "\"%.*s\": the server %s", TEXT_ARGS(file->shown), what);
    return false;
}

// Compares what the answer says of the file with what is known, and keeps what is new.
static bool learn(exchange *self, io_file *file, bool has_size, uint64_t size) {
    io_identity *known = &file->identity;
    const bool is_other = self->head.version[0] != '\0' && known->version[0] != '\0' &&
                          strcmp(self->head.version, known->version) != 0;
    if (is_other || (has_size && known->size != IO_SIZE_UNKNOWN && known->size != size)) {
        atomic_store_explicit(&file->has_changed, true, memory_order_relaxed);
        if (is_other) {
            self->status = FAIL(&self->error, FIRN_IO, "\"%.*s\" changed while it was read",
                                TEXT_ARGS(file->shown));
        } else {
            self->status = FAIL(
                &self->error, FIRN_CORRUPT, "\"%.*s\" has %llu bytes, %llu were expected",
                TEXT_ARGS(file->shown), (unsigned long long)size, (unsigned long long)known->size);
        }
        return false;
    }
    if (known->version[0] == '\0') {
        static_assert(sizeof known->version == sizeof self->head.version, "the same limit");
        memcpy(known->version, self->head.version, sizeof known->version);
    }
    if (has_size) {
        known->size = size;
    }
    return true;
}

// ---- Transfers ---------------------------------------------------------------------------------

static void transfer_begin(exchange *self) {
    io_transfer *transfer = transfer_of(self);
    int size;
    if (transfer->is_tail) {
        size = snprintf(transfer->range, sizeof transfer->range, "bytes=-%llu",
                        (unsigned long long)transfer->tail_size);
    } else {
        size = snprintf(transfer->range, sizeof transfer->range, "bytes=%llu-%llu",
                        (unsigned long long)transfer->at, (unsigned long long)transfer->end - 1);
    }
    transfer->header = (net_header){.name = TEXT("Range"),
                                    .value = {.data = transfer->range, .size = (size_t)size}};
    self->call.headers = &transfer->header;
    self->call.header_count = 1;
    transfer->begun_at = transfer->at;
}

// A tail learns where it begins.
static void place_tail(io_transfer *transfer, uint64_t file_size) {
    io_range *range = &transfer->ticket->ranges[transfer->first_range];
    const uint64_t size = transfer->tail_size < file_size ? transfer->tail_size : file_size;
    transfer->is_tail = false;
    transfer->at = file_size - size;
    transfer->end = file_size;
    range->placed = transfer->at;
    range->filled = (size_t)size;
    range->left = (size_t)size;
}

static bool head_of_whole(exchange *self, io_transfer *transfer, io_file *file) {
    if (!learn(self, file, self->head.has_length, self->head.length)) {
        return false;
    }
    if (transfer->is_tail) {
        if (!self->head.has_length) {
            return fail_answer(self, file, "tells neither ranges nor the length of the file");
        }
        place_tail(transfer, self->head.length);
    }
    if (self->head.has_length && self->head.length < transfer->end) {
        self->head.status = 416;
        self->head.range_total = self->head.length;
        return fail_status(self, file);
    }
    transfer->position = 0;
    return true;
}

static bool head_of_range(exchange *self, io_transfer *transfer, io_file *file) {
    if (!self->head.has_range) {
        return fail_answer(self, file, "sends a range without saying which");
    }
    if (!learn(self, file, self->head.has_total, self->head.range_total)) {
        return false;
    }
    if (transfer->is_tail) {
        if (!self->head.has_total) {
            return fail_answer(self, file, "does not tell the length of the file");
        }
        place_tail(transfer, self->head.range_total);
    }
    if (self->head.range_first != transfer->at) {
        return fail_answer(self, file, "sends another range than it was asked for");
    }
    if (self->head.has_total && self->head.range_total < transfer->end) {
        self->head.status = 416;
        return fail_status(self, file);
    }
    transfer->position = self->head.range_first;
    return true;
}

static bool transfer_head(exchange *self) {
    io_transfer *transfer = transfer_of(self);
    io_file *file = transfer->ticket->file;
    switch (self->head.status) {
    case 200:
        return head_of_whole(self, transfer, file);
    case 206:
        return head_of_range(self, transfer, file);
    case 416:
        if (transfer->is_tail && self->head.has_total && self->head.range_total == 0) {
            if (learn(self, file, true, 0)) { // The last bytes of an empty file.
                place_tail(transfer, 0);
            }
            return false;
        }
        return fail_status(self, file);
    default:
        return fail_status(self, file);
    }
}

// Copies what of [at, at + size) belongs to `range`.
static void give(io_range *range, uint64_t at, const uint8_t *data, size_t size) {
    const uint64_t begin = range->placed;
    const uint64_t end = begin + range->filled;
    const uint64_t from = at > begin ? at : begin;
    const uint64_t to = at + size < end ? at + size : end;
    if (from < to) {
        memcpy(range->into + (from - begin), data + (from - at), (size_t)(to - from));
        range->left -= (size_t)(to - from);
    }
}

// The first range from `first` on that ends behind `at`.
static uint32_t skip_ranges(const io_ticket *ticket, uint32_t first, uint64_t at) {
    while (first != NO_RANGE && ticket->ranges[first].placed + ticket->ranges[first].filled <= at) {
        first = ticket->ranges[first].next;
    }
    return first;
}

static bool transfer_body(exchange *self, bytes part) {
    io_transfer *transfer = transfer_of(self);
    io_ticket *ticket = transfer->ticket;
    // Bytes before `at` came in an earlier attempt, or nobody wants them.
    const uint64_t begin = transfer->position;
    const uint64_t end = begin + part.size;
    const uint64_t from = begin > transfer->at ? begin : transfer->at;
    const uint64_t to = end < transfer->end ? end : transfer->end;
    transfer->position = end;
    if (from < to) {
        const uint8_t *data = part.data + (from - begin);
        bool is_one_ready = false;
        uint32_t i = transfer->first_range;
        while (i != NO_RANGE && ticket->ranges[i].placed < to) {
            io_range *range = &ticket->ranges[i];
            if (range->left > 0) {
                give(range, from, data, (size_t)(to - from));
                is_one_ready = is_one_ready || range->left == 0;
            }
            i = range->next;
        }
        transfer->at = to;
        transfer->first_range = skip_ranges(ticket, transfer->first_range, to);
        self->is_progress = self->is_progress || to - transfer->begun_at >= PROGRESS_BYTES;
        if (is_one_ready) {
            exchange_wake_later(self->driver, ticket);
        }
    }
    return end <= transfer->end;
}

static void unlink_transfer(io_transfer *transfer) {
    io_transfer **link = &transfer->ticket->transfers;
    while (*link != transfer) {
        link = &(*link)->next;
    }
    *link = transfer->next;
}

static void free_transfer(transfer_pool *transfers, io_transfer *transfer) {
    transfer->next = transfers->unused;
    transfers->unused = transfer;
}

static void transfer_done(exchange *self) {
    io_transfer *transfer = transfer_of(self);
    io_ticket *ticket = transfer->ticket;
    if (self->status == FIRN_OK && (transfer->is_tail || transfer->at < transfer->end)) {
        const uint32_t status = self->head.status;
        if (status == 200 || status == 206) {
            (void)fail_answer(
                self, ticket->file,
                self->head.is_encoded
                    ? "compresses its answer (Content-Encoding) without being asked to"
                    : "ended its answer too early");
        } else { // The last answer of several that said "not now".
            (void)fail_status(self, ticket->file);
        }
    }
    if (self->status != FIRN_OK && ticket->error.status == FIRN_OK) {
        ticket->error = self->error;
    }
    exchange_wake_later(self->driver, ticket);
    unlink_transfer(transfer);
    free_transfer(io_transfer_pool(ticket->file->owner), transfer);
}

static const exchange_kind transfer_kind = {
    .begin = transfer_begin,
    .head = transfer_head,
    .body = transfer_body,
    .done = transfer_done,
};

// ---- Submitting --------------------------------------------------------------------------------

// Merges two lists of ranges that are sorted by place.
static uint32_t merge_ranges(io_range *ranges, uint32_t left, uint32_t right) {
    uint32_t first = NO_RANGE;
    uint32_t *link = &first;
    while (left != NO_RANGE && right != NO_RANGE) {
        uint32_t *smaller = ranges[right].placed < ranges[left].placed ? &right : &left;
        *link = *smaller;
        link = &ranges[*smaller].next;
        *smaller = *link;
    }
    *link = left != NO_RANGE ? left : right;
    return first;
}

// Links all ranges with a known place in the order of their places; the first of them. Bottom-up
// merging: lists[k] is empty or holds 2^k ranges.
static uint32_t sort_ranges(io_range *ranges, uint32_t count) {
    uint32_t lists[32];
    for (uint32_t k = 0; k < 32; k++) {
        lists[k] = NO_RANGE;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (ranges[i].placed == IO_FROM_END) {
            continue;
        }
        uint32_t list = i;
        uint32_t k = 0;
        for (; k < 31 && lists[k] != NO_RANGE; k++) {
            list = merge_ranges(ranges, lists[k], list);
            lists[k] = NO_RANGE;
        }
        lists[k] = list;
    }
    uint32_t all = NO_RANGE;
    for (uint32_t k = 0; k < 32; k++) {
        all = merge_ranges(ranges, lists[k], all);
    }
    return all;
}

static firn_status new_transfer(io_ticket *ticket, io_transfer template, firn_error *err) {
    transfer_pool *transfers = io_transfer_pool(ticket->file->owner);
    io_transfer *transfer = transfers->unused;
    if (transfer != NULL) {
        transfers->unused = transfer->next;
    } else {
        transfer = ARENA_NEW(&transfers->memory, io_transfer, 1);
    }
    if (transfer == NULL) {
        return ARENA_FULL(&transfers->memory, err);
    }
    *transfer = template;
    transfer->exchange.call.method = "GET";
    transfer->exchange.call.url = ticket->file->url;
    transfer->exchange.kind = &transfer_kind;
    transfer->exchange.url = ticket->file->shown;
    transfer->exchange.is_repeatable = true;
    transfer->exchange.repeats_500 = true;
    transfer->ticket = ticket;
    transfer->next = ticket->transfers;
    ticket->transfers = transfer;
    return FIRN_OK;
}

// Makes the transfers of [begin, end), in pieces of about the same size.
static firn_status cut(io_ticket *ticket, uint32_t first, uint64_t begin, uint64_t end,
                       firn_error *err) {
    const uint64_t pieces = (end - begin - 1) / TRANSFER_BYTES_MAX + 1;
    const uint64_t piece = (end - begin - 1) / pieces + 1;
    for (uint64_t at = begin; at < end; at += piece) {
        first = skip_ranges(ticket, first, at);
        TRY(new_transfer(ticket,
                         (io_transfer){.first_range = first,
                                       .at = at,
                                       .end = end - at < piece ? end : at + piece},
                         err));
    }
    return FIRN_OK;
}

// Cuts the ranges of the ticket into transfers, which stand in ticket->transfers afterwards.
static firn_status plan_transfers(io_ticket *ticket, firn_error *err) {
    io_range *ranges = ticket->ranges;
    const uint64_t file_size = ticket->file->identity.size;
    for (uint32_t i = 0; i < ticket->count; i++) {
        io_range *range = &ranges[i];
        range->placed = range->offset;
        range->filled = range->size;
        range->left = range->size;
        if (range->offset == IO_FROM_END && file_size != IO_SIZE_UNKNOWN) {
            range->filled = range->size < file_size ? range->size : (size_t)file_size;
            range->left = range->filled;
            range->placed = file_size - range->filled;
        } else if (range->offset == IO_FROM_END) {
            TRY(new_transfer(
                ticket, (io_transfer){.first_range = i, .is_tail = true, .tail_size = range->size},
                err));
        } else if (file_size < range->offset + range->size) {
            return FAIL(err, FIRN_CORRUPT,
                        "%zu bytes at %llu wanted of \"%.*s\", which ends at %llu", range->size,
                        (unsigned long long)range->offset, TEXT_ARGS(ticket->file->shown),
                        (unsigned long long)file_size);
        }
    }
    uint32_t i = sort_ranges(ranges, ticket->count);
    while (i != NO_RANGE) {
        const uint32_t first = i;
        const uint64_t begin = ranges[i].placed;
        uint64_t end = begin;
        while (i != NO_RANGE &&
               (ranges[i].placed <= end || ranges[i].placed - end <= GAP_BYTES_MAX)) {
            const uint64_t range_end = ranges[i].placed + ranges[i].filled;
            end = range_end > end ? range_end : end;
            i = ranges[i].next;
        }
        if (begin < end) { // Else: the end of an empty file.
            TRY(cut(ticket, first, begin, end, err));
        }
    }
    return FIRN_OK;
}

static void http_withdraw(io_ticket *ticket) {
    exchange_driver *driver;
    firn_error ignored = ERR_INIT;
    if (driver_of(ticket->file, &driver, &ignored) != FIRN_OK) {
        return; // Without a driver nothing was ever sent.
    }
    // Once they are marked, no transfer leaves the ticket's list by itself.
    mutex_lock(exchange_lock(driver));
    for (io_transfer *transfer = ticket->transfers; transfer != NULL; transfer = transfer->next) {
        exchange_drop_soon(&transfer->exchange);
    }
    mutex_unlock(exchange_lock(driver));
    while (ticket->transfers != NULL) {
        io_transfer *transfer = ticket->transfers;
        exchange_drop(driver, &transfer->exchange);
        ticket->transfers = transfer->next;
        mutex_lock(exchange_lock(driver));
        free_transfer(io_transfer_pool(ticket->file->owner), transfer);
        mutex_unlock(exchange_lock(driver));
    }
    exchange_end_waking(driver, ticket);
}

static firn_status http_submit(io_ticket *ticket, firn_error *err) {
    exchange_driver *driver;
    TRY(driver_of(ticket->file, &driver, err));
    ticket->error = ERR_INIT;
    mutex_lock(exchange_lock(driver));
    firn_status status = plan_transfers(ticket, err);
    io_transfer *transfer = ticket->transfers;
    for (; status == FIRN_OK && transfer != NULL; transfer = transfer->next) {
        status = exchange_queue(driver, &transfer->exchange, err);
    }
    mutex_unlock(exchange_lock(driver));
    exchange_kick(driver);
    if (status != FIRN_OK) {
        http_withdraw(ticket);
    }
    return status;
}

// ---- Collecting --------------------------------------------------------------------------------

typedef struct ticket_question {
    const io_ticket *ticket;
    uint32_t index;
} ticket_question;

static bool is_there(const void *user) {
    const ticket_question *self = user;
    if (self->index != IO_ALL) {
        return self->ticket->ranges[self->index].left == 0;
    }
    for (uint32_t i = 0; i < self->ticket->count; i++) {
        if (self->ticket->ranges[i].left != 0) {
            return false;
        }
    }
    return true;
}

static bool is_decided(const void *user) {
    const ticket_question *self = user;
    return self->ticket->error.status != FIRN_OK || is_there(user);
}

// What is there is handed out although another range failed.
static firn_status answer_question(exchange_driver *driver, const ticket_question *question,
                                   io_answer *out, firn_error *err) {
    firn_status status = FIRN_OK;
    mutex_lock(exchange_lock(driver));
    *out = is_there(question) ? IO_READY : IO_WAIT;
    if (*out == IO_WAIT && question->ticket->error.status != FIRN_OK) {
        *err = question->ticket->error;
        status = err->status;
    }
    mutex_unlock(exchange_lock(driver));
    return status;
}

static firn_status http_collect(io_ticket *ticket, uint32_t index, io_answer *out,
                                firn_error *err) {
    exchange_driver *driver;
    TRY(driver_of(ticket->file, &driver, err));
    const ticket_question question = {.ticket = ticket, .index = index};
    TRY(answer_question(driver, &question, out, err));
    if (*out == IO_WAIT) {
        exchange_nudge(driver);
        TRY(answer_question(driver, &question, out, err));
    }
    return FIRN_OK;
}

static firn_status http_wait(io_ticket *ticket, uint32_t index, firn_error *err) {
    exchange_driver *driver;
    TRY(driver_of(ticket->file, &driver, err));
    const ticket_question question = {.ticket = ticket, .index = index};
    TRY(exchange_wait(driver, is_decided, &question, ticket->request.cancel, err));
    io_answer answer;
    return answer_question(driver, &question, &answer, err);
}

// ---- Whole objects -----------------------------------------------------------------------------

// Asks for the last byte: every server that knows ranges tells the size with it, also those that
// do not take HEAD, as with signed URLs.
static firn_status ask_size(io_file *file, const cancel_flag *cancel, firn_error *err) {
    uint8_t last;
    io_range range = {.offset = IO_FROM_END, .size = 1, .into = &last};
    io_ticket ticket;
    TRY(io_submit(file, &range, 1, &(io_request){.cancel = cancel}, &ticket, err));
    const firn_status status = io_wait(&ticket, 0, err);
    io_ticket_close(&ticket);
    return status;
}

static firn_status http_size(io_file *file, const cancel_flag *cancel, uint64_t *out,
                             firn_error *err) {
    *out = http_identity(file).size;
    if (*out == IO_SIZE_UNKNOWN) {
        TRY(ask_size(file, cancel, err));
        *out = http_identity(file).size;
    }
    return FIRN_OK;
}

// Asks for the last byte, whose answer is compared with what is known.
static firn_status http_check(io_file *file, const cancel_flag *cancel, firn_error *err) {
    return http_identity(file).size == 0 ? FIRN_OK : ask_size(file, cancel, err);
}

static firn_status http_exists(io *owner, text path, const cancel_flag *cancel, bool *out,
                               firn_error *err) {
    *out = false;
    io_file *file;
    TRY(io_file_open(owner, path, &(io_open_options){.cancel = cancel}, &file, err));
    const firn_status status = ask_size(file, cancel, err);
    io_file_release(file);
    *out = status == FIRN_OK;
    return err_forgive(err, status, FIRN_NOT_FOUND);
}

static firn_status http_get(io *owner, text path, uint64_t limit_bytes, const cancel_flag *cancel,
                            arena *memory, bytes *out, firn_error *err) {
    text_builder builder = text_builder_open(memory);
    uri_append_repaired(&builder, path);
    text url;
    TRY(text_builder_finish(&builder, &url, err));
    const http_request request = {
        .method = "GET",
        .url = url,
        .is_repeatable = true,
        .answer_bytes_max = limit_bytes < SIZE_MAX ? (size_t)limit_bytes : SIZE_MAX,
        .cancel = cancel,
    };
    http_answer answer;
    TRY(http_send(owner, &request, memory, &answer, err));
    char buffer[512];
    const text shown = io_path_shown(path, buffer, sizeof buffer);
    if (answer.status == 404 || answer.status == 410) {
        return FAIL(err, FIRN_NOT_FOUND, "\"%.*s\" does not exist (HTTP %u)", TEXT_ARGS(shown),
                    answer.status);
    }
    if (answer.status != 200) {
        return FAIL(err, FIRN_IO, "\"%.*s\": the server answers HTTP %u", TEXT_ARGS(shown),
                    answer.status);
    }
    *out = answer.body;
    return FIRN_OK;
}

const io_store io_store_http = {
    .name = "http",
    .takes = io_path_is_web,
    .open = http_open,
    .close = http_close,
    .check = http_check,
    .is_current = http_is_current,
    .identity = http_identity,
    .size = http_size,
    .submit = http_submit,
    .collect = http_collect,
    .wait = http_wait,
    .withdraw = http_withdraw,
    .is_remote = true,
    .get = http_get,
    .exists = http_exists,
};
