// Disks that fail under SQLite. For test files only: from sqlite_faults_open on, new connections go
// through a VFS that counts what they do to files, and the n-th such call fails.
#ifndef FIRN_CATALOGS_SQLITE_FAULTS_H
#define FIRN_CATALOGS_SQLITE_FAULTS_H

#include <sqlite3.h>
#include <string.h>

typedef struct sqlite_faults {
    sqlite3_vfs vfs;
    sqlite3_vfs *real;
    int at;         // The call that fails, from 1 on; 0: none.
    int count;      // Calls so far.
    int is_for_all; // Those behind it fail too, as on a full disk.
    int is_late;    // It is done all the same.
} sqlite_faults;

typedef struct sqlite_fault_file {
    sqlite3_file base;
    sqlite_faults *owner;
    sqlite3_file *real; // Behind this one in the same memory.
} sqlite_fault_file;

static inline int sqlite_faults_hit(sqlite_faults *self) {
    self->count += 1;
    return self->count == self->at || (self->is_for_all && self->at > 0 && self->count > self->at);
}

static inline sqlite_fault_file *sqlite_fault_file_of(sqlite3_file *base) {
    return (sqlite_fault_file *)base;
}

#define SQLITE_FAULT_CALL(owner_, code_, call_)                                                    \
    do {                                                                                           \
        sqlite_faults *faults = (owner_);                                                          \
        const int is_hit = sqlite_faults_hit(faults);                                              \
        const int code = is_hit && !faults->is_late ? (code_) : (call_);                           \
        return is_hit ? (code_) : code;                                                            \
    } while (0)

static inline int sqlite_fault_close(sqlite3_file *base) {
    sqlite3_file *real = sqlite_fault_file_of(base)->real;
    return real->pMethods == NULL ? SQLITE_OK : real->pMethods->xClose(real);
}
static inline int sqlite_fault_read(sqlite3_file *base, void *out, int size, sqlite3_int64 at) {
    sqlite3_file *real = sqlite_fault_file_of(base)->real;
    return real->pMethods->xRead(real, out, size, at);
}
static inline int sqlite_fault_write(sqlite3_file *base, const void *data, int size,
                                     sqlite3_int64 at) {
    sqlite3_file *real = sqlite_fault_file_of(base)->real;
    SQLITE_FAULT_CALL(sqlite_fault_file_of(base)->owner, SQLITE_FULL,
                      real->pMethods->xWrite(real, data, size, at));
}
static inline int sqlite_fault_truncate(sqlite3_file *base, sqlite3_int64 size) {
    sqlite3_file *real = sqlite_fault_file_of(base)->real;
    SQLITE_FAULT_CALL(sqlite_fault_file_of(base)->owner, SQLITE_IOERR_TRUNCATE,
                      real->pMethods->xTruncate(real, size));
}
static inline int sqlite_fault_sync(sqlite3_file *base, int flags) {
    sqlite3_file *real = sqlite_fault_file_of(base)->real;
    SQLITE_FAULT_CALL(sqlite_fault_file_of(base)->owner, SQLITE_IOERR_FSYNC,
                      real->pMethods->xSync(real, flags));
}
static inline int sqlite_fault_size(sqlite3_file *base, sqlite3_int64 *out) {
    sqlite3_file *real = sqlite_fault_file_of(base)->real;
    return real->pMethods->xFileSize(real, out);
}
static inline int sqlite_fault_lock(sqlite3_file *base, int level) {
    sqlite3_file *real = sqlite_fault_file_of(base)->real;
    return real->pMethods->xLock(real, level);
}
static inline int sqlite_fault_unlock(sqlite3_file *base, int level) {
    sqlite3_file *real = sqlite_fault_file_of(base)->real;
    return real->pMethods->xUnlock(real, level);
}
static inline int sqlite_fault_is_locked(sqlite3_file *base, int *out) {
    sqlite3_file *real = sqlite_fault_file_of(base)->real;
    return real->pMethods->xCheckReservedLock(real, out);
}
static inline int sqlite_fault_control(sqlite3_file *base, int what, void *argument) {
    sqlite3_file *real = sqlite_fault_file_of(base)->real;
    return real->pMethods->xFileControl(real, what, argument);
}
static inline int sqlite_fault_sector(sqlite3_file *base) {
    sqlite3_file *real = sqlite_fault_file_of(base)->real;
    return real->pMethods->xSectorSize(real);
}
static inline int sqlite_fault_traits(sqlite3_file *base) {
    sqlite3_file *real = sqlite_fault_file_of(base)->real;
    return real->pMethods->xDeviceCharacteristics(real);
}

static inline int sqlite_fault_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *base,
                                    int flags, int *flags_out) {
    static const sqlite3_io_methods methods = {
        .iVersion = 1,
        .xClose = sqlite_fault_close,
        .xRead = sqlite_fault_read,
        .xWrite = sqlite_fault_write,
        .xTruncate = sqlite_fault_truncate,
        .xSync = sqlite_fault_sync,
        .xFileSize = sqlite_fault_size,
        .xLock = sqlite_fault_lock,
        .xUnlock = sqlite_fault_unlock,
        .xCheckReservedLock = sqlite_fault_is_locked,
        .xFileControl = sqlite_fault_control,
        .xSectorSize = sqlite_fault_sector,
        .xDeviceCharacteristics = sqlite_fault_traits,
    };
    sqlite_faults *self = vfs->pAppData;
    sqlite_fault_file *file = sqlite_fault_file_of(base);
    *file = (sqlite_fault_file){.owner = self, .real = (sqlite3_file *)(file + 1)};
    memset(file->real, 0, (size_t)self->real->szOsFile);
    const int code = self->real->xOpen(self->real, name, file->real, flags, flags_out);
    base->pMethods = code == SQLITE_OK ? &methods : NULL;
    return code;
}

static inline int sqlite_fault_delete(sqlite3_vfs *vfs, const char *name, int syncs) {
    sqlite_faults *self = vfs->pAppData;
    SQLITE_FAULT_CALL(self, SQLITE_IOERR_DELETE, self->real->xDelete(self->real, name, syncs));
}

static inline void sqlite_faults_open(sqlite_faults *self) {
    sqlite3_vfs *real = sqlite3_vfs_find(NULL);
    *self = (sqlite_faults){.vfs = *real, .real = real};
    self->vfs.iVersion = 1;
    self->vfs.zName = "faults";
    self->vfs.pAppData = self;
    self->vfs.szOsFile = (int)sizeof(sqlite_fault_file) + real->szOsFile;
    self->vfs.xOpen = sqlite_fault_open;
    self->vfs.xDelete = sqlite_fault_delete;
    (void)sqlite3_vfs_register(&self->vfs, 1);
}

/// Every connection must be closed.
static inline void sqlite_faults_close(sqlite_faults *self) {
    (void)sqlite3_vfs_unregister(&self->vfs);
    (void)sqlite3_vfs_register(self->real, 1);
}

/// Call number `at` from now on fails; 0: none.
static inline void sqlite_faults_set(sqlite_faults *self, int at, int is_for_all, int is_late) {
    self->at = at;
    self->count = 0;
    self->is_for_all = is_for_all;
    self->is_late = is_late;
}

#endif
