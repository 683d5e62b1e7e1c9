#include "catalogs/hadoop_write.h"

#include <stdio.h>
#include <unistd.h>

#include "base/host.h"
#include "base/test.h"
#include "io/test_folder.h"

static firn_error err = FIRN_ERROR_INIT;

typedef struct setting {
    test_folder folder;
    io *files;
    hadoop_folder of;
} setting;

static void set_up(setting *s) {
    *s = (setting){.folder = test_folder_open("hadoop_write")};
    const io_options options = {.has_thread = false};
    REQUIRE(io_open(&options, &s->files, &err) == FIRN_OK);
    s->of =
        (hadoop_folder){.files = s->files, .root = text_of(s->folder.path), .alias = TEXT("lake")};
}

static void tear_down(setting *s) {
    io_close(s->files);
    test_folder_close(&s->folder);
}

static text db_level[] = {{.data = "db", .size = 2}};
static const namespace_path db = {.count = 1, .items = db_level};

static bool has(const setting *s, const char *name) {
    char path[512];
    host_stat found;
    firn_error ignored = ERR_INIT;
    (void)snprintf(path, sizeof path, "%s/%s", s->folder.path, name);
    return host_path_stat(path, &found, &ignored) == FIRN_OK;
}

// What a small file holds.
static const char *content_of(const setting *s, const char *name) {
    static char out[256];
    char path[512];
    host_file file;
    host_stat found;
    out[0] = '\0';
    (void)snprintf(path, sizeof path, "%s/%s", s->folder.path, name);
    if (host_open(path, HOST_MODE_READ, &file, &err) == FIRN_OK) {
        CHECK(host_file_stat(file, &found, &err) == FIRN_OK && found.size < sizeof out);
        CHECK(host_read(file, 0, (size_t)found.size, out, &err) == FIRN_OK);
        out[found.size] = '\0';
        host_close(&file);
    }
    return out;
}

static uint32_t file_number;

// Commits a file that a change has just written, whose content is `content`.
static firn_status commit_as(setting *s, uint32_t kind, const char *seen, const char *content,
                             const char *ending, commit_answer *answer) {
    static char made[600];
    static char old[600];
    char name[128];
    (void)snprintf(name, sizeof name, "db/t/metadata/%05u-99999999-0000-4000-8000-000000000000%s",
                   file_number++, ending);
    if (kind != PART_DROP) {
        test_folder_write(&s->folder, name, content);
    }
    (void)snprintf(made, sizeof made, "file://%s/%s", s->folder.path, name);
    (void)snprintf(old, sizeof old, "%s/db/t/metadata/%s", s->folder.path, seen);
    commit_part part = {.name = {.space = db, .name = TEXT("t")}, .form = COMMIT_POINTER};
    part.kind = kind;
    part.pointer.old_location = text_of(kind == PART_CREATE ? "" : old);
    part.pointer.new_location = text_of(kind == PART_DROP ? "" : made);
    return hadoop_commit(&s->of, &(commit_parts){.count = 1, .items = &part}, answer, &err);
}

#define PLAIN ".metadata.json"

TEST(hadoop_commit_numbers_versions) {
    setting s;
    set_up(&s);
    commit_answer answer;
    CHECK(hadoop_create_namespace(&s.of, db, &err) == FIRN_OK);
    CHECK(commit_as(&s, PART_CREATE, "", "one", PLAIN, &answer) == FIRN_OK);
    CHECK(answer == COMMIT_DONE);
    CHECK(strcmp(content_of(&s, "db/t/metadata/v1.metadata.json"), "one") == 0);
    CHECK(strcmp(content_of(&s, "db/t/metadata/version-hint.text"), "1") == 0);
    CHECK(commit_as(&s, PART_CREATE, "", "other", PLAIN, &answer) == FIRN_OK);
    CHECK(answer == COMMIT_CONFLICT);
    // A checksum of Java's would not fit the hint any more.
    test_folder_write(&s.folder, "db/t/metadata/.version-hint.text.crc", "crc");
    CHECK(commit_as(&s, PART_CHANGE, "v1.metadata.json", "two", PLAIN, &answer) == FIRN_OK);
    CHECK(answer == COMMIT_DONE && !has(&s, "db/t/metadata/.version-hint.text.crc"));
    CHECK(strcmp(content_of(&s, "db/t/metadata/v2.metadata.json"), "two") == 0);
    CHECK(commit_as(&s, PART_CHANGE, "v1.metadata.json", "late", PLAIN, &answer) == FIRN_OK);
    CHECK(answer == COMMIT_CONFLICT);
    // Packed, and with no hint.
    char hint[512];
    (void)snprintf(hint, sizeof hint, "%s/db/t/metadata/version-hint.text", s.folder.path);
    CHECK(host_remove(hint, &err) == FIRN_OK);
    CHECK(commit_as(&s, PART_REPLACE, "v2.metadata.json", "three", ".gz.metadata.json", &answer) ==
          FIRN_OK);
    CHECK(answer == COMMIT_DONE && has(&s, "db/t/metadata/v3.gz.metadata.json"));
    CHECK(commit_as(&s, PART_DROP, "v2.metadata.json", "", "", &answer) == FIRN_OK);
    CHECK(answer == COMMIT_CONFLICT && has(&s, "db/t"));
    CHECK(commit_as(&s, PART_DROP, "v3.gz.metadata.json", "", "", &answer) == FIRN_OK);
    CHECK(answer == COMMIT_DONE && !has(&s, "db/t"));
    CHECK(hadoop_drop_namespace(&s.of, db, &err) == FIRN_OK); // Nothing is left in it.
    tear_down(&s);
}

