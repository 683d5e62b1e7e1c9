// firn_net.so: moves bytes over HTTP/1.1 with libcurl and OpenSSL. See io/net_module.h for what it
// promises; everything that is decided, it leaves to firn.
//
// A client is one libcurl multi handle. Every call is an easy handle in it; handles that are done
// are kept and used again, connections are kept by libcurl. libcurl runs without signals and
// without its progress meter, resolves names on threads of its own, verifies certificates and host
// names, and follows no redirect by itself.
//
// Errors of firn are made by firn: nothing here may call err_set, the module links to no symbol of
// the library.
#include <curl/curl.h>
#include <string.h>
#include <strings.h>

#include "io/net_module.h"

#define IDLE_HANDLES_MAX 64
// What one read from a socket hands over at most.
#define BUFFER_BYTES 262144L

typedef struct net_handle net_handle;

struct net_handle {
    CURL *easy;
    net_client *client;
    net_call *call; // NULL: kept for later.
    struct curl_slist *headers;
    bool is_stopped;  // A callback said so.
    bool body_began;  // Header lines from here on are trailers.
    net_handle *next; // In the list of kept handles.
    char message[CURL_ERROR_SIZE];
};

struct net_client {
    const net_host *host;
    CURLM *multi;
    net_handle *idle;
    uint32_t idle_count;
};

// ---- Callbacks of libcurl ----------------------------------------------------------------------

static void tell_status(net_handle *handle) {
    long status = 0;
    (void)curl_easy_getinfo(handle->easy, CURLINFO_RESPONSE_CODE, &status);
    handle->call->status = status > 0 && status < 1000 ? (uint32_t)status : 0;
    handle->body_began = false;
    handle->call->callbacks->status(handle->call);
}

