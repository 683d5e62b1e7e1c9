// Files and folders of the host interface.
#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/compiler.h"
#include "base/host.h"

#define DISK_FULL "53100"

// The status of an errno.
static firn_status status_of(int error) {
    switch (error) {
    case ENOENT:
    case ENOTDIR:
        return FIRN_NOT_FOUND;
    case EEXIST:
        return FIRN_CONFLICT;
    case ENOMEM:
        return FIRN_NO_MEMORY;
    default:
        return FIRN_IO;
    }
}

static bool is_disk_full(int error) {
    return error == ENOSPC || error == EDQUOT || error == EFBIG;
}

// strerror of glibc and musl may be called from any thread.
static firn_status fail_path(const char *verb, const char *path, int error, firn_error *err) {
    if (is_disk_full(error)) {
        return FAIL_SQL(err, FIRN_IO, DISK_FULL, NO_POSITION, "%s \"%s\": %s", verb, path,
                        strerror(error));
    }
    return FAIL(err, status_of(error), "%s \"%s\": %s", verb, path, strerror(error));
}

// An open temporary file without a name, where the file system has none: make and unlink one.
static int open_unlinked(const char *folder) {
    char path[PATH_MAX];
    const int wanted = snprintf(path, sizeof path, "%s/firn-XXXXXX", folder);
    if (wanted < 0 || (size_t)wanted >= sizeof path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    const int fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0) {
        (void)unlink(path);
    }
    return fd;
}

static int open_once(const char *path, host_mode mode) {
    switch (mode) {
    case HOST_MODE_READ:
        return open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC); // A pipe would wait for a writer.
    case HOST_MODE_CREATE:
        return open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    case HOST_MODE_CREATE_NEW:
        return open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    case HOST_MODE_TEMPORARY: {
        const int fd = open(path, O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
        const bool knows_none = fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR);
        return knows_none ? open_unlinked(path) : fd;
    }
    }
    errno = EINVAL;
    return -1;
}

// Bytes of a pipe or of a device that makes them cannot be read at a place.
static bool has_places(int fd) {
    struct stat about;
    return fstat(fd, &about) == 0 &&
           (S_ISREG(about.st_mode) || S_ISDIR(about.st_mode) || S_ISBLK(about.st_mode));
}

firn_status host_open(const char *path, host_mode mode, host_file *out, firn_error *err) {
    *out = HOST_FILE_NONE;
    if (host_fault(HOST_OPEN)) {
        return fail_path("opening", path, EIO, err);
    }
    int fd = open_once(path, mode);
    while (fd < 0 && errno == EINTR) {
        fd = open_once(path, mode);
    }
    if (fd < 0) {
        return fail_path(mode == HOST_MODE_READ ? "opening" : "creating", path, errno, err);
    }
    if (mode == HOST_MODE_READ && !has_places(fd)) {
        (void)close(fd);
        return FAIL(err, FIRN_IO, "\"%s\" is a pipe, socket or device, not a file", path);
    }
    out->fd = fd;
    return FIRN_OK;
}

void host_close(host_file *file) {
    if (file->fd >= 0) {
        (void)close(file->fd); // Linux closes it even when it says EINTR.
        file->fd = -1;
    }
}

static void fill_stat(const struct stat *from, host_stat *out) {
    *out = (host_stat){
        .size = S_ISREG(from->st_mode) ? (uint64_t)from->st_size : 0,
        .inode = (uint64_t)from->st_ino,
        .mtime_ns = (int64_t)from->st_mtim.tv_sec * 1000000000 + from->st_mtim.tv_nsec,
        .ctime_ns = (int64_t)from->st_ctim.tv_sec * 1000000000 + from->st_ctim.tv_nsec,
        .is_folder = S_ISDIR(from->st_mode),
        .is_file = S_ISREG(from->st_mode),
    };
}

firn_status host_file_stat(host_file file, host_stat *out, firn_error *err) {
    struct stat found;
    if (fstat(file.fd, &found) != 0) {
        return FAIL(err, FIRN_IO, "asking for the size of a file: %s", strerror(errno));
    }
    fill_stat(&found, out);
    return FIRN_OK;
}

firn_status host_path_stat(const char *path, host_stat *out, firn_error *err) {
    struct stat found;
    if (host_fault(HOST_OPEN)) {
        return fail_path("looking at", path, EIO, err);
    }
    if (stat(path, &found) != 0) {
        return fail_path("looking at", path, errno, err);
    }
    fill_stat(&found, out);
    return FIRN_OK;
}

