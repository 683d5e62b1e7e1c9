#include "io/glob.h"

#include <unistd.h>

#include "io/test_folder.h"

static firn_error err = FIRN_ERROR_INIT;

TEST(glob_matches_as_a_shell_does) {
    const struct {
        text pattern;
        text path;
        bool is_match;
    } cases[] = {
        {TEXT("*.parquet"), TEXT("a.parquet"), true},
        {TEXT("*.parquet"), TEXT(".a.parquet"), false},
        {TEXT(".*"), TEXT(".a"), true},
        {TEXT("*"), TEXT("a/b"), false},
        {TEXT("a*b*c"), TEXT("axxbyyc"), true},
        {TEXT("a*b*c"), TEXT("axxbyyd"), false},
        {TEXT("*a*a*a*a*a*a*a*a*b"), TEXT("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), false},
        {TEXT("a?c"), TEXT("abc"), true},
        {TEXT("a?c"),
         TEXT("a\xc3\xa4"
              "c"),
         true}, // One character, two bytes.
        {TEXT("a?c"), TEXT("ac"), false},
        {TEXT("[abc]"), TEXT("b"), true},
        {TEXT("[a-c]x"), TEXT("dx"), false},
        {TEXT("[!a-c]x"), TEXT("dx"), true},
        {TEXT("[^a]"), TEXT("a"), false},
        {TEXT("[]]"), TEXT("]"), true},
        {TEXT("[a-]"), TEXT("-"), true},
        {TEXT("[*]"), TEXT("*"), true},
        {TEXT("[*]"), TEXT("a"), false},
        {TEXT("{a,b}.x"), TEXT("b.x"), true},
        {TEXT("{a,b}.x"), TEXT("c.x"), false},
        {TEXT("{a,{b,c}d}"), TEXT("cd"), true},
        {TEXT("{a,}x"), TEXT("x"), true},
        {TEXT("[{]"), TEXT("{"), true},
        {TEXT("**/x"), TEXT("x"), true},
        {TEXT("**/x"), TEXT("a/b/x"), true},
        {TEXT("**/x"), TEXT("a/.b/x"), false},
        {TEXT("a/**/b/*.x"), TEXT("a/q/b/r/b/1.x"), true},
        {TEXT("a/**/b/*.x"), TEXT("a/q/c/1.x"), false},
        {TEXT("a/**"), TEXT("a/b/c"), true},
        {TEXT("a/**"), TEXT("b/c"), false},
        {TEXT("a/**/**/b"), TEXT("a/b"), true},
        {TEXT("a/b"), TEXT("a/b"), true},
        {TEXT("a/b"), TEXT("a/b/c"), false},
        {TEXT(""), TEXT(""), true},
        {TEXT(""), TEXT("a"), false},
    };
    arena memory = arena_open((size_t)1 << 20);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bool is_match;
        REQUIRE(glob_match(cases[i].pattern, cases[i].path, &memory, &is_match, &err) == FIRN_OK);
        if (is_match != cases[i].is_match) {
            (void)fprintf(stderr, "%s %s\n", cases[i].pattern.data, cases[i].path.data);
        }
        CHECK(is_match == cases[i].is_match);
    }
    arena_close(&memory);
}

TEST(glob_refuses_patterns_that_are_not_closed_or_too_many) {
    const struct {
        text pattern;
        const char *words;
    } cases[] = {
        {TEXT("a[b"), "the '[' at byte 1"},
        {TEXT("a[/]"), "the '[' at byte 1"},
        {TEXT("ab{c,d"), "the '{' at byte 2"},
        {TEXT("{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}"), "more than 1024"},
        {TEXT("{a}{a}{a}{a}{a}{a}{a}{a}{a}{a}{a}{a}{a}{a}{a}{a}{a}"), "more than 16 braces"},
    };
    arena memory = arena_open((size_t)1 << 22);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bool is_match;
        CHECK(glob_match(cases[i].pattern, TEXT("x"), &memory, &is_match, &err) == FIRN_INVALID);
        CHECK(strstr(err.text, cases[i].words) != NULL);
    }
    arena_close(&memory);
}