TEST(hadoop_commit_goes_on_from_other_names) {
    setting s;
    set_up(&s);
    commit_answer answer;
    const char *const old = "00007-11111111-0000-4000-8000-000000000000.metadata.json";
    char name[128];
    (void)snprintf(name, sizeof name, "db/t/metadata/%s", old);
    test_folder_write(&s.folder, name, "seven");
    file_number = 8;
    CHECK(commit_as(&s, PART_CHANGE, old, "eight", PLAIN, &answer) == FIRN_OK);
    CHECK(answer == COMMIT_DONE && has(&s, "db/t/metadata/v8.metadata.json"));
    // What was written and not committed is no version.
    test_folder_write(&s.folder,
                      "db/t/metadata/00009-11111111-0000-4000-8000-000000000000.metadata.json",
                      "nine");
    test_folder_write(&s.folder, "db/t/metadata/99999999-1111-4000-8000-000000000000.metadata.json",
                      "x");
    char hint[512];
    (void)snprintf(hint, sizeof hint, "%s/db/t/metadata/version-hint.text", s.folder.path);
    CHECK(host_remove(hint, &err) == FIRN_OK);
    arena memory = arena_open((size_t)1 << 20);
    loaded_table now;
    REQUIRE(hadoop_folder_load(&s.of, db, TEXT("t"), &memory, &now, NULL, &err) == FIRN_OK);
    CHECK(text_ends_with(now.metadata_location, TEXT("/v8.metadata.json")));
    arena_close(&memory);
    tear_down(&s);
}

TEST(hadoop_namespaces_are_folders) {
    setting s;
    set_up(&s);
    text levels[] = {TEXT("db"), TEXT("in")};
    const namespace_path in = {.count = 2, .items = levels};
    text away[] = {TEXT("..")};
    CHECK(hadoop_create_namespace(&s.of, in, &err) == FIRN_OK && has(&s, "db/in"));
    CHECK(hadoop_create_namespace(&s.of, in, &err) == FIRN_CONFLICT);
    CHECK(strcmp(err.sqlstate, "42P06") == 0);
    CHECK(hadoop_drop_namespace(&s.of, db, &err) == FIRN_INVALID);
    CHECK(strcmp(err.sqlstate, "2BP01") == 0);
    CHECK(hadoop_drop_namespace(&s.of, in, &err) == FIRN_OK);
    CHECK(hadoop_drop_namespace(&s.of, in, &err) == FIRN_NOT_FOUND);
    CHECK(strcmp(err.sqlstate, "3F000") == 0);
    const namespace_path wrong = {.count = 1, .items = away};
    CHECK(hadoop_create_namespace(&s.of, wrong, &err) == FIRN_INVALID);
    CHECK(hadoop_create_namespace(&s.of, (namespace_path){0}, &err) == FIRN_INVALID);
    CHECK(hadoop_drop_namespace(&s.of, (namespace_path){0}, &err) == FIRN_INVALID);
    tear_down(&s);
}

