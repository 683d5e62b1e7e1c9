// Alterations of tables: what they come to, what is refused, and what becomes of them when others
// alter the table first.
#include "tables/iceberg/iceberg_change_private.h"
#include "tables/iceberg/iceberg_change_testing.h"

typedef struct altering {
    ice_scene scene;
    table_change *change;
} altering;

static text_list path_of(text *parts, uint32_t count) {
    return (text_list){.count = count, .items = parts};
}

// A table (id BIGINT, part INTEGER, s STRUCT(x INTEGER, l DECIMAL(9,2)[]), name VARCHAR) …
static void create(altering *self, const char *by, const char *version, bool has_rows) {
    ice_scene *s = &self->scene;
    static const field inner[] = {
        {.name = {.data = "x", .size = 1}, .type = TYPE_OF(INTEGER), .is_nullable = true},
        {.name = {.data = "y", .size = 1}, .type = TYPE_OF(REAL), .is_nullable = true},
    };
    const field element = {
        .name = TEXT("element"), .type = type_decimal(&s->memory, 9, 2), .is_nullable = true};
    const type list = {.id = TYPE_LIST, .child_count = 1, .children = &element};
    const type inside = {.id = TYPE_STRUCT, .child_count = 2, .children = inner};
    const field fields[] = {
        {.name = TEXT("id"), .type = TYPE_OF(BIGINT), .is_nullable = true},
        {.name = TEXT("part"), .type = TYPE_OF(INTEGER), .is_nullable = true},
        {.name = TEXT("s"), .type = &inside, .is_nullable = true},
        {.name = TEXT("l"), .type = &list, .is_nullable = true},
        {.name = TEXT("name"), .type = TYPE_OF(VARCHAR), .is_nullable = false},
    };
    static const column_note notes[5] = {{.comment = {.data = "key", .size = 3}}};
    const firn_option properties[] = {{"format-version", version}};
    text part = TEXT("part");
    const partition_field partition = {.path = path_of(&part, 1), .transform = TEXT("bucket[4]")};
    const table_definition definition = {.columns = {.count = 5, .fields = fields},
                                         .notes = notes,
                                         .comment = TEXT("a table"),
                                         .location = text_of(s->folder.path),
                                         .partition_count = by == NULL ? 0 : 1,
                                         .partitions = &partition,
                                         .property_count = 1,
                                         .properties = properties};
    REQUIRE(ice_scene_is_ok(
        s, ice_table_changes.open(s->owner, &s->env, NULL, &definition, &self->change, &s->err)));
    if (has_rows) {
        REQUIRE(ice_scene_is_ok(s, ice_scene_append(s, self->change, 1, 10, &s->err)));
    }
    REQUIRE(ice_scene_is_ok(s, ice_scene_commit(s, self->change, &s->err)));
    REQUIRE(ice_scene_is_ok(s, ice_scene_change(s, &self->change, &s->err)));
}

static void open_at(altering *self, const char *by, const char *version, bool has_rows) {
    *self = (altering){.change = NULL};
    ice_scene_open(&self->scene, "ice_alter", COMMIT_UPDATES);
    create(self, by, version, has_rows);
}

static void close_at(altering *self) {
    if (self->change != NULL) {
        ice_table_changes.close(self->change);
    }
    ice_scene_close(&self->scene);
}

static firn_status alter(altering *self, const alteration *wanted) {
    self->scene.err = ERR_INIT;
    return ice_table_changes.alter(self->change, wanted, 1, &self->scene.err);
}

static bool is_done(altering *self, const alteration *wanted) {
    return ice_scene_is_ok(&self->scene, alter(self, wanted));
}

static bool is_refused(altering *self, const alteration *wanted, const char *state) {
    const firn_status status = alter(self, wanted);
    const bool is_so = status != FIRN_OK && strcmp(self->scene.err.sqlstate, state) == 0;
    if (!is_so) {
        (void)fprintf(stderr, "%d %s\n", (int)status, self->scene.err.text);
    }
    return is_so;
}

