#include "io/io.h"

#include <unistd.h>

#include "io/test_folder.h"
#include "memory/text_builder.h"

static firn_error err = FIRN_ERROR_INIT;

static bool says(const char *words) {
    return strstr(err.text, words) != NULL;
}

static io *open_io(void) {
    io *self;
    CHECK(io_open(&(io_options){.has_thread = true}, &self, &err) == FIRN_OK);
    return self;
}

static text path_in(const test_folder *folder, const char *name, char buffer[512]) {
    const int size = snprintf(buffer, 512, "%s/%s", folder->path, name);
    return (text){.data = buffer, .size = (size_t)size};
}

static const io_open_options plain = {.cancel = NULL};
static const io_request no_request = {.cancel = NULL};

TEST(io_reads_ranges_of_a_local_file_without_waiting_or_threads) {
    const test_folder folder = test_folder_open("ranges");
    test_folder_write(&folder, "x", "0123456789");
    io *self = open_io();
    char buffer[512];
    io_file *file;
    REQUIRE(io_file_open(self, path_in(&folder, "x", buffer), &plain, &file, &err) == FIRN_OK);
    CHECK(!io_file_is_remote(file));
    uint64_t size;
    REQUIRE(io_file_size(file, NULL, &size, &err) == FIRN_OK);
    CHECK(size == 10);
    uint8_t out[4][20];
    io_range ranges[] = {{.offset = 7, .size = 3, .into = out[0]},
                         {.offset = 0, .size = 4, .into = out[1]},
                         {.offset = IO_FROM_END, .size = 2, .into = out[2]},
                         {.offset = IO_FROM_END, .size = 20, .into = out[3]}};
    io_ticket ticket;
    REQUIRE(io_submit(file, ranges, 4, &no_request, &ticket, &err) == FIRN_OK);
    for (uint32_t i = 0; i < 4; i++) {
        io_answer answer;
        REQUIRE(io_collect(&ticket, i, &answer, &err) == FIRN_OK);
        CHECK(answer == IO_READY);
    }
    CHECK(memcmp(out[0], "789", 3) == 0 && ranges[0].filled == 3);
    CHECK(memcmp(out[1], "0123", 4) == 0);
    CHECK(memcmp(out[2], "89", 2) == 0 && ranges[2].filled == 2);
    CHECK(memcmp(out[3], "0123456789", 10) == 0 && ranges[3].filled == 10);
    CHECK(host_thread_count() == 0);
    io_ticket_close(&ticket);
    io_ticket_close(&ticket); // Twice does nothing.
    io_file_release(file);
    io_close(self);
    test_folder_close(&folder);
}

TEST(io_takes_every_way_to_write_a_local_path) {
    const test_folder folder = test_folder_open("paths");
    test_folder_write(&folder, "a%20b", "x"); // Not decoded: the name has a percent sign.
    io *self = open_io();
    const char *forms[] = {"%s/a%%20b", "file:%s/a%%20b", "file://%s/a%%20b",
                           "FILE://localhost%s/a%%20b"};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        char path[512];
        const char *marker = strstr(forms[i], "%s");
        (void)snprintf(path, sizeof path, "%.*s%s/a%%20b", (int)(marker - forms[i]), forms[i],
                       folder.path);
        bool exists = false;
        CHECK(io_exists(self, text_of(path), NULL, &exists, &err) == FIRN_OK);
        CHECK(exists);
    }
    bool exists = true;
    CHECK(io_exists(self, text_of(folder.path), NULL, &exists, &err) == FIRN_OK);
    CHECK(!exists); // A folder is no object.
    io_close(self);
    test_folder_close(&folder);
}

TEST(io_refuses_what_cannot_be_opened_and_says_why) {
    const struct {
        text path;
        firn_status status;
        const char *words;
    } cases[] = {
        {TEXT(""), FIRN_INVALID, "the path is empty"},
        {TEXT("/nowhere/at/all"), FIRN_NOT_FOUND, "/nowhere/at/all"},
        {TEXT("/tmp"), FIRN_INVALID, "is a folder"},
        {TEXT("/a\0b"), FIRN_INVALID, "NUL"},
        {TEXT("file:x"), FIRN_INVALID, "no absolute path"},
        {TEXT("file://host/x"), FIRN_INVALID, "the host \"host\""},
        {TEXT("s3://bucket/x"), FIRN_UNSUPPORTED, "\"s3:\""},
    };
    io *self = open_io();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        io_file *file;
        CHECK(io_file_open(self, cases[i].path, &plain, &file, &err) == cases[i].status);
        CHECK(file == NULL && says(cases[i].words));
    }
    io_close(self);
}

