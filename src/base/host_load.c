// Shared objects of the host interface.
#include <dlfcn.h>
#include <limits.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/host.h"

static void own_code(void) {
}

// The dynamic linker's name for the file, which is empty for the program itself: argv[0] may lie.
static bool find_own_path(char found[PATH_MAX]) {
    void (*const code)(void) = own_code;
    const void *address;
    memcpy(&address, &code, sizeof address);
    Dl_info info;
    struct link_map *map = NULL;
    if (dladdr1(address, &info, (void **)&map, RTLD_DL_LINKMAP) != 0 && map != NULL &&
        map->l_name != NULL && strchr(map->l_name, '/') != NULL) {
        return realpath(map->l_name, found) != NULL;
    }
    const ssize_t size = readlink("/proc/self/exe", found, PATH_MAX - 1);
    if (size <= 0 || found[0] != '/') {
        return false;
    }
    found[size] = '\0';
    return true;
}

bool host_own_path(char *out, size_t capacity) {
    char found[PATH_MAX];
    if (!find_own_path(found) || strlen(found) >= capacity) {
        return false;
    }
    memcpy(out, found, strlen(found) + 1);
    return true;
}

firn_status host_load(const char *path, const char *symbol, host_function **out, firn_error *err) {
    *out = NULL;
    if (host_fault(HOST_OPEN)) {
        return FAIL(err, FIRN_IO, "loading \"%s\": a test wanted it to fail", path);
    }
    if (access(path, F_OK) != 0) {
        return FAIL(err, FIRN_NOT_FOUND, "there is no \"%s\"", path);
    }
    void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (object == NULL) {
        const char *reason = dlerror();
        return FAIL(err, FIRN_UNSUPPORTED, "loading \"%s\": %s", path,
                    reason == NULL ? "the linker gives no reason" : reason);
    }
    void *address = dlsym(object, symbol);
    if (address == NULL) {
        (void)dlclose(object);
        return FAIL(err, FIRN_UNSUPPORTED, "\"%s\" has no symbol \"%s\"", path, symbol);
    }
    memcpy(out, &address, sizeof *out);
    return FIRN_OK;
}