// The columns as the next statement sees them, and their ids.
static bool shows(altering *self, const char *wanted) {
    ice_scene *s = &self->scene;
    table_snapshot *seen;
    if (!ice_scene_is_ok(s, ice_table_changes.see(self->change, &seen, &s->err))) {
        return false;
    }
    text_builder out = text_builder_open(&s->memory);
    for (uint32_t i = 0; i < seen->columns.count; i++) {
        const field *each = &seen->columns.fields[i];
        text_append_format(&out, "%s%d %.*s %.*s%s", i == 0 ? "" : ", ", each->id,
                           TEXT_ARGS(each->name), TEXT_ARGS(type_text(each->type, &s->memory)),
                           each->is_nullable ? "" : " NOT NULL");
        if (seen->notes != NULL && seen->notes[i].comment.size > 0) {
            text_append_format(&out, " '%.*s'", TEXT_ARGS(seen->notes[i].comment));
        }
    }
    table_snapshot_release(seen);
    const text all = {.data = out.data, .size = out.size};
    if (!text_equal(all, text_of(wanted))) {
        (void)fprintf(stderr, "%.*s\n", TEXT_ARGS(all));
    }
    return text_equal(all, text_of(wanted));
}

static void commit(altering *self) {
    ice_scene *s = &self->scene;
    REQUIRE(ice_scene_is_ok(s, ice_scene_commit(s, self->change, &s->err)));
    self->change = NULL;
    REQUIRE(ice_scene_is_ok(s, ice_scene_change(s, &self->change, &s->err)));
}

// A member of the committed metadata as JSON.
static bool says(altering *self, const char *key, const char *wanted) {
    ice_scene *s = &self->scene;
    const json_node *root;
    text is;
    CHECK(ice_scene_root(s, &root, &s->err) == FIRN_OK);
    text_builder out = text_builder_open(&s->memory);
    json_writer json = json_writer_into(&out, 0);
    json_write_node(&json, json_find(root, key));
    json_writer_finish(&json);
    CHECK(text_builder_finish(&out, &is, &s->err) == FIRN_OK);
    if (!text_equal(is, text_of(wanted))) {
        (void)fprintf(stderr, "%s: %.*s\n", key, TEXT_ARGS(is));
    }
    return text_equal(is, text_of(wanted));
}

#define WHOLE                                                                                      \
    "1 id BIGINT 'key', 2 part INTEGER, 3 s STRUCT(x INTEGER, y REAL), 4 l DECIMAL(9,2)[], "       \
    "5 name VARCHAR NOT NULL"

static void refuse_columns(altering *a) {
    text id[] = {TEXT("ID")};
    text part[] = {TEXT("part")}; // Nothing is said of its NULLs.
    text name[] = {TEXT("name")};
    text element[] = {TEXT("l"), TEXT("element")};
    text none[] = {TEXT("nmae")};
    const struct {
        alteration what;
        const char *state;
    } refused[] = {
        {{.kind = ALTER_DROP_COLUMN, .path = path_of(none, 1)}, "42703"},
        {{.kind = ALTER_RENAME_COLUMN, .path = path_of(name, 1), .name = TEXT("ID")}, "42701"},
        {{.kind = ALTER_COLUMN_TYPE, .path = path_of(id, 1), .type = TYPE_OF(INTEGER)}, "42804"},
        {{.kind = ALTER_COLUMN_TYPE, .path = path_of(id, 1), .type = TYPE_OF(VARCHAR)}, "42804"},
        {{.kind = ALTER_COLUMN_NULLABLE, .path = path_of(part, 1), .is_nullable = false}, "23502"},
        {{.kind = ALTER_ADD_COLUMN,
          .path = path_of(id, 1),
          .type = TYPE_OF(INTEGER),
          .is_nullable = true},
         "42701"},
        {{.kind = ALTER_ADD_COLUMN, .path = path_of(none, 1), .type = TYPE_OF(INTEGER)}, "0A000"},
        {{.kind = ALTER_RENAME_COLUMN, .path = path_of(element, 2), .name = TEXT("e")}, "0A000"},
        {{.kind = ALTER_COLUMN_PLACE,
          .path = path_of(id, 1),
          .place = {.kind = PLACE_AFTER, .beside = TEXT("nobody")}},
         "42703"},
    };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        CHECK(is_refused(a, &refused[i].what, refused[i].state));
    }
}