TEST(io_refuses_ranges_that_are_empty_or_behind_the_end) {
    const test_folder folder = test_folder_open("bounds");
    test_folder_write(&folder, "x", "0123456789");
    io *self = open_io();
    char buffer[512];
    io_file *file;
    REQUIRE(io_file_open(self, path_in(&folder, "x", buffer), &plain, &file, &err) == FIRN_OK);
    uint8_t out[16];
    const struct {
        uint64_t offset;
        size_t size;
        firn_status at_submit;
        firn_status at_collect;
        const char *words;
    } cases[] = {
        {0, 0, FIRN_INVALID, FIRN_OK, "range 0 of 1 is empty"},
        {UINT64_MAX - 1, 16, FIRN_CORRUPT, FIRN_OK, "beyond any file"},
        {8, 3, FIRN_OK, FIRN_CORRUPT, "which ends at 10"},
        {10, 1, FIRN_OK, FIRN_CORRUPT, "which ends at 10"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        io_range range = {.offset = cases[i].offset, .size = cases[i].size, .into = out};
        io_ticket ticket;
        CHECK(io_submit(file, &range, 1, &no_request, &ticket, &err) == cases[i].at_submit);
        if (cases[i].at_submit == FIRN_OK) {
            CHECK(io_wait(&ticket, 0, &err) == cases[i].at_collect);
        }
        CHECK(says(cases[i].words));
        io_ticket_close(&ticket);
    }
    io_file_release(file);
    io_close(self);
    test_folder_close(&folder);
}

TEST(io_notices_a_file_that_changes_while_it_is_read) {
    const test_folder folder = test_folder_open("changes");
    test_folder_write(&folder, "x", "0123456789");
    io *self = open_io();
    char buffer[512];
    const text path = path_in(&folder, "x", buffer);
    io_file *file;
    REQUIRE(io_file_open(self, path, &plain, &file, &err) == FIRN_OK);
    const io_identity before = io_file_identity(file);
    CHECK(io_identity_is_exact(&before));
    uint8_t out[10];
    CHECK(io_read(file, 0, 10, NULL, out, &err) == FIRN_OK);
    CHECK(io_file_check(file, NULL, &err) == FIRN_OK);
    test_folder_write(&folder, "x", "01234567890"); // In place: one byte longer.
    CHECK(io_read(file, 0, 10, NULL, out, &err) == FIRN_IO);
    CHECK(says("changed while it was read"));
    CHECK(io_file_check(file, NULL, &err) == FIRN_IO);
    test_folder_write(&folder, "x", "0"); // Shorter: not "corrupt", but changed.
    CHECK(io_read(file, 0, 10, NULL, out, &err) == FIRN_IO);
    io_file_release(file);

    io_open_options planned = {.expected = &before};
    CHECK(io_file_open(self, path, &planned, &file, &err) == FIRN_IO);
    CHECK(says("changed since it was planned"));
    planned = (io_open_options){.has_size = true, .size = 10};
    CHECK(io_file_open(self, path, &planned, &file, &err) == FIRN_CORRUPT);
    CHECK(says("has 1 bytes, its table says 10"));
    io_close(self);
    test_folder_close(&folder);
}

TEST(io_keeps_reading_a_file_that_was_replaced_under_its_name) {
    const test_folder folder = test_folder_open("replaced");
    test_folder_write(&folder, "x", "old");
    io *self = open_io();
    char buffer[512];
    const text path = path_in(&folder, "x", buffer);
    io_file *file;
    REQUIRE(io_file_open(self, path, &plain, &file, &err) == FIRN_OK);
    const bytes content = {.data = (const uint8_t *)"newer", .size = 5};
    REQUIRE(io_put(self, path, content, &err) == FIRN_OK);
    uint8_t out[3];
    CHECK(io_read(file, 0, 3, NULL, out, &err) == FIRN_OK);
    CHECK(memcmp(out, "old", 3) == 0);
    io_file_release(file);
    io_close(self);
    test_folder_close(&folder);
}

TEST(io_shares_open_handles_of_immutable_files_and_drops_stale_ones) {
    const test_folder folder = test_folder_open("kept");
    test_folder_write(&folder, "x", "old");
    io *self = open_io();
    char buffer[512];
    const text path = path_in(&folder, "x", buffer);
    const io_open_options immutable = {.is_immutable = true};
    io_file *file;
    REQUIRE(io_file_open(self, path, &immutable, &file, &err) == FIRN_OK);
    io_file_release(file);
    host_fault_set(HOST_OPEN, 0); // Counts from here.
    io_file *again;
    REQUIRE(io_file_open(self, path, &immutable, &again, &err) == FIRN_OK);
    CHECK(again == file);
    CHECK(host_fault_count(HOST_OPEN) == 1); // Only the question whether it is current.
    io_file_release(again);

    // Somebody broke the promise, as tests do that lay their tables anew.
    const bytes content = {.data = (const uint8_t *)"new!", .size = 4};
    REQUIRE(io_put(self, path, content, &err) == FIRN_OK);
    REQUIRE(io_file_open(self, path, &immutable, &again, &err) == FIRN_OK);
    uint64_t size;
    CHECK(io_file_size(again, NULL, &size, &err) == FIRN_OK && size == 4);
    io_file_release(again);

    // Many handles: the oldest are closed, nothing leaks.
    for (int i = 0; i < 200; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "f%d", i);
        test_folder_write(&folder, name, name);
        REQUIRE(io_file_open(self, path_in(&folder, name, buffer), &immutable, &file, &err) ==
                FIRN_OK);
        io_file_release(file);
    }
    io_close(self);
    test_folder_close(&folder);
}