TEST(hadoop_drop_removes_the_folder_and_follows_no_link) {
    setting s;
    set_up(&s);
    commit_answer answer;
    test_folder_write(&s.folder, "kept/mine.txt", "mine");
    CHECK(hadoop_create_namespace(&s.of, db, &err) == FIRN_OK);
    CHECK(hadoop_drop_table(&s.of, (object_name){.space = db, .name = TEXT("t")}, &err) ==
          FIRN_NOT_FOUND);
    CHECK(strcmp(err.sqlstate, "42P01") == 0);
    CHECK(commit_as(&s, PART_CREATE, "", "one", PLAIN, &answer) == FIRN_OK);
    test_folder_write(&s.folder, "db/t/data/x=1/a.parquet", "data");
    char link[600];
    char to[600];
    (void)snprintf(to, sizeof to, "%s/kept", s.folder.path);
    (void)snprintf(link, sizeof link, "%s/db/t/data/link", s.folder.path);
    REQUIRE(symlink(to, link) == 0);
    CHECK(hadoop_drop_table(&s.of, (object_name){.space = db, .name = TEXT("t")}, &err) == FIRN_OK);
    CHECK(!has(&s, "db/t") && has(&s, "kept/mine.txt"));
    CHECK(hadoop_drop_namespace(&s.of, db, &err) == FIRN_OK);
    tear_down(&s);
}

TEST(hadoop_stage_knows_where_tables_lie) {
    setting s;
    set_up(&s);
    arena memory = arena_open((size_t)1 << 20);
    table_definition wanted = {.location = {.size = 0}};
    table_definition out;
    const object_name name = {.space = db, .name = TEXT("t")};
    CHECK(hadoop_stage(&s.of, name, &wanted, &memory, &out, NULL, &err) == FIRN_NOT_FOUND);
    CHECK(hadoop_create_namespace(&s.of, db, &err) == FIRN_OK);
    REQUIRE(hadoop_stage(&s.of, name, &wanted, &memory, &out, NULL, &err) == FIRN_OK);
    char path[600];
    (void)snprintf(path, sizeof path, "%s/db/t", s.folder.path);
    CHECK(text_equal(out.location, text_of(path)));
    wanted.location = text_of(path);
    CHECK(hadoop_stage(&s.of, name, &wanted, &memory, &out, NULL, &err) == FIRN_OK);
    wanted.location = TEXT("/else");
    CHECK(hadoop_stage(&s.of, name, &wanted, &memory, &out, NULL, &err) == FIRN_UNSUPPORTED);
    arena_close(&memory);
    tear_down(&s);
}

#define RACER_COUNT 4

typedef struct racer {
    setting *s;
    char made[600];
    commit_answer answer;
} racer;

static void race(void *user) {
    racer *self = user;
    firn_error said = ERR_INIT;
    commit_part part = {.name = {.space = db, .name = TEXT("t")}, .form = COMMIT_POINTER};
    part.kind = PART_CREATE;
    part.pointer.new_location = text_of(self->made);
    CHECK(hadoop_commit(&self->s->of, &(commit_parts){.count = 1, .items = &part}, &self->answer,
                        &said) == FIRN_OK);
}

TEST(hadoop_commit_lets_one_of_several_win) {
    for (int round = 0; round < 20; round++) {
        setting s;
        set_up(&s);
        racer racers[RACER_COUNT];
        host_thread *threads[RACER_COUNT];
        int done = 0;
        for (int i = 0; i < RACER_COUNT; i++) {
            char name[128]; // As Java names what is not numbered yet.
            (void)snprintf(name, sizeof name,
                           "db/t/metadata/%08d-0000-4000-8000-000000000000.metadata.json", i);
            test_folder_write(&s.folder, name, "made");
            racers[i] = (racer){.s = &s};
            (void)snprintf(racers[i].made, sizeof racers[i].made, "%s/%s", s.folder.path, name);
        }
        for (int i = 0; i < RACER_COUNT; i++) {
            REQUIRE(host_thread_start(race, &racers[i], &threads[i], &err) == FIRN_OK);
        }
        for (int i = 0; i < RACER_COUNT; i++) {
            host_thread_join(threads[i]);
            done += racers[i].answer == COMMIT_DONE ? 1 : 0;
        }
        CHECK(done == 1 && has(&s, "db/t/metadata/v1.metadata.json"));
        tear_down(&s);
    }
}