TEST(ice_alter_columns_by_id) {
    altering a;
    text part[] = {TEXT("part")};
    text name[] = {TEXT("name")};
    text made[] = {TEXT("made")};
    text x[] = {TEXT("s"), TEXT("x")};
    text y[] = {TEXT("s"), TEXT("y")};
    text z[] = {TEXT("s"), TEXT("z")};
    text element[] = {TEXT("l"), TEXT("element")};
    text none[] = {TEXT("nmae")};
    open_at(&a, NULL, "2", true);
    CHECK(shows(&a, WHOLE));
    const alteration done[] = {
        {.kind = ALTER_ADD_COLUMN,
         .path = path_of(made, 1),
         .type = TYPE_OF(SMALLINT),
         .is_nullable = true,
         .comment = TEXT("new"),
         .place = {.kind = PLACE_AFTER, .beside = TEXT("id")}},
        {.kind = ALTER_ADD_COLUMN,
         .path = path_of(z, 2),
         .type = TYPE_OF(DATE),
         .is_nullable = true,
         .place = {.kind = PLACE_FIRST}},
        {.kind = ALTER_RENAME_COLUMN, .path = path_of(part, 1), .name = TEXT("Part")},
        {.kind = ALTER_COLUMN_TYPE, .path = path_of(part, 1), .type = TYPE_OF(BIGINT)},
        {.kind = ALTER_COLUMN_TYPE, .path = path_of(y, 2), .type = TYPE_OF(DOUBLE)},
        {.kind = ALTER_COLUMN_TYPE,
         .path = path_of(element, 2),
         .type = type_decimal(&a.scene.memory, 18, 2)},
        {.kind = ALTER_COLUMN_NULLABLE, .path = path_of(name, 1), .is_nullable = true},
        {.kind = ALTER_COLUMN_COMMENT, .path = path_of(name, 1), .comment = TEXT("who")},
        {.kind = ALTER_COLUMN_PLACE,
         .path = path_of(name, 1),
         .place = {.kind = PLACE_BEFORE, .beside = TEXT("s")}},
        {.kind = ALTER_DROP_COLUMN, .path = path_of(x, 2)},
        {.kind = ALTER_COLUMN_DEFAULT, .path = path_of(name, 1)},
    };
    for (size_t i = 0; i < sizeof done / sizeof *done; i++) {
        CHECK(is_done(&a, &done[i]));
    }
    refuse_columns(&a);
    // Of several at once all or none.
    const alteration both[] = {
        {.kind = ALTER_DROP_COLUMN, .path = path_of(name, 1)},
        {.kind = ALTER_DROP_COLUMN, .path = path_of(none, 1)},
    };
    CHECK(ice_table_changes.alter(a.change, both, 2, &a.scene.err) != FIRN_OK);
    commit(&a);
    CHECK(says(&a, "current-schema-id", "10") && says(&a, "last-column-id", "10"));
    // Ids 6, 7 and 8 are those of s.x, s.y and l.element.
    CHECK(shows(&a, "1 id BIGINT 'key', 9 made INTEGER 'new', 2 Part BIGINT, 5 name VARCHAR 'who', "
                    "3 s STRUCT(z DATE, y DOUBLE), 4 l DECIMAL(18,2)[]"));
    CHECK(ice_scene_head_holds(&a.scene, 1, (const int64_t[][2]){{1, 10}}));
    close_at(&a);
}

static bool maps(const altering *a, const char *wanted) {
    const text is =
        ice_root_property(ice_table_change_of(a->change)->play.root, "schema.name-mapping.default");
    if (!text_equal(is, text_of(wanted))) {
        (void)fprintf(stderr, "mapped as %.*s\n", TEXT_ARGS(is));
    }
    return text_equal(is, text_of(wanted));
}

