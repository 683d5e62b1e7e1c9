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

// Of a file of `files`, with our read; the same for all files of one kind.
static sqlite3_io_methods methods;
static const sqlite3_io_methods *own_methods;

static int read_range(sqlite3_file *file, void *out, int size, sqlite3_int64 offset) {
    return host_fault(HOST_READ) ? SQLITE_IOERR_READ : own_methods->xRead(file, out, size, offset);
}

static int write_range(sqlite3_file *file, const void *data, int size, sqlite3_int64 offset) {
    return host_fault(HOST_WRITE) ? SQLITE_FULL : own_methods->xWrite(file, data, size, offset);
}

static int sync_file(sqlite3_file *file, int flags) {
    return host_fault(HOST_SYNC) ? SQLITE_IOERR_FSYNC : own_methods->xSync(file, flags);
}

static int open_file(sqlite3_vfs *self, const char *name, sqlite3_file *file, int flags,
                     int *out_flags) {
    (void)self;
    if (host_fault(HOST_OPEN)) {
        file->pMethods = NULL;
        return SQLITE_CANTOPEN;
    }
    const int code = files->xOpen(files, name, file, flags, out_flags);
    // The main file alone: journals are written before it. Its kind of locking decides about its
    // methods.
    if (file->pMethods != NULL && (flags & SQLITE_OPEN_MAIN_DB) != 0) {
        assert(own_methods == NULL || own_methods == file->pMethods);
        own_methods = file->pMethods;
        methods = *own_methods;
        methods.xRead = read_range;
        methods.xWrite = write_range;
        methods.xSync = sync_file;
        file->pMethods = &methods;
    }
    return code;
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
    return sqlite3_vfs_register(&faulty_files, 1) == SQLITE_OK;
}