firn_status host_path_absolute(const char *path, char *out, size_t capacity, firn_error *err) {
    char folder[PATH_MAX] = "";
    if (path[0] != '/' && getcwd(folder, sizeof folder) == NULL) {
        return FAIL(err, FIRN_IO, "asking for the working folder: %s", strerror(errno));
    }
    const size_t end = strlen(folder);
    const char *slash = end > 0 && folder[end - 1] != '/' ? "/" : "";
    const int size = snprintf(out, capacity, "%s%s%s", folder, slash, path);
    return size >= 0 && (size_t)size < capacity
               ? FIRN_OK
               : FAIL(err, FIRN_INVALID, "the path \"%s\" is too long from the root on", path);
}

bool host_path_is_link(const char *path) {
    struct stat found;
    return lstat(path, &found) == 0 && S_ISLNK(found.st_mode);
}

static firn_status check_range(uint64_t offset, size_t size, firn_error *err) {
    if (offset > INT64_MAX || size > INT64_MAX - offset) {
        return FAIL(err, FIRN_INVALID, "%zu bytes at byte %llu are behind any file", size,
                    (unsigned long long)offset);
    }
    return FIRN_OK;
}

firn_status host_read(host_file file, uint64_t offset, size_t size, void *out, firn_error *err) {
    assert(file.fd >= 0);
    TRY(check_range(offset, size, err));
    uint8_t *at = out;
    int error = host_fault(HOST_READ) ? EIO : 0;
    while (size > 0 && error == 0) {
        const ssize_t got = pread(file.fd, at, size, (off_t)offset);
        if (got > 0) {
            at += got;
            offset += (uint64_t)got;
            size -= (size_t)got;
        } else if (got == 0) {
            return FAIL(err, FIRN_CORRUPT, "the file ends at byte %llu, %zu more bytes wanted",
                        (unsigned long long)offset, size);
        } else if (errno != EINTR) {
            error = errno;
        }
    }
    if (error != 0) {
        return FAIL(err, FIRN_IO, "reading %zu bytes at byte %llu: %s", size,
                    (unsigned long long)offset, strerror(error));
    }
    return FIRN_OK;
}

firn_status host_write(host_file file, uint64_t offset, bytes data, firn_error *err) {
    assert(file.fd >= 0);
    TRY(check_range(offset, data.size, err));
    const uint8_t *at = data.data;
    size_t left = data.size;
    int error = host_fault(HOST_WRITE) ? ENOSPC : 0;
    while (left > 0 && error == 0) {
        const ssize_t put = pwrite(file.fd, at, left, (off_t)offset);
        if (put > 0) {
            at += put;
            offset += (uint64_t)put;
            left -= (size_t)put;
        } else if (put == 0) {
            error = ENOSPC;
        } else if (errno != EINTR) {
            error = errno;
        }
    }
    if (is_disk_full(error)) {
        return FAIL_SQL(err, FIRN_IO, DISK_FULL, NO_POSITION, "writing %zu bytes at byte %llu: %s",
                        left, (unsigned long long)offset, strerror(error));
    }
    if (error != 0) {
        return FAIL(err, FIRN_IO, "writing %zu bytes at byte %llu: %s", left,
                    (unsigned long long)offset, strerror(error));
    }
    return FIRN_OK;
}

firn_status host_sync(host_file file, firn_error *err) {
    if (host_fault(HOST_SYNC)) {
        return FAIL(err, FIRN_IO, "syncing a file: %s", strerror(EIO));
    }
    int result = fsync(file.fd);
    while (result != 0 && errno == EINTR) {
        result = fsync(file.fd);
    }
    if (result != 0) {
        if (is_disk_full(errno)) {
            return FAIL_SQL(err, FIRN_IO, DISK_FULL, NO_POSITION, "syncing a file: %s",
                            strerror(errno));
        }
        return FAIL(err, FIRN_IO, "syncing a file: %s", strerror(errno));
    }
    return FIRN_OK;
}

void host_write_behind(host_file file, uint64_t offset, uint64_t size) {
    (void)sync_file_range(file.fd, (off_t)offset, (off_t)size, SYNC_FILE_RANGE_WRITE);
}

void host_drop_cached(host_file file, uint64_t offset, uint64_t size) {
    (void)sync_file_range(file.fd, (off_t)offset, (off_t)size,
                          SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
                              SYNC_FILE_RANGE_WAIT_AFTER);
    (void)posix_fadvise(file.fd, (off_t)offset, (off_t)size, POSIX_FADV_DONTNEED);
}