// Each call in turn fails: what is said of the commit agrees with what is there.
TEST(hadoop_commit_tells_the_truth_under_faults) {
    static const host_call kinds[] = {HOST_ALLOC, HOST_OPEN,   HOST_READ, HOST_WRITE,
                                      HOST_SYNC,  HOST_RENAME, HOST_LIST, HOST_REMOVE};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        uint64_t at = 0;
        for (uint64_t count = 1; at < count; at++) {
            setting s;
            set_up(&s);
            commit_answer answer = COMMIT_DONE;
            CHECK(hadoop_create_namespace(&s.of, db, &err) == FIRN_OK);
            CHECK(commit_as(&s, PART_CREATE, "", "one", PLAIN, &answer) == FIRN_OK);
            test_folder_write(&s.folder, "db/t/metadata/next.json", "two");
            char made[600];
            char old[600];
            (void)snprintf(made, sizeof made, "%s/db/t/metadata/next.json", s.folder.path);
            (void)snprintf(old, sizeof old, "%s/db/t/metadata/v1.metadata.json", s.folder.path);
            commit_part part = {.name = {.space = db, .name = TEXT("t")}, .form = COMMIT_POINTER};
            part.kind = PART_CHANGE;
            part.pointer.old_location = text_of(old);
            part.pointer.new_location = text_of(made);
            host_fault_set(kinds[i], at);
            const firn_status status =
                hadoop_commit(&s.of, &(commit_parts){.count = 1, .items = &part}, &answer, &err);
            count = at == 0 ? host_fault_count(kinds[i]) + 1 : count;
            host_fault_set(kinds[i], 0);
            const bool is_new = has(&s, "db/t/metadata/v2.metadata.json");
            CHECK(at > 0 || (status == FIRN_OK && answer == COMMIT_DONE));
            CHECK(status == FIRN_OK ? answer == COMMIT_UNKNOWN || (answer == COMMIT_DONE) == is_new
                                    : !is_new);
            CHECK(!is_new || strcmp(content_of(&s, "db/t/metadata/v2.metadata.json"), "two") == 0);
            tear_down(&s);
        }
    }
}

static void path_in(const setting *s, const char *name, char out[512]) {
    (void)snprintf(out, 512, "%s/%s", s->folder.path, name);
}

TEST(hadoop_names_are_given_once) {
    setting s;
    set_up(&s);
    char one[512];
    char other[512];
    char name[512];
    commit_answer answer;
    test_folder_write(&s.folder, "one", "1");
    test_folder_write(&s.folder, "other", "2");
    path_in(&s, "one", one);
    path_in(&s, "other", other);
    path_in(&s, "name", name);
    CHECK(hadoop_give_name(one, name, &answer, &err) == FIRN_OK && answer == COMMIT_DONE);
    // Asked again, as a system of files on a network may: it is ours.
    CHECK(hadoop_give_name(one, name, &answer, &err) == FIRN_OK && answer == COMMIT_DONE);
    CHECK(hadoop_give_name(other, name, &answer, &err) == FIRN_OK && answer == COMMIT_CONFLICT);
    // Something is called so, and nobody can say what.
    CHECK(host_remove(one, &err) == FIRN_OK);
    CHECK(hadoop_give_name(one, name, &answer, &err) == FIRN_OK && answer == COMMIT_UNKNOWN);
    CHECK(host_remove(name, &err) == FIRN_OK);
    CHECK(hadoop_give_name(one, name, &answer, &err) == FIRN_NOT_FOUND);
    // Taken, and no longer.
    REQUIRE(symlink("nothing", name) == 0);
    CHECK(hadoop_give_name(other, name, &answer, &err) == FIRN_OK && answer == COMMIT_UNKNOWN);
    CHECK(host_remove(name, &err) == FIRN_OK);
    // Given, and not on disk for certain; then nothing at all.
    host_fault_set(HOST_SYNC, 1);
    CHECK(hadoop_give_name(other, name, &answer, &err) == FIRN_OK && answer == COMMIT_UNKNOWN);
    host_fault_set(HOST_SYNC, 0);
    CHECK(host_remove(name, &err) == FIRN_OK);
    host_fault_set(HOST_RENAME, 1);
    CHECK(hadoop_give_name(other, name, &answer, &err) == FIRN_IO && !has(&s, "name"));
    host_fault_set(HOST_RENAME, 0);
    tear_down(&s);
}