TEST(ice_alter_maps_names_of_columns) {
    altering a;
    text id[] = {TEXT("id")};
    text part[] = {TEXT("part")};
    text made[] = {TEXT("made")};
    text z[] = {TEXT("s"), TEXT("z")};
    const field inner = {.name = TEXT("v"), .type = TYPE_OF(DATE), .is_nullable = true};
    const type inside = {.id = TYPE_STRUCT, .child_count = 1, .children = &inner};
    const field element = {.name = TEXT("element"), .type = &inside, .is_nullable = true};
    const type list = {.id = TYPE_LIST, .child_count = 1, .children = &element};
    const alteration done[] = {
        {.kind = ALTER_ADD_COLUMN, .path = path_of(made, 1), .type = &list, .is_nullable = true},
        {.kind = ALTER_ADD_COLUMN,
         .path = path_of(z, 2),
         .type = TYPE_OF(DATE),
         .is_nullable = true},
        {.kind = ALTER_RENAME_COLUMN, .path = path_of(id, 1), .name = TEXT("key")},
        {.kind = ALTER_RENAME_COLUMN, .path = path_of(part, 1), .name = TEXT("old")},
    };
    const alteration mapping = {
        .kind = ALTER_SET_PROPERTY,
        .name = TEXT("schema.name-mapping.default"),
        .comment = TEXT("[{\"field-id\":1,\"names\":[\"id\"]},{\"names\":[\"key\"]},"
                        "{\"field-id\":3,\"names\":[\"s\"],\"fields\":[{\"field-id\":6,"
                        "\"names\":[\"x\"]}]},{\"field-id\":5,\"names\":[\"name\",\"made\"]}]")};
    open_at(&a, NULL, "2", true);
    CHECK(is_done(&a, &done[3]) && maps(&a, "")); // There is none.
    CHECK(is_done(&a, &mapping));
    for (size_t i = 0; i < 3; i++) {
        CHECK(is_done(&a, &done[i]));
    }
    CHECK(maps(&a,
               "[{\"field-id\":1,\"names\":[\"id\",\"key\"]},{\"names\":[]},"
               "{\"field-id\":3,\"names\":[\"s\"],\"fields\":[{\"field-id\":6,\"names\":[\"x\"]},"
               "{\"field-id\":12,\"names\":[\"z\"]}]},"
               "{\"field-id\":5,\"names\":[\"name\"]},"
               "{\"field-id\":9,\"names\":[\"made\"],\"fields\":[{\"field-id\":10,\"names\":"
               "[\"element\"],\"fields\":[{\"field-id\":11,\"names\":[\"v\"]}]}]}]"));
    commit(&a);
    close_at(&a);
}

static void refuse_partitions(altering *a) {
    text id[] = {TEXT("id")};
    text part[] = {TEXT("part")};
    text name[] = {TEXT("name")};
    const struct {
        alteration what;
        const char *state;
    } refused[] = {
        {{.kind = ALTER_ADD_PARTITION,
          .partition = {.path = path_of(id, 1), .transform = TEXT("day")}},
         "42804"},
        {{.kind = ALTER_ADD_PARTITION,
          .partition = {.path = path_of(id, 1), .transform = TEXT("shuffle")}},
         "42704"},
        {{.kind = ALTER_ADD_PARTITION,
          .partition = {.path = path_of(part, 1), .transform = TEXT("bucket[4]")}},
         "42701"},
        {{.kind = ALTER_DROP_PARTITION, .name = TEXT("part_bukcet")}, "42704"},
        {{.kind = ALTER_DROP_COLUMN, .path = path_of(part, 1)}, "0A000"},
        {{.kind = ALTER_DROP_COLUMN, .path = path_of(name, 1)}, "0A000"},
        {{.kind = ALTER_SET_PROPERTY, .name = TEXT("uuid"), .comment = TEXT("b")}, "22023"},
        {{.kind = ALTER_UPGRADE, .name = TEXT("3")}, "0A000"},
    };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        CHECK(is_refused(a, &refused[i].what, refused[i].state));
    }
}