// The folder that holds `path`. False if the path is too long.
static bool folder_of(const char *path, char folder[PATH_MAX]) {
    const char *slash = strrchr(path, '/');
    const size_t size = slash == NULL ? 0 : (size_t)(slash - path);
    if (size >= PATH_MAX) {
        return false;
    }
    if (slash == NULL || size == 0) {
        memcpy(folder, slash == NULL ? "." : "/", 2);
    } else {
        memcpy(folder, path, size);
        folder[size] = '\0';
    }
    return true;
}

// File systems that cannot sync a folder say EINVAL and have nothing to sync.
firn_status host_sync_folder_of(const char *path, firn_error *err) {
    char folder[PATH_MAX];
    if (host_fault(HOST_SYNC)) {
        return fail_path("syncing the folder of", path, EIO, err);
    }
    if (!folder_of(path, folder)) {
        return fail_path("syncing the folder of", path, ENAMETOOLONG, err);
    }
    const int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return fail_path("syncing the folder of", path, errno, err);
    }
    const int error = fsync(fd) == 0 || errno == EINVAL || errno == EROFS ? 0 : errno;
    (void)close(fd);
    return error == 0 ? FIRN_OK : fail_path("syncing the folder of", path, error, err);
}

firn_status host_rename(const char *from, const char *to, firn_error *err) {
    if (host_fault(HOST_RENAME)) {
        return fail_path("renaming to", to, EIO, err);
    }
    return rename(from, to) == 0 ? FIRN_OK : fail_path("renaming to", to, errno, err);
}

firn_status host_link(const char *from, const char *to, firn_error *err) {
    if (host_fault(HOST_RENAME)) {
        return fail_path("naming", to, EIO, err);
    }
    return link(from, to) == 0 ? FIRN_OK : fail_path("naming", to, errno, err);
}

firn_status host_remove(const char *path, firn_error *err) {
    if (host_fault(HOST_REMOVE)) {
        return fail_path("removing", path, EIO, err);
    }
    return remove(path) == 0 ? FIRN_OK : fail_path("removing", path, errno, err);
}

firn_status host_make_folder(const char *path, firn_error *err) {
    char part[PATH_MAX];
    const size_t size = strlen(path);
    if (size == 0 || size >= sizeof part) {
        return fail_path("creating folder", path, size == 0 ? ENOENT : ENAMETOOLONG, err);
    }
    if (host_fault(HOST_OPEN)) {
        return fail_path("creating folder", path, EIO, err);
    }
    struct stat found;
    if (stat(path, &found) == 0 && S_ISDIR(found.st_mode)) { // As it is nearly always.
        return FIRN_OK;
    }
    memcpy(part, path, size + 1);
    for (size_t i = 1; i <= size; i++) {
        if (part[i] != '/' && part[i] != '\0') {
            continue;
        }
        part[i] = '\0';
        // A folder above may exist and yet refuse mkdir, for lack of rights or because it is
        // read-only: only what the whole path is in the end decides.
        const int error = mkdir(part, 0777) == 0 ? 0 : errno;
        part[i] = path[i];
        if (error != 0 && i == size) {
            const bool is_there = stat(path, &found) == 0;
            if (is_there && !S_ISDIR(found.st_mode)) { // No conflict: trying again does not help.
                return FAIL(err, FIRN_IO, "creating folder \"%s\": a file has that name", path);
            }
            if (!is_there) {
                return fail_path("creating folder", path, error, err);
            }
        }
    }
    return FIRN_OK;
}

static bool entry_is_folder(DIR *folder, const struct dirent *entry) {
    if (entry->d_type != DT_UNKNOWN && entry->d_type != DT_LNK) {
        return entry->d_type == DT_DIR;
    }
    struct stat found;
    return fstatat(dirfd(folder), entry->d_name, &found, 0) == 0 && S_ISDIR(found.st_mode);
}

firn_status host_list(const char *path, host_visit visit, void *user, firn_error *err) {
    if (host_fault(HOST_LIST)) {
        return fail_path("listing", path, EIO, err);
    }
    DIR *folder = opendir(path);
    if (folder == NULL) {
        return fail_path("listing", path, errno, err);
    }
    firn_status status = FIRN_OK;
    while (status == FIRN_OK) {
        errno = 0;
        const struct dirent *entry = readdir(folder);
        if (entry == NULL) {
            if (errno != 0) {
                status = fail_path("listing", path, errno, err);
            }
            break;
        }
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            status = visit(user, entry->d_name, entry_is_folder(folder, entry), err);
        }
    }
    (void)closedir(folder);
    return status;
}
