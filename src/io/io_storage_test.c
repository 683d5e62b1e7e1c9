// What is known of storages, and of which path it is.
#include "io/io_storage.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/host.h"
#include "base/test.h"

static firn_error err = FIRN_ERROR_INIT;

typedef struct place {
    io *files;
    arena memory;
} place;

static place place_open(void) {
    place self = {.memory = arena_open((size_t)1 << 20)};
    CHECK(io_open(&(io_options){.has_thread = false}, &self.files, &err) == FIRN_OK);
    return self;
}

static void place_close(place *self) {
    io_close(self->files);
    arena_close(&self->memory);
}

// What is known of a path as one text, "key=value;…"; "" if that is nothing.
static const char *known(place *self, const char *path) {
    static char out[4096];
    io_storage_found found;
    size_t size = 0;
    out[0] = '\0';
    CHECK(io_storage_find(self->files, text_of(path), &self->memory, &found, &err) == FIRN_OK);
    CHECK((found.version == 0) == (found.properties.count == 0));
    for (uint32_t i = 0; i < found.properties.count; i++) {
        const io_property *each = &found.properties.items[i];
        size += (size_t)snprintf(out + size, sizeof out - size, "%.*s=%.*s;", TEXT_ARGS(each->key),
                                 TEXT_ARGS(each->value));
    }
    return out;
}

static void say(place *self, const void *owner, const char *name, const char *root,
                const char *value) {
    const text roots[] = {text_of(root)};
    io_property items[] = {{TEXT("s3.region"), text_of(value)}};
    const io_storage said = {.owner = owner,
                             .name = text_of(name),
                             .root_count = root[0] == '\0' ? 0 : 1,
                             .roots = roots,
                             .properties = {.count = value[0] == '\0' ? 0 : 1, .items = items}};
    CHECK(io_storage_set(self->files, &said, &err) == FIRN_OK);
}

TEST(io_storage_is_of_the_longest_root_and_the_newest) {
    place p = place_open();
    const int mine = 0;
    const int theirs = 0;
    CHECK(strcmp(known(&p, "s3://w/t/a"), "") == 0);
    say(&p, &mine, "t", "s3://w/t/", "one");
    say(&p, &mine, "t2", "s3://w/t/in", "two");
    CHECK(strcmp(known(&p, "s3://w/t/a"), "s3.region=one;") == 0);
    CHECK(strcmp(known(&p, "s3://w/t"), "s3.region=one;") == 0);
    CHECK(strcmp(known(&p, "s3://w/t/in/a"), "s3.region=two;") == 0);
    CHECK(strcmp(known(&p, "s3://w/t/inner"), "s3.region=one;") == 0);
    CHECK(strcmp(known(&p, "s3://w/t2/a"), "") == 0); // Another folder.
    CHECK(strcmp(known(&p, "s3a://w/t/a"), "") == 0);
    say(&p, &theirs, "t", "s3://w/t", "three");
    CHECK(strcmp(known(&p, "s3://w/t/a"), "s3.region=three;") == 0);
    say(&p, &mine, "t", "s3://w/t", "four"); // Loaded again.
    CHECK(strcmp(known(&p, "s3://w/t/a"), "s3.region=four;") == 0);
    CHECK(io_storage_knows(p.files, &mine, TEXT("t")));
    io_storage_drop(p.files, &mine);
    CHECK(!io_storage_knows(p.files, &mine, TEXT("t")));
    CHECK(strcmp(known(&p, "s3://w/t/in/a"), "s3.region=three;") == 0);
    say(&p, &theirs, "t", "s3://w/t", ""); // Nothing any more.
    CHECK(strcmp(known(&p, "s3://w/t/a"), "") == 0);
    place_close(&p);
}

TEST(io_storage_has_no_roots_that_mean_everything) {
    static const char *const roots[] = {"", "/", "s3://", "s3:///", "s3", "file:///"};
    place p = place_open();
    for (size_t i = 0; i < sizeof roots / sizeof *roots; i++) {
        say(&p, &p, roots[i], roots[i], "x");
    }
    CHECK(strcmp(known(&p, "s3://w/t/a"), "") == 0 && strcmp(known(&p, "/tmp/a"), "") == 0);
    say(&p, &p, "local", "/tmp", "x");
    CHECK(strcmp(known(&p, "/tmp/a"), "s3.region=x;") == 0);
    place_close(&p);
}

