#include "io/net_loader.h"

#include <stdio.h>

#include "base/host.h"
#include "io/io_path.h"

// Present only where the module is linked in.
__attribute__((weak, visibility("hidden"))) const net_module *firn_net_module(const char *version);

const net_host net_host_functions = {
    .alloc = host_alloc,
    .release = host_free,
    .environment = host_environment,
};

typedef union module_entry { // What dlsym finds, as what it is.
    host_function *found;
    net_module_open *open;
} module_entry;

static firn_status shake_hands(net_module_open *open, const char *where, const net_module **out,
                               firn_error *err) {
    const net_module *module = open(NET_MODULE_VERSION);
    if (module == NULL || strcmp(module->version, NET_MODULE_VERSION) != 0) {
        return FAIL(err, FIRN_UNSUPPORTED, "\"%s\" is of version \"%s\", \"%s\" is needed", where,
                    module == NULL ? "another" : module->version, NET_MODULE_VERSION);
    }
    *out = module;
    return FIRN_OK;
}

firn_status net_module_load(const net_module **out, firn_error *err) {
    *out = NULL;
    if (firn_net_module != NULL) {
        return shake_hands(firn_net_module, "this program", out, err);
    }
    char own[IO_LOCAL_PATH_MAX];
    if (!host_own_path(own, sizeof own)) {
        return FAIL(err, FIRN_UNSUPPORTED,
                    "nobody says where this library lies, so \"%s\" is not looked for",
                    NET_MODULE_FILE);
    }
    // Of /prefix/lib/libfirn.so and /prefix/bin/firn alike: /prefix/lib/firn/firn_net.so.
    const text folder = io_path_folder(text_of(own));
    text prefix = io_path_folder(folder);
    if (text_equal(io_path_name(prefix), TEXT("lib"))) {
        prefix = io_path_folder(prefix); // /prefix/lib/x86_64-linux-gnu/libfirn.so
    }
    char places[2][IO_LOCAL_PATH_MAX + 64];
    (void)snprintf(places[0], sizeof places[0], "%.*s/%s", TEXT_ARGS(folder), NET_MODULE_FILE);
    (void)snprintf(places[1], sizeof places[1], "%.*s/lib/firn/%s", TEXT_ARGS(prefix),
                   NET_MODULE_FILE);
    for (size_t i = 0; i < 2; i++) {
        module_entry entry = {.found = NULL};
        const firn_status status = host_load(places[i], NET_MODULE_SYMBOL, &entry.found, err);
        if (status == FIRN_OK) {
            return shake_hands(entry.open, places[i], out, err);
        }
        TRY(err_forgive(err, status, FIRN_NOT_FOUND));
    }
    const firn_status status = FAIL(err, FIRN_UNSUPPORTED,
                                    "paths on servers need the module \"%s\", which is neither "
                                    "\"%s\" nor \"%s\"",
                                    NET_MODULE_FILE, places[0], places[1]);
    err_hint(err, "put %s beside the library", NET_MODULE_FILE);
    return status;
}
