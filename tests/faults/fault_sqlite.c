#include "fault_sqlite.h"

#include <assert.h>
#include <sqlite3.h>
#include <string.h>

#include "base/host.h"

// ---- Memory ------------------------------------------------------------------------------------

static sqlite3_mem_methods memory; // SQLite's own.

static void *allocate(int size) {
    return host_fault(HOST_ALLOC) ? NULL : memory.xMalloc(size);
}

static void *reallocate(void *block, int size) {
    return host_fault(HOST_ALLOC) ? NULL : memory.xRealloc(block, size);
}

// ---- Files -------------------------------------------------------------------------------------

static sqlite3_vfs *files; // SQLite's own.
static sqlite3_vfs faulty_files;

// Files of one kind have the same methods, which are those of `files` with our read, write and
// sync.
typedef struct file_kind {
    int flag; // Of open.
    sqlite3_io_methods methods;
    const sqlite3_io_methods *own;
} file_kind;

static file_kind kinds[] = {{.flag = SQLITE_OPEN_MAIN_DB}, {.flag = SQLITE_OPEN_MAIN_JOURNAL}};
#define KIND_COUNT (sizeof kinds / sizeof *kinds)

static const sqlite3_io_methods *own_of(const sqlite3_file *file) {
    size_t at = 0;
    while (file->pMethods != &kinds[at].methods) {
        at++;
        assert(at < KIND_COUNT);
    }
    return kinds[at].own;
}

static int read_range(sqlite3_file *file, void *out, int size, sqlite3_int64 offset) {
    return host_fault(HOST_READ) ? SQLITE_IOERR_READ : own_of(file)->xRead(file, out, size, offset);
}

static int write_range(sqlite3_file *file, const void *data, int size, sqlite3_int64 offset) {
    return host_fault(HOST_WRITE) ? SQLITE_FULL : own_of(file)->xWrite(file, data, size, offset);
}

static int sync_file(sqlite3_file *file, int flags) {
    return host_fault(HOST_SYNC) ? SQLITE_IOERR_FSYNC : own_of(file)->xSync(file, flags);
}

static int open_file(sqlite3_vfs *self, const char *name, sqlite3_file *file, int flags,
                     int *out_flags) {
    (void)self;
    if (host_fault(HOST_OPEN)) {
        file->pMethods = NULL;
        return SQLITE_CANTOPEN;
    }
    const int code = files->xOpen(files, name, file, flags, out_flags);
    for (size_t i = 0; i < KIND_COUNT && file->pMethods != NULL; i++) {
        file_kind *kind = &kinds[i];
        if ((flags & kind->flag) != 0) {
            assert(kind->own == NULL || kind->own == file->pMethods);
            kind->own = file->pMethods;
            kind->methods = *kind->own;
            kind->methods.xRead = read_range;
            kind->methods.xWrite = write_range;
            kind->methods.xSync = sync_file;
            file->pMethods = &kind->methods;
            break;
        }
    }
    return code;
}

// That of a journal is what commits.
static int delete_file(sqlite3_vfs *self, const char *name, int syncs) {
    (void)self;
    return host_fault(HOST_REMOVE) ? SQLITE_IOERR_DELETE : files->xDelete(files, name, syncs);
}

bool fault_sqlite_begin(void) {
    sqlite3_mem_methods counted;
    if (files != NULL) {
        return true;
    }
    if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &memory) != SQLITE_OK) {
        return false;
    }
    counted = memory;
    counted.xMalloc = allocate;
    counted.xRealloc = reallocate;
    files =
        sqlite3_config(SQLITE_CONFIG_MALLOC, &counted) == SQLITE_OK ? sqlite3_vfs_find(NULL) : NULL;
    if (files == NULL) {
        return false;
    }
    faulty_files = *files;
    faulty_files.zName = "faulty";
    faulty_files.xOpen = open_file;
    faulty_files.xDelete = delete_file;
    return sqlite3_vfs_register(&faulty_files, 1) == SQLITE_OK;
}