TEST(hadoop_tables_are_not_made_over_schemas) {
    setting s;
    set_up(&s);
    arena memory = arena_open((size_t)1 << 20);
    const object_name name = {.space = db, .name = TEXT("t")};
    const table_definition wanted = {.location = {.size = 0}};
    table_definition out;
    commit_answer answer;
    test_folder_write(&s.folder, "db/t/in/deep/metadata/v1.metadata.json", "of another");
    CHECK(hadoop_stage(&s.of, name, &wanted, &memory, &out, NULL, &err) == FIRN_CONFLICT);
    CHECK(strcmp(err.sqlstate, "42P07") == 0);
    CHECK(commit_as(&s, PART_CREATE, "", "one", PLAIN, &answer) == FIRN_CONFLICT);
    CHECK(strcmp(err.sqlstate, "42P07") == 0 && answer != COMMIT_UNKNOWN);
    CHECK(!has(&s, "db/t/metadata/v1.metadata.json"));
    // Whose commit fails removes what it wrote. What a dropped table left is no schema.
    char path[512];
    char hidden[512];
    path_in(&s, "db/t/metadata", path);
    CHECK(test_folder_empty(path, &err) == FIRN_OK);
    path_in(&s, "db/t/in", path);
    path_in(&s, "db/t/.dropped-0123456789abcdef", hidden);
    CHECK(host_rename(path, hidden, &err) == FIRN_OK);
    test_folder_write(&s.folder, "db/t/data/x=1/a.parquet", "data");
    CHECK(hadoop_stage(&s.of, name, &wanted, &memory, &out, NULL, &err) == FIRN_OK);
    CHECK(commit_as(&s, PART_CREATE, "", "one", PLAIN, &answer) == FIRN_OK);
    CHECK(answer == COMMIT_DONE);
    arena_close(&memory);
    tear_down(&s);
}

TEST(hadoop_schemas_do_not_lie_in_tables) {
    setting s;
    set_up(&s);
    arena memory = arena_open((size_t)1 << 20);
    text levels[] = {TEXT("db"), TEXT("t"), TEXT("data")};
    const namespace_path in = {.count = 3, .items = levels};
    const table_definition wanted = {.location = {.size = 0}};
    table_definition out;
    test_folder_write(&s.folder, "db/t/metadata/v1.metadata.json", "one");
    CHECK(hadoop_create_namespace(&s.of, in, &err) == FIRN_INVALID && !has(&s, "db/t/data"));
    CHECK(strcmp(err.sqlstate, "42809") == 0);
    test_folder_write(&s.folder, "db/t/data/a.parquet", "data");
    const object_name name = {.space = in, .name = TEXT("u")};
    CHECK(hadoop_stage(&s.of, name, &wanted, &memory, &out, NULL, &err) == FIRN_NOT_FOUND);
    CHECK(strcmp(err.sqlstate, "3F000") == 0);
    arena_close(&memory);
    tear_down(&s);
}

TEST(hadoop_drop_goes_on_when_the_folder_is_gone) {
    setting s;
    set_up(&s);
    const object_name name = {.space = db, .name = TEXT("t")};
    test_folder_write(&s.folder, "db/t/metadata/v1.metadata.json", "one");
    host_fault_set(HOST_SYNC, 1);
    CHECK(hadoop_drop_table(&s.of, name, &err) == FIRN_OK && !has(&s, "db/t"));
    host_fault_set(HOST_SYNC, 0);
    // The folder has a longer name than 229 bytes, as long as there are.
    char longest[256];
    char file[300];
    memset(longest, 'n', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    (void)snprintf(file, sizeof file, "db/%s/metadata/v1.metadata.json", longest);
    test_folder_write(&s.folder, file, "one");
    const object_name of_longest = {.space = db, .name = text_of(longest)};
    CHECK(hadoop_drop_table(&s.of, of_longest, &err) == FIRN_OK);
    // Some of it stays when removing fails, and goes with the schema.
    test_folder_write(&s.folder, "db/t/metadata/v1.metadata.json", "one");
    host_fault_set(HOST_REMOVE, 2);
    CHECK(hadoop_drop_table(&s.of, name, &err) == FIRN_OK && !has(&s, "db/t"));
    host_fault_set(HOST_REMOVE, 0);
    test_folder_write(&s.folder, "db/.dropped-0123456789abcdef/data/a.parquet", "data");
    test_folder_write(&s.folder, "db/.dropped-by-hand/a", "mine");
    CHECK(hadoop_drop_namespace(&s.of, db, &err) == FIRN_INVALID);
    CHECK(has(&s, "db/.dropped-by-hand/a") && !has(&s, "db/.dropped-0123456789abcdef"));
    char path[512];
    path_in(&s, "db/.dropped-by-hand/a", path);
    CHECK(host_remove(path, &err) == FIRN_OK);
    path_in(&s, "db/.dropped-by-hand", path);
    CHECK(host_remove(path, &err) == FIRN_OK);
    CHECK(hadoop_drop_namespace(&s.of, db, &err) == FIRN_OK && !has(&s, "db"));
    tear_down(&s);
}