TEST(io_get_reads_whole_objects_up_to_a_limit) {
    const test_folder folder = test_folder_open("get");
    test_folder_write(&folder, "x", "0123456789");
    test_folder_write(&folder, "empty", "");
    io *self = open_io();
    arena memory = arena_open((size_t)1 << 20);
    char buffer[512];
    bytes out;
    REQUIRE(io_get(self, path_in(&folder, "x", buffer), 10, NULL, &memory, &out, &err) == FIRN_OK);
    CHECK(out.size == 10 && memcmp(out.data, "0123456789", 10) == 0);
    CHECK(io_get(self, path_in(&folder, "x", buffer), 9, NULL, &memory, &out, &err) ==
          FIRN_INVALID);
    CHECK(says("has 10 bytes, at most 9 bytes are allowed"));
    REQUIRE(io_get(self, path_in(&folder, "empty", buffer), 9, NULL, &memory, &out, &err) ==
            FIRN_OK);
    CHECK(out.size == 0);
    CHECK(io_get(self, path_in(&folder, "none", buffer), 9, NULL, &memory, &out, &err) ==
          FIRN_NOT_FOUND);
    arena_close(&memory);
    io_close(self);
    test_folder_close(&folder);
}

TEST(io_put_if_absent_never_replaces_and_leaves_nothing_behind) {
    const test_folder folder = test_folder_open("put");
    io *self = open_io();
    char buffer[512];
    const text path = path_in(&folder, "new/folder/v1.json", buffer);
    const bytes first = {.data = (const uint8_t *)"first", .size = 5};
    const bytes second = {.data = (const uint8_t *)"second", .size = 6};
    CHECK(io_put_if_absent(self, path, first, &err) == FIRN_OK);
    CHECK(io_put_if_absent(self, path, second, &err) == FIRN_CONFLICT);
    arena memory = arena_open((size_t)1 << 20);
    bytes out;
    REQUIRE(io_get(self, path, 100, NULL, &memory, &out, &err) == FIRN_OK);
    CHECK(out.size == 5);
    REQUIRE(io_put(self, path, second, &err) == FIRN_OK);
    REQUIRE(io_get(self, path, 100, NULL, &memory, &out, &err) == FIRN_OK);
    CHECK(out.size == 6 && memcmp(out.data, "second", 6) == 0);
    CHECK(io_remove(self, path, &err) == FIRN_OK);
    char parent[512]; // Empty, or removing it fails: no temporary file was left.
    CHECK(io_remove(self, path_in(&folder, "new/folder", parent), &err) == FIRN_OK);
    arena_close(&memory);
    io_close(self);
    test_folder_close(&folder);
}