static bool is_blank(char byte) {
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

static text trim(text value) {
    while (value.size > 0 && is_blank(value.data[value.size - 1])) {
        value.size -= 1;
    }
    while (value.size > 0 && is_blank(value.data[0])) {
        value.data += 1;
        value.size -= 1;
    }
    return value;
}

static size_t on_header(char *data, size_t one, size_t size, void *user) {
    net_handle *handle = user;
    (void)one; // Always 1.
    if (size >= 5 && memcmp(data, "HTTP/", 5) == 0) {
        tell_status(handle);
        return size;
    }
    const char *colon = memchr(data, ':', size);
    if (colon == NULL || handle->body_began) {
        return size;
    }
    const size_t name_size = (size_t)(colon - data);
    const text name = {.data = data, .size = name_size};
    const text value = {.data = colon + 1, .size = size - name_size - 1};
    handle->is_stopped = !handle->call->callbacks->header(handle->call, trim(name), trim(value));
    return handle->is_stopped ? 0 : size;
}

static size_t on_body(char *data, size_t one, size_t size, void *user) {
    net_handle *handle = user;
    (void)one;
    handle->body_began = true;
    const bytes part = {.data = (const uint8_t *)data, .size = size};
    handle->is_stopped = !handle->call->callbacks->body(handle->call, part);
    return handle->is_stopped ? CURL_WRITEFUNC_ERROR : size;
}

// ---- Handles -----------------------------------------------------------------------------------

static void handle_free(net_handle *handle) {
    curl_slist_free_all(handle->headers);
    curl_easy_cleanup(handle->easy);
    handle->client->host->release(handle);
}

static net_handle *handle_take(net_client *client) {
    net_handle *handle = client->idle;
    if (handle != NULL) {
        client->idle = handle->next;
        client->idle_count -= 1;
        curl_easy_reset(handle->easy);
        return handle;
    }
    handle = client->host->alloc(sizeof *handle);
    if (handle == NULL) {
        return NULL;
    }
    *handle = (net_handle){.client = client, .easy = curl_easy_init()};
    if (handle->easy == NULL) {
        client->host->release(handle);
        return NULL;
    }
    return handle;
}

// Keeps the handle for another call, if its own ended well. One that found no host, or was stopped
// on the way, keeps a read buffer in libcurl 7.88 and then takes no size for another
// (CURLOPT_BUFFERSIZE answers CURLE_BAD_FUNCTION_ARGUMENT).
static void handle_give_back(net_client *client, net_handle *handle, bool is_reusable) {
    curl_slist_free_all(handle->headers);
    handle->headers = NULL;
    handle->call = NULL;
    if (!is_reusable || client->idle_count == IDLE_HANDLES_MAX) {
        handle_free(handle);
        return;
    }
    handle->next = client->idle;
    client->idle = handle;
    client->idle_count += 1;
}

static bool append_line(net_handle *handle, const char *line) {
    struct curl_slist *longer = curl_slist_append(handle->headers, line);
    if (longer == NULL) {
        return false;
    }
    handle->headers = longer;
    return true;
}

// "Name: value", or "Name;" for an empty value, which is how libcurl is told to send one.
static bool add_header(net_handle *handle, text name, text value) {
    const net_host *host = handle->client->host;
    const size_t size = name.size + 2 + value.size;
    char *line = host->alloc(size + 1);
    if (line == NULL) {
        return false;
    }
    memcpy(line, name.data, name.size);
    if (value.size == 0) {
        memcpy(line + name.size, ";", 2);
    } else {
        memcpy(line + name.size, ": ", 2);
        memcpy(line + name.size + 2, value.data, value.size);
        line[size] = '\0';
    }
    const bool is_added = append_line(handle, line);
    host->release(line);
    return is_added;
}

static bool add_headers(net_handle *handle, const net_call *call) {
    static const char type[] = "Content-Type";
    bool has_type = false;
    for (uint32_t i = 0; i < call->header_count; i++) {
        const net_header *header = &call->headers[i];
        if (!add_header(handle, header->name, header->value)) {
            return false;
        }
        has_type = has_type || (header->name.size == sizeof type - 1 &&
                                strncasecmp(header->name.data, type, sizeof type - 1) == 0);
    }
    // libcurl would call a body without a type a form, and ask for permission before it sends one
    // of more than 1 MB. "Name:" tells it not to.
    return !call->has_body ||
           ((has_type || append_line(handle, "Content-Type:")) && append_line(handle, "Expect:"));
}

static bool set_text(CURL *easy, CURLoption option, const char *value) {
    return curl_easy_setopt(easy, option, value) == CURLE_OK;
}

static bool set_number(CURL *easy, CURLoption option, long value) {
    return curl_easy_setopt(easy, option, value) == CURLE_OK;
}

// Where the trusted certificates are, if the user says so; else where Debian's libcurl looks.
static bool set_trust(const net_host *host, CURL *easy) {
    const char *file = host->environment("SSL_CERT_FILE");
    const char *folder = host->environment("SSL_CERT_DIR");
    return (file == NULL || file[0] == '\0' || set_text(easy, CURLOPT_CAINFO, file)) &&
           (folder == NULL || folder[0] == '\0' || set_text(easy, CURLOPT_CAPATH, folder)) &&
           set_number(easy, CURLOPT_SSL_VERIFYPEER, 1) &&
           set_number(easy, CURLOPT_SSL_VERIFYHOST, 2) &&
           set_number(easy, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
}

static bool set_method(CURL *easy, const net_call *call) {
    if (strcmp(call->method, "HEAD") == 0) {
        return set_number(easy, CURLOPT_NOBODY, 1);
    }
    if (call->has_body) {
        if (!set_number(easy, CURLOPT_POST, 1) ||
            curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body.size) !=
                CURLE_OK ||
            curl_easy_setopt(easy, CURLOPT_POSTFIELDS,
                             call->body.size == 0 ? "" : (const char *)call->body.data) !=
                CURLE_OK) {
            return false;
        }
    }
    return set_text(easy, CURLOPT_CUSTOMREQUEST, call->method);
}

static bool set_up(net_handle *handle, const net_call *call) {
    CURL *easy = handle->easy;
    handle->message[0] = '\0';
    bool is_set = add_headers(handle, call) && set_trust(handle->client->host, easy) &&
                  set_method(easy, call);
    is_set = is_set && set_text(easy, CURLOPT_URL, call->url);
    is_set = is_set && set_text(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    is_set = is_set && set_number(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    is_set = is_set && set_number(easy, CURLOPT_FOLLOWLOCATION, 0);
    is_set = is_set && set_number(easy, CURLOPT_FRESH_CONNECT, call->is_sent_once ? 1 : 0);
    is_set = is_set && set_number(easy, CURLOPT_NOSIGNAL, 1);
    is_set = is_set && set_number(easy, CURLOPT_NOPROGRESS, 1);
    is_set = is_set && set_number(easy, CURLOPT_QUICK_EXIT, 1);
    is_set = is_set && set_number(easy, CURLOPT_TCP_KEEPALIVE, 1);
    is_set = is_set && set_number(easy, CURLOPT_BUFFERSIZE, BUFFER_BYTES);
    is_set = is_set && set_number(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)call->connect_timeout_ms);
    is_set = is_set && set_text(easy, CURLOPT_USERAGENT, NET_USER_AGENT);
    is_set = is_set && (!call->accepts_gzip || set_text(easy, CURLOPT_ACCEPT_ENCODING, "gzip"));
    return is_set && curl_easy_setopt(easy, CURLOPT_HTTPHEADER, handle->headers) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, handle->message) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PRIVATE, (void *)handle) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HEADERDATA, (void *)handle) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEDATA, (void *)handle) == CURLE_OK;
}