TEST(ice_alter_partitions_properties_and_order) {
    altering a;
    text part[] = {TEXT("part")};
    text name[] = {TEXT("name")};
    for (int version = 1; version <= 2; version++) {
        open_at(&a, "", version == 1 ? "1" : "2", false);
        CHECK(says(&a, "partition-specs",
                   "[{\"spec-id\":0,\"fields\":[{\"name\":\"part_bucket\",\"transform\":"
                   "\"bucket[4]\",\"source-id\":2,\"field-id\":1000}]}]"));
        CHECK(says(&a, "properties", "{\"comment\":\"a table\"}"));
        const order_key key = {.path = path_of(name, 1), .is_descending = true};
        const alteration done[] = {
            {.kind = ALTER_ADD_PARTITION,
             .partition = {.path = path_of(name, 1), .transform = TEXT("truncate[3]")}},
            {.kind = ALTER_DROP_PARTITION, .name = TEXT("part_bucket")},
            {.kind = ALTER_REPLACE_PARTITION,
             .partition = {.path = path_of(name, 1), .transform = TEXT("truncate[3]")},
             .replacement = {.path = path_of(name, 1), .name = TEXT("by_name")}},
            {.kind = ALTER_ADD_PARTITION,
             .partition = {.path = path_of(part, 1),
                           .transform = TEXT("bucket[4]"),
                           .name = TEXT("part_bucket")}},
            {.kind = ALTER_WRITE_ORDER, .order_count = 1, .order = &key},
            {.kind = ALTER_SET_PROPERTY, .name = TEXT("a"), .comment = TEXT("b")},
            {.kind = ALTER_UNSET_PROPERTY, .name = TEXT("comment")},
        };
        for (size_t i = 0; i < sizeof done / sizeof *done; i++) {
            CHECK(is_done(&a, &done[i]));
        }
        refuse_partitions(&a);
        commit(&a);
        CHECK(says(&a, "properties", "{\"a\":\"b\"}"));
        CHECK(says(&a, "default-sort-order-id", "1"));
        const json_node *root;
        REQUIRE(ice_scene_root(&a.scene, &root, &a.scene.err) == FIRN_OK);
        ice_metadata metadata;
        bytes file;
        REQUIRE(io_get(a.scene.io, a.scene.location, 1 << 20, NULL, &a.scene.memory, &file,
                       &a.scene.err) == FIRN_OK);
        REQUIRE(ice_metadata_read(file, &a.scene.memory, &metadata, &a.scene.err) == FIRN_OK);
        const ice_spec *spec = ice_metadata_spec(&metadata, metadata.default_spec_id);
        if (version == 2) { // The id of an equal field comes back.
            CHECK(spec->count == 2 && spec->fields[0].field_id == 1002 &&
                  spec->fields[1].field_id == 1000);
        } else { // Void fields keep their places.
            CHECK(spec->count == 4 && spec->fields[0].transform.kind == ICE_VOID &&
                  spec->fields[0].field_id == 1000 && spec->fields[1].transform.kind == ICE_VOID &&
                  spec->fields[3].field_id == 1003);
            CHECK(text_equal(spec->fields[0].name, TEXT("part_bucket_1000")));
            CHECK(is_done(&a, &(alteration){.kind = ALTER_UPGRADE, .name = TEXT("2")}));
            commit(&a);
            CHECK(says(&a, "format-version", "2"));
        }
        close_at(&a);
    }
}

static int64_t current(altering *self) {
    const json_node *root;
    int64_t out = 0;
    CHECK(ice_scene_root(&self->scene, &root, &self->scene.err) == FIRN_OK);
    CHECK(json_get_i64(root, "current-snapshot-id", &out, &self->scene.err) == FIRN_OK);
    return out;
}

static void add(altering *self, int64_t first) {
    ice_scene *s = &self->scene;
    CHECK(ice_scene_is_ok(s, ice_scene_append(s, self->change, first, 10, &s->err)));
    commit(self);
}

static void refuse_refs(altering *a, int64_t first) {
    const struct {
        alteration what;
        const char *state;
    } refused[] = {
        {{.kind = ALTER_SET_REF, .name = TEXT("dev"), .snapshot_id = -1, .only_if = REF_NEW},
         "42710"},
        {{.kind = ALTER_SET_REF, .name = TEXT("dvx"), .snapshot_id = -1, .only_if = REF_EXISTING},
         "42704"},
        {{.kind = ALTER_SET_REF, .name = TEXT("dev"), .is_tag = true, .snapshot_id = -1}, "42809"},
        {{.kind = ALTER_SET_REF, .name = TEXT("x"), .snapshot_id = 7}, "42704"},
        {{.kind = ALTER_DROP_REF, .name = TEXT("main")}, "42809"},
        {{.kind = ALTER_DROP_REF, .name = TEXT("dev"), .is_tag = true}, "42809"},
        {{.kind = ALTER_ROLLBACK, .snapshot_id = 7}, "42704"},
        {{.kind = ALTER_FAST_FORWARD, .name = TEXT("main"), .comment = TEXT("dev")}, "22023"},
        {{.kind = ALTER_EXPIRE, .snapshot_id_count = 1, .snapshot_ids = &first}, "55006"},
        {{.kind = ALTER_CHERRYPICK, .snapshot_id = first}, "22023"},
    };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        CHECK(is_refused(a, &refused[i].what, refused[i].state));
    }
}