TEST(io_writer_appears_whole_or_not_at_all) {
    const test_folder folder = test_folder_open("writer");
    io *self = open_io();
    char buffer[512];
    const text path = path_in(&folder, "x", buffer);
    const bytes part = {.data = (const uint8_t *)"abc", .size = 3};
    bool exists = true;

    io_writer *writer;
    REQUIRE(io_writer_open(self, path, true, &writer, &err) == FIRN_OK);
    CHECK(io_writer_write(writer, part, &err) == FIRN_OK);
    io_writer_close(writer); // Not finished.
    CHECK(io_exists(self, path, NULL, &exists, &err) == FIRN_OK && !exists);

    REQUIRE(io_writer_open(self, path, true, &writer, &err) == FIRN_OK);
    CHECK(io_writer_write(writer, part, &err) == FIRN_OK);
    CHECK(io_writer_write(writer, (bytes){.size = 0}, &err) == FIRN_OK);
    CHECK(io_writer_write(writer, part, &err) == FIRN_OK);
    CHECK(io_exists(self, path, NULL, &exists, &err) == FIRN_OK && !exists);
    CHECK(io_writer_finish(writer, &err) == FIRN_OK);
    io_writer_close(writer);
    CHECK(io_exists(self, path, NULL, &exists, &err) == FIRN_OK && exists);

    char other[512];
    CHECK(io_rename(self, path, path_in(&folder, "y", other), &err) == FIRN_OK);
    CHECK(io_exists(self, path, NULL, &exists, &err) == FIRN_OK && !exists);
    CHECK(io_remove(self, text_of(other), &err) == FIRN_OK);
    io_close(self);
    test_folder_close(&folder);
}

// Every system call of a put fails in turn: afterwards the old content is there or the new one.
TEST(io_syncs_together_what_was_put_for_later) {
    const test_folder folder = test_folder_open("later");
    io *self = open_io();
    char buffers[4][512];
    const text paths[] = {path_in(&folder, "a/1", buffers[0]), path_in(&folder, "b/1", buffers[1]),
                          path_in(&folder, "a/2", buffers[2]),
                          path_in(&folder, "gone", buffers[3])};
    const bytes content = {.data = (const uint8_t *)"content", .size = 7};
    host_fault_set(HOST_SYNC, 0); // Counts from here.
    for (int i = 0; i < 2; i++) {
        CHECK(io_put_later(self, paths[i], content, &err) == FIRN_OK);
    }
    io_writer *writer;
    REQUIRE(io_writer_open(self, paths[2], false, &writer, &err) == FIRN_OK);
    io_writer_sync_later(writer);
    CHECK(io_writer_write(writer, content, &err) == FIRN_OK);
    CHECK(io_writer_finish(writer, &err) == FIRN_OK);
    io_writer_close(writer);
    CHECK(host_fault_count(HOST_SYNC) == 0);
    arena memory = arena_open((size_t)1 << 20);
    bytes out;
    CHECK(io_get(self, paths[2], 100, NULL, &memory, &out, &err) == FIRN_OK && out.size == 7);

    CHECK(io_sync(self, paths, 4, NULL, &err) == FIRN_OK); // What is gone is nobody's.
    CHECK(host_fault_count(HOST_SYNC) == 3 + 3);           // Three files, each folder once.
    for (uint64_t n = 1; n <= 6; n++) {
        host_fault_set(HOST_SYNC, n);
        CHECK(io_sync(self, paths, 4, NULL, &err) == FIRN_IO);
        err = ERR_INIT;
    }
    host_fault_set(HOST_SYNC, 0);
    arena_close(&memory);
    io_close(self);
    test_folder_close(&folder);
}

TEST(io_put_survives_the_failure_of_any_call) {
    const host_call kinds[] = {HOST_OPEN, HOST_WRITE, HOST_SYNC, HOST_RENAME, HOST_ALLOC};
    const test_folder folder = test_folder_open("faults");
    char buffer[512];
    const text path = path_in(&folder, "x", buffer);
    const bytes content = {.data = (const uint8_t *)"new", .size = 3};
    for (size_t kind = 0; kind < sizeof kinds / sizeof *kinds; kind++) {
        bool is_done = false;
        for (uint64_t n = 1; !is_done && n < 20; n++) {
            test_folder_write(&folder, "x", "old!");
            io *self = open_io();
            host_fault_set(kinds[kind], n);
            is_done = io_put(self, path, content, &err) == FIRN_OK;
            const bool was_hit = host_fault_count(kinds[kind]) >= n;
            host_fault_set(kinds[kind], 0);
            CHECK(is_done || was_hit);
            arena memory = arena_open((size_t)1 << 16);
            bytes out;
            REQUIRE(io_get(self, path, 100, NULL, &memory, &out, &err) == FIRN_OK);
            CHECK(out.size == 3 || (out.size == 4 && !is_done));
            arena_close(&memory);
            io_close(self);
        }
        CHECK(is_done);
    }
    test_folder_close(&folder);
}