TEST(io_storage_takes_the_credential_of_the_longest_prefix) {
    place p = place_open();
    const text roots[] = {TEXT("s3://w/t"), TEXT("s3://other/t")};
    io_property table[] = {{TEXT("s3.region"), TEXT("r1")},
                           {TEXT("s3.access-key-id"), TEXT("k1")},
                           {TEXT("s3.region"), TEXT("r2")}};
    io_property any[] = {{TEXT("s3.access-key-id"), TEXT("any")}};
    io_property bucket[] = {{TEXT("s3.access-key-id"), TEXT("bucket")}};
    io_property data[] = {{TEXT("s3.access-key-id"), TEXT("data")},
                          {TEXT("s3.session-token"), TEXT("tok")}};
    io_property far[] = {{TEXT("s3.access-key-id"), TEXT("far")}};
    const io_credential credentials[] = {{TEXT("s3://w/t/da"), {2, data}},
                                         {TEXT("s3://w"), {1, bucket}},
                                         {TEXT("s3"), {1, any}},
                                         {TEXT("s3://far/x/"), {1, far}}};
    const io_storage said = {.owner = &p,
                             .name = TEXT("t"),
                             .root_count = 2,
                             .roots = roots,
                             .properties = {3, table},
                             .credential_count = 4,
                             .credentials = credentials};
    REQUIRE(io_storage_set(p.files, &said, &err) == FIRN_OK);
    CHECK(strcmp(known(&p, "s3://w/t/data/f"),
                 "s3.region=r2;s3.access-key-id=data;s3.session-token=tok;") == 0);
    CHECK(strcmp(known(&p, "s3://w/t/m/f"), "s3.region=r2;s3.access-key-id=bucket;") == 0);
    CHECK(strcmp(known(&p, "s3://other/t/f"), "s3.region=r2;s3.access-key-id=any;") == 0);
    // Below no root, but a credential names the place; one of all places is of the table only.
    CHECK(strcmp(known(&p, "s3://far/x/f"), "s3.region=r2;s3.access-key-id=far;") == 0);
    CHECK(strcmp(known(&p, "s3://w/elsewhere"), "s3.region=r2;s3.access-key-id=bucket;") == 0);
    CHECK(strcmp(known(&p, "s3://nowhere/f"), "") == 0);
    place_close(&p);
}

TEST(io_storage_is_bounded) {
    place p = place_open();
    char name[32];
    char root[32];
    for (int i = 0; i <= IO_STORAGE_COUNT; i++) {
        (void)snprintf(name, sizeof name, "t%d", i);
        (void)snprintf(root, sizeof root, "s3://w/t%d", i);
        say(&p, &p, name, root, "x");
        CHECK(strcmp(known(&p, "s3://w/t0/a"), "s3.region=x;") == 0); // And used again.
    }
    CHECK(!io_storage_knows(p.files, &p, TEXT("t1")) && io_storage_knows(p.files, &p, TEXT("t2")));
    static char large[IO_STORAGE_BYTES_MAX + 1];
    memset(large, 'x', sizeof large);
    io_property items[] = {{TEXT("s3.x"), {.data = large, .size = sizeof large}}};
    const text roots[] = {TEXT("s3://w/t2")};
    io_storage said = {
        .owner = &p, .name = TEXT("t2"), .root_count = 1, .roots = roots, .properties = {1, items}};
    CHECK(io_storage_set(p.files, &said, &err) == FIRN_INVALID);
    CHECK(strstr(err.text, "xxxx") == NULL);
    CHECK(!io_storage_knows(p.files, &p, TEXT("t2")));
    io_property *many = calloc(IO_STORAGE_PROPERTY_COUNT_MAX + 1, sizeof *many);
    REQUIRE(many != NULL);
    said.properties = (io_properties){IO_STORAGE_PROPERTY_COUNT_MAX + 1, many};
    CHECK(io_storage_set(p.files, &said, &err) == FIRN_INVALID);
    free(many);
    place_close(&p);
}

TEST(io_storage_without_memory_keeps_nothing_half) {
    place p = place_open();
    const text roots[] = {TEXT("s3://w/t")};
    io_property items[] = {{TEXT("s3.region"), TEXT("r")}};
    const io_storage said = {
        .owner = &p, .name = TEXT("t"), .root_count = 1, .roots = roots, .properties = {1, items}};
    firn_status status = FIRN_NO_MEMORY;
    for (uint64_t at = 1; status != FIRN_OK; at++) {
        REQUIRE(at < 100);
        host_fault_set(HOST_ALLOC, at);
        status = io_storage_set(p.files, &said, &err);
        host_fault_set(HOST_ALLOC, 0);
        CHECK(status == FIRN_OK || status == FIRN_NO_MEMORY);
        CHECK(io_storage_knows(p.files, &p, TEXT("t")) == (status == FIRN_OK));
    }
    place_close(&p);
}

TEST(io_storage_knows_its_keys_and_secrets) {
    CHECK(io_property_is_storage(TEXT("s3.region")) && io_property_is_storage(TEXT("io-impl")));
    CHECK(!io_property_is_storage(TEXT("token")) && !io_property_is_storage(TEXT("header.X")));
    CHECK(io_property_is_secret(TEXT("s3.secret-access-key")));
    CHECK(io_property_is_secret(TEXT("s3.session-token")));
    CHECK(io_property_is_secret(TEXT("adls.sas-token.account.dfs.core.windows.net")));
    CHECK(!io_property_is_secret(TEXT("s3.session-token-expires-at-ms")));
    CHECK(!io_property_is_secret(TEXT("s3.region")));
}