TEST(ice_alter_branches_tags_and_snapshots) {
    altering a;
    ice_scene *s = &a.scene;
    open_at(&a, NULL, "2", true);
    const int64_t first = current(&a);
    add(&a, 11);
    const int64_t second = current(&a);
    CHECK(is_done(&a, &(alteration){.kind = ALTER_SET_REF,
                                    .name = TEXT("dev"),
                                    .snapshot_id = first,
                                    .only_if = REF_NEW,
                                    .retention = {.snapshots_min = 3}}));
    CHECK(is_done(
        &a, &(alteration){
                .kind = ALTER_SET_REF, .name = TEXT("v1"), .is_tag = true, .snapshot_id = -1}));
    refuse_refs(&a, first);
    commit(&a);
    // Rows on the branch.
    const table_version dev = {.kind = VERSION_REF, .ref = TEXT("dev")};
    const ice_open what = {.pool = s->query, .location = s->location, .version = &dev};
    table_snapshot *base;
    table_change *change;
    REQUIRE(ice_scene_is_ok(s, ice_table_open(s->io, &what, NULL, &base, &s->err)));
    REQUIRE(ice_table_changes.open(s->owner, &s->env, base, NULL, &change, &s->err) == FIRN_OK);
    REQUIRE(ice_scene_is_ok(s, ice_scene_append(s, change, 100, 10, &s->err)));
    table_snapshot *seen;
    REQUIRE(ice_scene_is_ok(s, ice_table_changes.see(change, &seen, &s->err)));
    CHECK(ice_scene_holds(s, seen, 2, (const int64_t[][2]){{1, 10}, {100, 109}}));
    const int64_t on_dev = seen->ref.snapshot_id;
    table_snapshot_release(seen);
    table_snapshot_release(base);
    REQUIRE(ice_scene_is_ok(s, ice_scene_commit(s, change, &s->err)));
    CHECK(ice_scene_head_holds(s, 1, (const int64_t[][2]){{1, 20}}));
    CHECK(current(&a) == second);
    ice_table_changes.close(a.change);
    REQUIRE(ice_scene_is_ok(s, ice_scene_change(s, &a.change, &s->err)));
    // They are picked onto main, once.
    CHECK(is_done(&a, &(alteration){.kind = ALTER_CHERRYPICK, .snapshot_id = on_dev}));
    CHECK(is_refused(&a, &(alteration){.kind = ALTER_CHERRYPICK, .snapshot_id = on_dev}, "22023"));
    commit(&a);
    CHECK(ice_scene_head_holds(s, 2, (const int64_t[][2]){{1, 20}, {100, 109}}));
    CHECK(is_done(&a, &(alteration){.kind = ALTER_ROLLBACK, .snapshot_id = second}));
    commit(&a);
    CHECK(ice_scene_head_holds(s, 1, (const int64_t[][2]){{1, 20}}));
    CHECK(is_done(&a, &(alteration){.kind = ALTER_DROP_REF, .name = TEXT("dev")}));
    CHECK(is_done(&a, &(alteration){.kind = ALTER_ROLLBACK, .snapshot_id = first}));
    CHECK(is_done(
        &a,
        &(alteration){.kind = ALTER_FAST_FORWARD, .name = TEXT("main"), .comment = TEXT("v1")}));
    CHECK(is_done(
        &a, &(alteration){.kind = ALTER_EXPIRE, .snapshot_id_count = 1, .snapshot_ids = &on_dev}));
    commit(&a);
    CHECK(current(&a) == second);
    CHECK(ice_scene_head_holds(s, 1, (const int64_t[][2]){{1, 20}}));
    close_at(&a);
}

static void add_to(ice_scene *s, table_change *change, const char *branch, int64_t first) {
    ice_added_file file;
    const ice_row_step step = {
        .kind = CHANGE_APPEND, .branch = text_of(branch), .added_count = 1, .added = &file};
    REQUIRE(ice_scene_is_ok(s, ice_scene_file(s, change, first, 10, -1, &file, &s->err)));
    REQUIRE(ice_scene_is_ok(s, ice_change_add_rows(change, &step, NULL, &s->err)));
}