// Writes the matches without the folder in front, a blank between.
static const char *find(io *owner, const test_folder *folder, const char *prefix,
                        const char *pattern) {
    static char found[1024];
    char whole[512];
    (void)snprintf(whole, sizeof whole, "%s%s/%s", prefix, folder->path, pattern);
    arena memory = arena_open((size_t)1 << 20);
    io_paths paths;
    found[0] = '\0';
    if (io_glob(owner, text_of(whole), NULL, &memory, &paths, &err) != FIRN_OK) {
        arena_close(&memory);
        return err.text;
    }
    const size_t skipped = strlen(prefix) + strlen(folder->path) + 1;
    for (uint32_t i = 0; i < paths.count; i++) {
        const size_t used = strlen(found);
        const text name = text_slice(paths.items[i], skipped, paths.items[i].size);
        (void)snprintf(found + used, sizeof found - used, "%.*s ", TEXT_ARGS(name));
    }
    arena_close(&memory);
    return found;
}

TEST(glob_finds_files_in_order_and_once) {
    const test_folder folder = test_folder_open("glob");
    const char *names[] = {"y=2024/m=1/a.parquet", "y=2024/m=2/b.parquet", "y=2025/m=1/c.parquet",
                           "y=2025/note.txt",      "top.parquet",          ".hidden/d.parquet",
                           ".x.parquet",           "odd[1].parquet"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        test_folder_write(&folder, names[i], "x");
    }
    io *self;
    REQUIRE(io_open(&(io_options){.has_thread = false}, &self, &err) == FIRN_OK);
    const struct {
        const char *pattern;
        const char *found;
    } cases[] = {
        {"*.parquet", "odd[1].parquet top.parquet "},
        {"*/*/*.parquet", "y=2024/m=1/a.parquet y=2024/m=2/b.parquet y=2025/m=1/c.parquet "},
        {"y=2024/*/*", "y=2024/m=1/a.parquet y=2024/m=2/b.parquet "},
        {"**/*.parquet", "odd[1].parquet top.parquet y=2024/m=1/a.parquet y=2024/m=2/b.parquet "
                         "y=2025/m=1/c.parquet "},
        {"**/m=1/*", "y=2024/m=1/a.parquet y=2025/m=1/c.parquet "},
        {"y=2025/**", "y=2025/m=1/c.parquet y=2025/note.txt "},
        {"y=202[5-9]/*.txt", "y=2025/note.txt "},
        {"{top,top,none}.parquet", "top.parquet "},
        {"{y=2024/m=1,y=2025/m=1}/?.parquet", "y=2024/m=1/a.parquet y=2025/m=1/c.parquet "},
        {"odd[1].parquet", "odd[1].parquet "}, // It exists as it is written.
        {".hidden/*", ".hidden/d.parquet "},
        {"none/*", ""},
        {"y=2024/*", ""}, // Folders are no files.
        {"no/such/file", "no/such/file "},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *found = find(self, &folder, "", cases[i].pattern);
        if (strcmp(found, cases[i].found) != 0) {
            (void)fprintf(stderr, "%s: %s\n", cases[i].pattern, found);
        }
        CHECK(strcmp(found, cases[i].found) == 0);
        CHECK(strcmp(find(self, &folder, "file://", cases[i].pattern), cases[i].found) == 0);
    }
    io_close(self);
    test_folder_close(&folder);
}

TEST(glob_goes_through_no_link_but_those_that_are_named) {
    const test_folder folder = test_folder_open("glob_link");
    test_folder_write(&folder, "a/x.parquet", "x");
    char up[512];
    char beside[512];
    char target[512];
    (void)snprintf(up, sizeof up, "%s/a/up", folder.path);
    (void)snprintf(beside, sizeof beside, "%s/b", folder.path);
    (void)snprintf(target, sizeof target, "%s/a", folder.path);
    REQUIRE(symlink(folder.path, up) == 0 && symlink(target, beside) == 0);
    io *self;
    REQUIRE(io_open(&(io_options){.has_thread = false}, &self, &err) == FIRN_OK);
    CHECK(strcmp(find(self, &folder, "", "**/*.parquet"), "a/x.parquet ") == 0);
    CHECK(strcmp(find(self, &folder, "", "**"), "a/x.parquet ") == 0);
    CHECK(strcmp(find(self, &folder, "", "b/**"), "b/x.parquet ") == 0);
    CHECK(strcmp(find(self, &folder, "", "*/*.parquet"), "a/x.parquet b/x.parquet ") == 0);
    io_close(self);
    CHECK(unlink(up) == 0 && unlink(beside) == 0);
    test_folder_close(&folder);
}