// ---- Ends --------------------------------------------------------------------------------------

// What a result of libcurl means to firn.
static net_end end_of(const net_handle *handle, CURLcode code) {
    if (handle->is_stopped) {
        return NET_STOPPED;
    }
    switch ((int)code) { // A number, since the enum has a hundred names.
    case CURLE_OK:
        return NET_DONE;
    case CURLE_OUT_OF_MEMORY:
        return NET_NO_MEMORY;
    case CURLE_URL_MALFORMAT:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
        return NET_REFUSED;
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_OPERATION_TIMEDOUT: // The only time limit that libcurl keeps is for connecting.
        return NET_UNREACHED;
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
    case CURLE_AGAIN:
        return NET_BROKEN;
    default:
        return NET_GARBAGE;
    }
}

static void finish(net_client *client, net_handle *handle, CURLcode code) {
    net_call *call = handle->call;
    char *redirect = NULL;
    (void)curl_easy_getinfo(handle->easy, CURLINFO_REDIRECT_URL, &redirect);
    call->redirect_url = redirect;
    call->handle = NULL;
    const char *reason = curl_easy_strerror(code);
    // What libcurl says of its own names host, certificate or byte counts, never a header; but for
    // malformed URLs it repeats them.
    if (handle->message[0] != '\0' && code != CURLE_URL_MALFORMAT) {
        reason = handle->message;
    }
    (void)curl_multi_remove_handle(client->multi, handle->easy);
    call->callbacks->done(call, end_of(handle, code), reason);
    handle_give_back(client, handle, code == CURLE_OK);
}

// ---- The table ---------------------------------------------------------------------------------

static net_client *client_open(const net_host *host, uint32_t connection_count) {
    // Counts its callers and may be called by several threads (libcurl 7.84 and later).
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        return NULL;
    }
    net_client *self = host->alloc(sizeof *self);
    if (self == NULL) {
        return NULL;
    }
    *self = (net_client){.host = host, .multi = curl_multi_init()};
    if (self->multi == NULL) {
        host->release(self);
        return NULL;
    }
    // Ranges are read on many connections: HTTP/2 on one was three times slower.
    (void)curl_multi_setopt(self->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
    (void)curl_multi_setopt(self->multi, CURLMOPT_MAXCONNECTS, (long)connection_count);
    return self;
}

static void client_close(net_client *self) {
    while (self->idle != NULL) {
        net_handle *handle = self->idle;
        self->idle = handle->next;
        handle_free(handle);
    }
    (void)curl_multi_cleanup(self->multi);
    self->host->release(self);
}

static bool client_start(net_client *self, net_call *call) {
    net_handle *handle = handle_take(self);
    if (handle == NULL) {
        return false;
    }
    handle->call = call;
    handle->is_stopped = false;
    handle->body_began = false;
    if (!set_up(handle, call) || curl_multi_add_handle(self->multi, handle->easy) != CURLM_OK) {
        handle_give_back(self, handle, false);
        return false;
    }
    call->handle = handle;
    return true;
}

static void client_stop(net_client *self, net_call *call) {
    net_handle *handle = call->handle;
    call->handle = NULL;
    (void)curl_multi_remove_handle(self->multi, handle->easy);
    handle_give_back(self, handle, false);
}

static void client_drive(net_client *self, uint32_t timeout_ms) {
    (void)curl_multi_poll(self->multi, NULL, 0, (int)timeout_ms, NULL);
    int running = 0;
    (void)curl_multi_perform(self->multi, &running);
    int left = 0;
    for (CURLMsg *message = curl_multi_info_read(self->multi, &left); message != NULL;
         message = curl_multi_info_read(self->multi, &left)) {
        if (message->msg == CURLMSG_DONE) {
            char *kept = NULL;
            const CURLcode code = message->data.result; // The message is gone with its handle.
            (void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &kept);
            finish(self, (net_handle *)(void *)kept, code);
        }
    }
}

static void client_wake(net_client *self) {
    (void)curl_multi_wakeup(self->multi);
}

static const char *client_library(void) {
    return curl_version();
}

static const net_module module = {
    .version = NET_MODULE_VERSION,
    .library = client_library,
    .open = client_open,
    .close = client_close,
    .start = client_start,
    .stop = client_stop,
    .drive = client_drive,
    .wake = client_wake,
};

__attribute__((visibility("default"))) net_module_open firn_net_module;

const net_module *firn_net_module(const char *version) {
    return strcmp(version, NET_MODULE_VERSION) == 0 ? &module : NULL;
}