// The head at a branch, by its own metadata.
static bool branch_holds(ice_scene *s, const char *branch, uint32_t count,
                         const int64_t (*ranges)[2]) {
    const table_version version = {.kind = VERSION_REF, .ref = text_of(branch)};
    table_snapshot *head;
    table_snapshot *at;
    if (!ice_scene_is_ok(s, ice_scene_head(s, &head, &s->err))) {
        return false;
    }
    const firn_status status = head->kind->at(head, &version, NULL, &at, &s->err);
    table_snapshot_release(head); // The other one keeps what it needs of it.
    if (!ice_scene_is_ok(s, status)) {
        return false;
    }
    const bool holds =
        text_equal(ice_table_branch(at), version.ref) && ice_scene_holds(s, at, count, ranges);
    table_snapshot_release(at);
    return holds;
}

TEST(ice_rows_of_branches_meet_those_of_others) {
    altering a;
    ice_scene *s = &a.scene;
    table_change *other;
    open_at(&a, NULL, "2", true);
    CHECK(
        is_done(&a, &(alteration){.kind = ALTER_SET_REF, .name = TEXT("dev"), .snapshot_id = -1}));
    commit(&a);
    // One commit changes both branches, on top of a commit that did the same.
    add_to(s, a.change, "dev", 100);
    add_to(s, a.change, "main", 200);
    add_to(s, a.change, "", 300);
    REQUIRE(ice_scene_is_ok(s, ice_scene_change(s, &other, &s->err)));
    add_to(s, other, "dev", 400);
    add_to(s, other, "", 500);
    REQUIRE(ice_scene_is_ok(s, ice_scene_commit(s, other, &s->err)));
    commit(&a);
    CHECK(branch_holds(s, "dev", 3, (const int64_t[][2]){{1, 10}, {100, 109}, {400, 409}}));
    CHECK(branch_holds(s, "main", 4,
                       (const int64_t[][2]){{1, 10}, {200, 209}, {300, 309}, {500, 509}}));
    // Of a branch that others dropped nothing is left to add to.
    add_to(s, a.change, "dev", 600);
    REQUIRE(ice_scene_is_ok(s, ice_scene_change(s, &other, &s->err)));
    const alteration drop = {.kind = ALTER_DROP_REF, .name = TEXT("dev")};
    REQUIRE(ice_scene_is_ok(s, ice_table_changes.alter(other, &drop, 1, &s->err)));
    REQUIRE(ice_scene_is_ok(s, ice_scene_commit(s, other, &s->err)));
    CHECK(ice_scene_commit(s, a.change, &s->err) == FIRN_CONFLICT);
    CHECK(strstr(s->err.text, "no branch \"dev\" any more") != NULL);
    a.change = NULL;
    CHECK(ice_scene_head_holds(s, 4,
                               (const int64_t[][2]){{1, 10}, {200, 209}, {300, 309}, {500, 509}}));
    close_at(&a);
}

