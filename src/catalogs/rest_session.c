#include "catalogs/rest_session.h"

#include <stdio.h>

#include "base/host.h"
#include "catalogs/rest_answers.h"
#include "io/io_path.h"
#include "io/uri.h"
#include "memory/arena_grow.h"
#include "memory/text_builder.h"

#define CONNECT_TIMEOUT_MS 10000
#define SESSION_MEMORY_LIMIT ((size_t)4 << 20)
#define TOKEN_MEMORY_LIMIT ((size_t)1 << 20)
#define TOKEN_ANSWER_BYTES_MAX ((size_t)256 << 10)
// Metadata of a table with 100,000 snapshots is about 50 MB.
#define ANSWER_BYTES_MAX ((size_t)512 << 20)
#define SHOWN_BYTES_MAX 300
// A token is exchanged so long before its end, or in its last quarter if that is shorter.
#define RENEW_NS_MAX (INT64_C(60) * 1000000000)

#define GRANT_CREDENTIALS "client_credentials"
#define GRANT_EXCHANGE "urn:ietf:params:oauth:grant-type:token-exchange"
#define ACCESS_TOKEN "urn:ietf:params:oauth:token-type:access_token"

// ---- Opening -----------------------------------------------------------------------------------

static firn_status copy_headers(rest_session *self, const rest_options *options, firn_error *err) {
    self->options.headers = NULL;
    if (options->header_count == 0) {
        return FIRN_OK;
    }
    net_header *headers = ARENA_NEW(&self->memory, net_header, options->header_count);
    if (headers == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    for (uint32_t i = 0; i < options->header_count; i++) {
        TRY(text_copy(&self->memory, options->headers[i].name, &headers[i].name, err));
        TRY(text_copy(&self->memory, options->headers[i].value, &headers[i].value, err));
    }
    self->options.headers = headers;
    return FIRN_OK;
}

static firn_status add_property(rest_session *self, const io_property *added, firn_error *err) {
    io_properties *own = &self->options.properties;
    if (own->count >= IO_STORAGE_PROPERTY_COUNT_MAX) {
        return FAIL(err, FIRN_INVALID, "the storage of tables has over %u properties", own->count);
    }
    io_property *items =
        ARENA_GROW(&self->memory, io_property, own->items, own->count, 1, &self->property_capacity);
    if (items == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    own->items = items;
    TRY(text_copy(&self->memory, added->key, &items[own->count].key, err));
    TRY(text_copy(&self->memory, added->value, &items[own->count].value, err));
    own->count += 1;
    return FIRN_OK;
}

static text without_end_slash(text uri) {
    while (uri.size > 0 && uri.data[uri.size - 1] == '/') {
        uri.size -= 1;
    }
    return uri;
}

static firn_status check_uri(const rest_session *self, text uri, firn_error *err) {
    char buffer[256];
    const text shown = io_path_shown(uri, buffer, sizeof buffer);
    if (!io_path_is_web(uri)) {
        return FAIL(err, FIRN_INVALID,
                    "the URI \"%.*s\" of catalog \"%.*s\" is neither http://… nor https://…",
                    TEXT_ARGS(shown), TEXT_ARGS(self->options.alias));
    }
    if (text_find(uri, TEXT("?")) < uri.size || text_find(uri, TEXT("#")) < uri.size) {
        return FAIL(err, FIRN_INVALID,
                    "the URI \"%.*s\" of catalog \"%.*s\" has a query, paths are appended to it",
                    TEXT_ARGS(shown), TEXT_ARGS(self->options.alias));
    }
    return FIRN_OK;
}

static firn_status keep_token(rest_session *self, text token, int64_t renew_ns, firn_error *err) {
    mutex_lock(&self->lock);
    arena_reset(&self->token_memory);
    const firn_status status = text_copy(&self->token_memory, token, &self->token, err);
    if (status != FIRN_OK) {
        self->token = (text){.size = 0};
    }
    self->renew_ns = renew_ns;
    self->generation += 1;
    mutex_unlock(&self->lock);
    return status;
}

static firn_status copy_options(rest_session *self, const rest_options *options, firn_error *err) {
    rest_options *own = &self->options;
    const text from[] = {options->alias,     without_end_slash(options->uri),
                         options->warehouse, options->credential,
                         options->scope,     options->oauth2_server_uri};
    text *const to[] = {&own->alias,      &own->uri,   &own->warehouse,
                        &own->credential, &own->scope, &own->oauth2_server_uri};
    for (size_t i = 0; i < sizeof to / sizeof *to; i++) {
        TRY(text_copy(&self->memory, from[i], to[i], err));
    }
    if (own->connect_timeout_ms == 0) {
        own->connect_timeout_ms = CONNECT_TIMEOUT_MS;
    }
    TRY(copy_headers(self, options, err));
    own->properties = (io_properties){.count = 0};
    for (uint32_t i = 0; i < options->properties.count; i++) {
        TRY(add_property(self, &options->properties.items[i], err));
    }
    TRY(check_uri(self, own->uri, err));
    TRY(text_copy(&self->memory, options->token, &own->token, err));
    return own->token.size > 0 ? keep_token(self, own->token, INT64_MAX, err) : FIRN_OK;
}

firn_status rest_session_open(rest_session *self, io *files, const rest_options *options,
                              firn_error *err) {
    *self = (rest_session){.files = files,
                           .memory = arena_open(SESSION_MEMORY_LIMIT),
                           .options = *options,
                           .token_memory = arena_open(TOKEN_MEMORY_LIMIT),
                           .renew_ns = INT64_MAX};
    mutex_begin(&self->lock, MUTEX_CATALOG);
    const firn_status status = copy_options(self, options, err);
    if (status != FIRN_OK) {
        rest_session_close(self);
    }
    return status;
}

void rest_session_close(rest_session *self) {
    arena_close(&self->token_memory);
    arena_close(&self->memory);
    mutex_end(&self->lock);
}

// ---- Secrets ------------------------------------------------------------------------------------

static bool holds(text whole, text secret) {
    return secret.size > 0 && text_find(whole, secret) < whole.size;
}

// Whether a text of the server repeats something that is not to be shown.
static bool is_telling(const rest_session *self, text words, text token, const rest_own *own) {
    const text credential = self->options.credential;
    const size_t colon = text_find(credential, TEXT(":"));
    const text secret =
        colon < credential.size ? text_slice(credential, colon + 1, credential.size) : credential;
    // The token that was given is a secret also where the server put another in its place.
    bool is = holds(words, token) || holds(words, self->options.token) || holds(words, secret);
    for (uint32_t i = 0; i < self->options.header_count; i++) {
        // One of three letters is no secret, and may be in any text.
        const text value = self->options.headers[i].value;
        is = is || (value.size >= 4 && holds(words, value));
    }
    for (uint32_t i = 0; own != NULL && i < own->header_count; i++) {
        const text value = own->headers[i].value;
        is = is || (value.size >= 4 && holds(words, value));
    }
    for (uint32_t i = 0; i < self->options.properties.count; i++) {
        const io_property *each = &self->options.properties.items[i];
        is = is || (io_property_is_secret(each->key) && each->value.size >= 4 &&
                    holds(words, each->value));
    }
    for (uint32_t i = 0; own != NULL && i < own->secret_count; i++) {
        is = is || (own->secrets[i].size >= 4 && holds(words, own->secrets[i]));
    }
    return is || (own != NULL && holds(words, own->token));
}

// An error that shows an address, without it where the server put a secret there: by its
// configuration, or by a redirect. What ATTACH itself has in its address is no secret.
static firn_status hide(const rest_session *self, text token, const rest_own *own,
                        firn_status status, firn_error *err) {
    const bool is_given = !self->is_moved && is_telling(self, self->options.uri, token, own);
    if (status == FIRN_OK || status == FIRN_CANCELLED || is_given ||
        !is_telling(self, text_of(err->text), token, own)) {
        return status;
    }
    const bool is_retryable = err->retryable;
    (void)FAIL(
        err, status,
        "a request of catalog \"%.*s\" failed, with an address that holds a secret of it and "
        "is not shown",
        TEXT_ARGS(self->options.alias));
    err->retryable = is_retryable;
    return status;
}

// ---- Configuration -----------------------------------------------------------------------------

static bool is_among(const net_header *headers, uint32_t count, text name) {
    for (uint32_t i = 0; i < count; i++) {
        if (text_equal_nocase(headers[i].name, name)) {
            return true;
        }
    }
    return false;
}

static bool is_given(const rest_session *self, text name) {
    return is_among(self->options.headers, self->options.header_count, name);
}

static bool has_property(const rest_session *self, text key) {
    bool has = false;
    for (uint32_t i = 0; i < self->options.properties.count; i++) {
        has = has || text_equal(self->options.properties.items[i].key, key);
    }
    return has;
}

static firn_status add_header(rest_session *self, text name, text value, firn_error *err) {
    rest_options *own = &self->options;
    net_header *headers = ARENA_NEW(&self->memory, net_header, own->header_count + 1);
    if (headers == NULL) {
        return ARENA_FULL(&self->memory, err);
    }
    if (own->header_count > 0) {
        memcpy(headers, own->headers, own->header_count * sizeof *headers);
    }
    net_header *added = &headers[own->header_count];
    TRY(text_copy(&self->memory, name, &added->name, err));
    TRY(text_copy(&self->memory, value, &added->value, err));
    own->headers = headers;
    own->header_count += 1;
    return FIRN_OK;
}

// A server may send its clients elsewhere, but not from https to http.
static firn_status move_to(rest_session *self, text uri, firn_error *err) {
    const text moved = without_end_slash(uri);
    self->is_moved = true;
    TRY(hide(self, (text){.size = 0}, NULL, check_uri(self, moved, err), err));
    if (text_equal_nocase(io_path_scheme(self->options.uri), TEXT("https")) &&
        !text_equal_nocase(io_path_scheme(moved), TEXT("https"))) {
        return FAIL(err, FIRN_INVALID, "the server of catalog \"%.*s\" sends from https to http",
                    TEXT_ARGS(self->options.alias));
    }
    return text_copy(&self->memory, moved, &self->options.uri, err);
}

firn_status rest_session_configure(rest_session *self, text key, text value, bool is_override,
                                   firn_error *err) {
    rest_options *own = &self->options;
    const text header = TEXT("header.");
    if (text_starts_with(key, header)) {
        const text name = text_slice(key, header.size, key.size);
        return is_given(self, name) && !is_override ? FIRN_OK : add_header(self, name, value, err);
    }
    if (io_property_is_storage(key)) {
        const bool is_wanted = is_override || !has_property(self, key);
        return is_wanted ? add_property(self, &(io_property){key, value}, err) : FIRN_OK;
    }
    if (text_equal(key, TEXT("uri"))) {
        return is_override ? move_to(self, value, err) : FIRN_OK;
    }
    if (text_equal(key, TEXT("token"))) {
        const bool is_open = own->token.size == 0 && own->credential.size == 0;
        return is_override || is_open ? keep_token(self, value, INT64_MAX, err) : FIRN_OK;
    }
    if (text_equal(key, TEXT("scope")) && (is_override || own->scope.size == 0)) {
        return text_copy(&self->memory, value, &own->scope, err);
    }
    if (text_equal(key, TEXT("oauth2-server-uri")) &&
        (is_override || own->oauth2_server_uri.size == 0)) {
        self->is_moved = true;
        return text_copy(&self->memory, value, &own->oauth2_server_uri, err);
    }
    return FIRN_OK;
}

// ---- Messages ----------------------------------------------------------------------------------

// What the server says, as one line of bounded length, for the end of a message; "" if nothing.
static void show(rest_session *self, const rest_refusal *refusal, text token, const rest_own *own,
                 char *out, size_t capacity) {
    out[0] = '\0';
    if (is_telling(self, refusal->message, token, own) ||
        is_telling(self, refusal->type, token, own)) {
        (void)snprintf(out, capacity, ": (its message holds a secret and is not shown)");
        return;
    }
    const bool has_both = refusal->type.size > 0 && refusal->message.size > 0;
    if (refusal->type.size + refusal->message.size > 0) {
        (void)snprintf(out, capacity, ": %.*s%s%.*s", TEXT_ARGS(refusal->type),
                       has_both ? ": " : "", TEXT_ARGS(refusal->message));
    }
    for (char *at = out; *at != '\0'; at++) {
        if ((unsigned char)*at < ' ') {
            *at = ' ';
        }
    }
}

typedef struct refusal_kind {
    const char *sqlstate; // NULL: the usual one.
    uint32_t from;
    uint32_t to;
    firn_status status;
    bool is_retryable;
} refusal_kind;

static const refusal_kind *kind_of(uint32_t http_status) {
    static const refusal_kind kinds[] = {
        {"28000", 401, 401, FIRN_INVALID, false},  {"28000", 419, 419, FIRN_INVALID, false},
        {"42501", 403, 403, FIRN_INVALID, false},  {NULL, 404, 404, FIRN_NOT_FOUND, false},
        {NULL, 405, 406, FIRN_UNSUPPORTED, false}, {NULL, 409, 409, FIRN_CONFLICT, true},
        {NULL, 429, 429, FIRN_IO, true},           {NULL, 400, 499, FIRN_INVALID, false},
        {NULL, 501, 501, FIRN_UNSUPPORTED, false}, {NULL, 500, 599, FIRN_IO, true},
        {NULL, 0, UINT32_MAX, FIRN_IO, false},
    };
    const refusal_kind *kind = kinds;
    while (http_status < kind->from || http_status > kind->to) {
        kind += 1; // The last one takes all.
    }
    return kind;
}

static firn_status refuse(rest_session *self, text subject, text token, const rest_own *own,
                          const http_answer *answer, arena *memory, firn_error *err) {
    rest_refusal refusal;
    char words[SHOWN_BYTES_MAX];
    rest_read_refusal(answer->body, memory, &refusal);
    show(self, &refusal, token, own, words, sizeof words);
    const refusal_kind *kind = kind_of(answer->status);
    if (words[0] == '\0' && !is_telling(self, self->options.uri, token, own)) {
        char buffer[SHOWN_BYTES_MAX];
        const text shown = io_path_shown(self->options.uri, buffer, sizeof buffer);
        (void)snprintf(words, sizeof words, ": \"%.*s\" refuses it without a message",
                       TEXT_ARGS(shown));
    }
    err_set(err, kind->status, "%.*s of catalog \"%.*s\"%s (HTTP %u)", TEXT_ARGS(subject),
            TEXT_ARGS(self->options.alias), words, answer->status);
    if (kind->sqlstate != NULL) {
        memcpy(err->sqlstate, kind->sqlstate, sizeof err->sqlstate);
    }
    err->retryable = kind->is_retryable;
    if (answer->status == 401 || answer->status == 419) {
        err_hint(err, "TOKEN or CREDENTIAL of ATTACH say who asks");
    }
    return kind->status;
}

// ---- Tokens ------------------------------------------------------------------------------------

static void append_field(text_builder *self, text name, text value) {
    if (self->size > 0) {
        text_append_char(self, '&');
    }
    text_append(self, name);
    text_append_char(self, '=');
    uri_append_encoded(self, value);
}

static firn_status token_url(rest_session *self, arena *memory, text *out, firn_error *err) {
    const text given = self->options.oauth2_server_uri;
    if (given.size == 0) {
        return text_format(memory, out, err, "%.*s/v1/oauth/tokens", TEXT_ARGS(self->options.uri));
    }
    if (io_path_scheme(given).size > 0) {
        return text_copy(memory, given, out, err);
    }
    const bool has_slash = text_starts_with(given, TEXT("/"));
    return text_format(memory, out, err, "%.*s%s%.*s", TEXT_ARGS(self->options.uri),
                       has_slash ? "" : "/", TEXT_ARGS(given));
}

// When a call is to have ended; INT64_MAX: when the options say.
static int64_t end_of(const rest_call *call) {
    return call->total_ms == 0 ? INT64_MAX
                               : host_clock_ns() + (int64_t)call->total_ms * INT64_C(1000000);
}

// How long a request of it may take; 0: as the exchange says.
static uint32_t time_left_ms(const rest_session *self, int64_t end_ns) {
    const uint32_t usual_ms = self->options.request_timeout_ms;
    if (end_ns == INT64_MAX) {
        return usual_ms;
    }
    const int64_t left_ms = (end_ns - host_clock_ns()) / 1000000;
    const uint32_t ours_ms = left_ms < 1            ? 1
                             : left_ms > UINT32_MAX ? UINT32_MAX
                                                    : (uint32_t)left_ms;
    return usual_ms != 0 && usual_ms < ours_ms ? usual_ms : ours_ms;
}

// Who waits for a token, and until when.
typedef struct token_wait {
    arena *memory;
    const cancel_flag *cancel;
    int64_t end_ns;
} token_wait;

// Asks for a token: in exchange for `old`, or for the credential if that is empty.
static firn_status ask_token(rest_session *self, text old, const token_wait *wait, rest_token *out,
                             firn_error *err) {
    arena *memory = wait->memory;
    const text credential = self->options.credential;
    const size_t colon = text_find(credential, TEXT(":"));
    const bool has_id = colon < credential.size;
    const text secret = has_id ? text_slice(credential, colon + 1, credential.size) : credential;
    text_builder form = text_builder_open(memory);
    text_builder basic = text_builder_open(memory);
    if (old.size > 0) {
        append_field(&form, TEXT("grant_type"), TEXT(GRANT_EXCHANGE));
        append_field(&form, TEXT("subject_token"), old);
        append_field(&form, TEXT("subject_token_type"), TEXT(ACCESS_TOKEN));
        text_append(&basic, TEXT("Basic "));
        text_append_base64(&basic, bytes_of_text(credential));
    } else {
        append_field(&form, TEXT("grant_type"), TEXT(GRANT_CREDENTIALS));
        if (has_id) {
            append_field(&form, TEXT("client_id"), text_slice(credential, 0, colon));
        }
        append_field(&form, TEXT("client_secret"), secret);
    }
    append_field(&form, TEXT("scope"),
                 self->options.scope.size > 0 ? self->options.scope : TEXT("catalog"));
    text body;
    text authorization;
    text url;
    TRY(text_builder_finish(&form, &body, err));
    TRY(text_builder_finish(&basic, &authorization, err));
    TRY(token_url(self, memory, &url, err));
    const net_header headers[] = {
        {TEXT("Content-Type"), TEXT("application/x-www-form-urlencoded")},
        {TEXT("Accept"), TEXT("application/json")},
        {TEXT("Authorization"), authorization},
    };
    const http_request request = {
        .method = "POST",
        .url = url,
        .headers = headers,
        .header_count = old.size > 0 ? 3 : 2,
        .has_body = true,
        .body = {.data = (const uint8_t *)body.data, .size = body.size},
        .is_repeatable = true,
        .answer_bytes_max = TOKEN_ANSWER_BYTES_MAX,
        .connect_timeout_ms = self->options.connect_timeout_ms,
        .total_timeout_ms = time_left_ms(self, wait->end_ns),
        .cancel = wait->cancel,
    };
    http_answer answer;
    TRY(hide(self, old, NULL, http_send(self->files, &request, memory, &answer, err), err));
    if (answer.status != 200) {
        return refuse(self, TEXT("the token"), old, NULL, &answer, memory, err);
    }
    firn_status status = rest_read_token(answer.body, memory, out, err);
    if (status == FIRN_OK && out->type.size > 0 && !text_equal_nocase(out->type, TEXT("bearer"))) {
        const bool is_secret = is_telling(self, out->type, out->token, NULL);
        const text shown = is_secret ? TEXT("(not shown, it holds a secret)") : out->type;
        status = FAIL(err, FIRN_UNSUPPORTED, "a token of type \"%.*s\", \"bearer\" is needed",
                      TEXT_ARGS(shown));
    }
    if (status != FIRN_OK) {
        err_while(err, "reading the token for catalog \"%.*s\"", TEXT_ARGS(self->options.alias));
    }
    return status;
}

// Gets a token in place of number `generation`, unless another thread did so meanwhile.
static firn_status renew_token(rest_session *self, uint64_t generation, text old,
                               const token_wait *wait, firn_error *err) {
    mutex_lock(&self->lock);
    const bool is_done = self->generation != generation;
    mutex_unlock(&self->lock);
    if (is_done) {
        return FIRN_OK;
    }
    rest_token token = {.has_lifetime = false};
    firn_status status = FIRN_IO;
    if (old.size > 0) { // Not every server exchanges; then the credential is good for another one.
        status = ask_token(self, old, wait, &token, err);
    }
    if (status != FIRN_OK) {
        TRY(cancel_check(wait->cancel, err));
        TRY(ask_token(self, (text){.size = 0}, wait, &token, err));
    }
    int64_t renew_ns = INT64_MAX;
    if (token.has_lifetime && token.lifetime_s < INT64_MAX / 2000000000) {
        const int64_t lifetime_ns = (int64_t)token.lifetime_s * 1000000000;
        const int64_t margin = lifetime_ns / 4 < RENEW_NS_MAX ? lifetime_ns / 4 : RENEW_NS_MAX;
        renew_ns = host_clock_ns() + lifetime_ns - margin;
    }
    return keep_token(self, token.token, renew_ns, err);
}

// A copy of the token to send, fetched or exchanged first if need be; empty if there is none.
static firn_status take_token(rest_session *self, const token_wait *wait, text *out,
                              uint64_t *generation, firn_error *err) {
    for (int round = 0;; round++) {
        mutex_lock(&self->lock);
        const firn_status status = text_copy(wait->memory, self->token, out, err);
        *generation = self->generation;
        const bool is_old = host_clock_ns() >= self->renew_ns;
        mutex_unlock(&self->lock);
        TRY(status);
        const bool wants_one = self->options.credential.size > 0 && (out->size == 0 || is_old);
        if (!wants_one || round > 0) {
            return FIRN_OK;
        }
        TRY(renew_token(self, *generation, *out, wait, err));
    }
}

// ---- Calls -------------------------------------------------------------------------------------

// What the user gave as HEADERS stands for what firn would send under the same name, also nothing.
static firn_status make_headers(rest_session *self, const rest_call *call, text token,
                                arena *memory, http_request *request, firn_error *err) {
    text bearer;
    TRY(text_format(memory, &bearer, err, "Bearer %.*s", TEXT_ARGS(token)));
    const struct {
        bool is_wanted;
        net_header header;
    } ours[] = {
        {true, {TEXT("Accept"), TEXT("application/json")}},
        {token.size > 0, {TEXT("Authorization"), bearer}},
        {call->has_body, {TEXT("Content-Type"), TEXT("application/json")}},
        {call->etag.size > 0, {TEXT("If-None-Match"), call->etag}},
        {call->key.size > 0, {TEXT("Idempotency-Key"), call->key}},
        {call->has_table_ask && self->options.wants_credentials,
         {TEXT("X-Iceberg-Access-Delegation"), TEXT("vended-credentials")}},
    };
    const uint32_t given = self->options.header_count;
    const uint32_t own = call->own == NULL ? 0 : call->own->header_count;
    net_header *headers =
        ARENA_NEW(memory, net_header, (size_t)given + own + sizeof ours / sizeof *ours);
    if (headers == NULL) {
        return ARENA_FULL(memory, err);
    }
    uint32_t count = 0;
    for (uint32_t i = 0; i < given; i++) {
        if (self->options.headers[i].value.size > 0) {
            headers[count++] = self->options.headers[i];
        }
    }
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) {
        if (ours[i].is_wanted && !is_given(self, ours[i].header.name)) {
            headers[count++] = ours[i].header;
        }
    }
    for (uint32_t i = 0; i < own; i++) {
        const text name = call->own->headers[i].name;
        if (!is_among(headers, count, name) && !is_given(self, name)) {
            headers[count++] = call->own->headers[i];
        }
    }
    request->headers = headers;
    request->header_count = count;
    return FIRN_OK;
}

static firn_status send_once(rest_session *self, const rest_call *call, text token,
                             const token_wait *wait, http_answer *out, firn_error *err) {
    arena *memory = wait->memory;
    text url;
    TRY(text_format(memory, &url, err, "%.*s/%.*s", TEXT_ARGS(self->options.uri),
                    TEXT_ARGS(call->path)));
    http_request request = {
        .method = call->method,
        .url = url,
        .has_body = call->has_body,
        .body = call->body,
        .is_repeatable = strcmp(call->method, "GET") == 0 || strcmp(call->method, "HEAD") == 0,
        .accepts_gzip = true,
        .answer_bytes_max = ANSWER_BYTES_MAX,
        .connect_timeout_ms = self->options.connect_timeout_ms,
        .total_timeout_ms = time_left_ms(self, wait->end_ns),
        .cancel = wait->cancel,
    };
    TRY(make_headers(self, call, token, memory, &request, err));
    const firn_status status =
        hide(self, token, call->own, http_send(self->files, &request, memory, out, err), err);
    if (status != FIRN_OK && status != FIRN_CANCELLED) {
        err_while(err, "asking catalog \"%.*s\" for %.*s", TEXT_ARGS(self->options.alias),
                  TEXT_ARGS(call->subject));
    }
    return status;
}

// The server refuses the token, and has done nothing.
static bool wants_another_token(const http_answer *answer) {
    return answer->status == 401 || answer->status == 419;
}

// With the session's token, which is fetched anew once if the server does not take it.
static firn_status send_as_session(rest_session *self, const rest_call *call,
                                   const token_wait *wait, text *token, http_answer *out,
                                   firn_error *err) {
    uint64_t generation;
    TRY(take_token(self, wait, token, &generation, err));
    TRY(send_once(self, call, *token, wait, out, err));
    if (wants_another_token(out) && self->options.credential.size > 0) {
        // The old token is of no use, not even for an exchange.
        TRY(renew_token(self, generation, (text){.size = 0}, wait, err));
        TRY(take_token(self, wait, token, &generation, err));
        TRY(send_once(self, call, *token, wait, out, err));
    }
    return FIRN_OK;
}

firn_status rest_session_call(rest_session *self, const rest_call *call, arena *memory,
                              const cancel_flag *cancel, http_answer *out, firn_error *err) {
    *out = (http_answer){.status = 0};
    const token_wait wait = {.memory = memory, .cancel = cancel, .end_ns = end_of(call)};
    text token = call->own == NULL ? (text){.size = 0} : call->own->token;
    const bool has_own = token.size > 0;
    if (has_own) {
        TRY(send_once(self, call, token, &wait, out, err));
    }
    if (!has_own || wants_another_token(out)) {
        TRY(send_as_session(self, call, &wait, &token, out, err));
    }
    if ((out->status >= 200 && out->status < 300) || (out->status == 304 && call->etag.size > 0)) {
        return FIRN_OK;
    }
    return refuse(self, call->subject, token, call->own, out, memory, err);
}