typedef struct listing {
    char names[1024];
    uint64_t sizes;
    uint32_t count;
} listing;

static firn_status note(void *user, const io_entry *entry, firn_error *problem) {
    (void)problem;
    listing *self = user;
    const size_t used = strlen(self->names);
    (void)snprintf(self->names + used, sizeof self->names - used, "%.*s%s ", TEXT_ARGS(entry->name),
                   entry->is_folder ? "/" : "");
    self->sizes += entry->size;
    self->count += 1;
    return FIRN_OK;
}

TEST(io_lists_folders_in_order) {
    const test_folder folder = test_folder_open("list");
    test_folder_write(&folder, "b", "22");
    test_folder_write(&folder, "a", "1");
    test_folder_write(&folder, "c/d/e", "333");
    test_folder_write(&folder, "c/a", "4444");
    io *self = open_io();
    listing flat = {.count = 0};
    const io_list_options shallow = {.is_deep = false};
    REQUIRE(io_list(self, text_of(folder.path), &shallow, note, &flat, &err) == FIRN_OK);
    CHECK(strcmp(flat.names, "a b c/ ") == 0 && flat.sizes == 3);
    listing deep = {.count = 0};
    const io_list_options all = {.is_deep = true};
    REQUIRE(io_list(self, text_of(folder.path), &all, note, &deep, &err) == FIRN_OK);
    CHECK(strcmp(deep.names, "a b c/a c/d/e ") == 0 && deep.sizes == 10);
    listing none = {.count = 0};
    CHECK(io_list(self, TEXT("/nowhere/at/all"), &all, note, &none, &err) == FIRN_NOT_FOUND);
    cancel_flag cancel = {.parent = NULL};
    cancel_raise(&cancel);
    const io_list_options stopped = {.cancel = &cancel};
    CHECK(io_list(self, text_of(folder.path), &stopped, note, &none, &err) == FIRN_CANCELLED);
    io_close(self);
    test_folder_close(&folder);
}

TEST(io_listing_ends_in_a_loop_of_links) {
    const test_folder folder = test_folder_open("loop");
    test_folder_write(&folder, "a", "1");
    char link[512];
    (void)snprintf(link, sizeof link, "%s/again", folder.path);
    REQUIRE(symlink(folder.path, link) == 0);
    io *self = open_io();
    listing deep = {.count = 0};
    const io_list_options all = {.is_deep = true};
    const firn_status status = io_list(self, text_of(folder.path), &all, note, &deep, &err);
    // Linux itself stops at 40 links in one path.
    CHECK(status == FIRN_INVALID || status == FIRN_IO || status == FIRN_OK);
    CHECK(deep.count <= 65);
    io_close(self);
    test_folder_close(&folder);
}

TEST(io_stops_when_the_query_is_cancelled) {
    const test_folder folder = test_folder_open("cancel");
    test_folder_write(&folder, "x", "0123456789");
    io *self = open_io();
    char buffer[512];
    io_file *file;
    REQUIRE(io_file_open(self, path_in(&folder, "x", buffer), &plain, &file, &err) == FIRN_OK);
    cancel_flag cancel = {.parent = NULL};
    uint8_t out[4];
    io_range range = {.offset = 0, .size = 4, .into = out};
    io_ticket ticket;
    const io_request request = {.cancel = &cancel};
    REQUIRE(io_submit(file, &range, 1, &request, &ticket, &err) == FIRN_OK);
    cancel_raise(&cancel);
    io_answer answer;
    CHECK(io_collect(&ticket, 0, &answer, &err) == FIRN_CANCELLED);
    CHECK(io_wait(&ticket, IO_ALL, &err) == FIRN_CANCELLED);
    io_ticket_close(&ticket);
    io_file_release(file);
    io_close(self);
    test_folder_close(&folder);
}