TEST(ice_alter_is_said_again_on_what_others_altered) {
    altering a;
    ice_scene *s = &a.scene;
    text made[] = {TEXT("made")};
    text mine[] = {TEXT("mine")};
    text name[] = {TEXT("name")};
    table_change *other;
    open_at(&a, NULL, "2", true);
    const alteration theirs = {.kind = ALTER_ADD_COLUMN,
                               .path = path_of(made, 1),
                               .type = TYPE_OF(DATE),
                               .is_nullable = true};
    const alteration ours = {.kind = ALTER_ADD_COLUMN,
                             .path = path_of(mine, 1),
                             .type = TYPE_OF(DATE),
                             .is_nullable = true};
    REQUIRE(ice_scene_change(s, &other, &s->err) == FIRN_OK);
    CHECK(ice_table_changes.alter(other, &theirs, 1, &s->err) == FIRN_OK);
    CHECK(is_done(&a, &ours));
    REQUIRE(ice_scene_is_ok(s, ice_scene_commit(s, other, &s->err)));
    commit(&a);
    CHECK(s->attempts == 2);
    CHECK(shows(&a, WHOLE ", 9 made DATE, 10 mine DATE"));
    // Of rows that were written with our own column's id it cannot be said.
    const alteration next = {.kind = ALTER_ADD_COLUMN,
                             .path = path_of(&(text){.data = "next", .size = 4}, 1),
                             .type = TYPE_OF(DATE),
                             .is_nullable = true};
    REQUIRE(ice_scene_change(s, &other, &s->err) == FIRN_OK);
    CHECK(
        ice_table_changes.alter(other,
                                &(alteration){.kind = ALTER_ADD_COLUMN,
                                              .path = path_of(&(text){.data = "far", .size = 3}, 1),
                                              .type = TYPE_OF(DATE),
                                              .is_nullable = true},
                                1, &s->err) == FIRN_OK);
    CHECK(is_done(&a, &next));
    CHECK(ice_scene_is_ok(s, ice_scene_append(s, a.change, 50, 1, &s->err)));
    REQUIRE(ice_scene_is_ok(s, ice_scene_commit(s, other, &s->err)));
    CHECK(ice_scene_commit(s, a.change, &s->err) == FIRN_CONFLICT);
    REQUIRE(ice_scene_change(s, &a.change, &s->err) == FIRN_OK);
    // Two rename the same column: the second one does not find it.
    const alteration once = {
        .kind = ALTER_RENAME_COLUMN, .path = path_of(name, 1), .name = TEXT("once")};
    const alteration twice = {
        .kind = ALTER_RENAME_COLUMN, .path = path_of(name, 1), .name = TEXT("twice")};
    REQUIRE(ice_scene_change(s, &other, &s->err) == FIRN_OK);
    CHECK(ice_table_changes.alter(other, &once, 1, &s->err) == FIRN_OK);
    CHECK(is_done(&a, &twice));
    REQUIRE(ice_scene_is_ok(s, ice_scene_commit(s, other, &s->err)));
    CHECK(ice_scene_commit(s, a.change, &s->err) == FIRN_CONFLICT);
    a.change = NULL;
    close_at(&a);
}

// Rows of others, of which one may have no id.
static void commit_rows(ice_scene *s, const char *branch, int64_t first, int64_t nulls) {
    table_change *other;
    ice_added_file file;
    REQUIRE(ice_scene_is_ok(s, ice_scene_change(s, &other, &s->err)));
    REQUIRE(ice_scene_is_ok(s, ice_scene_file(s, other, first, 10, -1, &file, &s->err)));
    ice_column_metric metric = file.file.metrics[0];
    metric.null_count = nulls;
    file.file.metrics = &metric;
    const ice_row_step step = {.kind = CHANGE_APPEND,
                               .branch = text_of(branch),
                               .isolation = ISOLATION_SNAPSHOT,
                               .added_count = 1,
                               .added = &file};
    REQUIRE(ice_scene_is_ok(s, ice_change_add_rows(other, &step, NULL, &s->err)));
    REQUIRE(ice_scene_is_ok(s, ice_scene_commit(s, other, &s->err)));
}

// Rows that come meanwhile are looked at as well, on whatever branch.
TEST(ice_columns_that_become_not_null_meet_rows_of_others) {
    static const char *const branches[] = {"main", "dev"};
    text id[] = {TEXT("id")};
    const alteration not_null = {.kind = ALTER_COLUMN_NULLABLE, .path = path_of(id, 1)};
    for (size_t i = 0; i < 4; i++) {
        const bool has_null = i % 2 == 1;
        altering a;
        ice_scene *s = &a.scene;
        open_at(&a, NULL, "2", true);
        CHECK(is_done(
            &a, &(alteration){.kind = ALTER_SET_REF, .name = TEXT("dev"), .snapshot_id = -1}));
        commit(&a);
        CHECK(is_done(&a, &not_null));
        commit_rows(s, branches[i / 2], 100, has_null ? 1 : 0);
        const firn_status status = ice_scene_commit(s, a.change, &s->err);
        CHECK(s->attempts == 2 || status != FIRN_OK);
        CHECK(status == (has_null ? FIRN_CONFLICT : FIRN_OK));
        CHECK(!has_null || strstr(s->err.text, "the column \"id\" contains NULLs: 1 in") != NULL);
        a.change = NULL;
        close_at(&a);
    }
}
