// ALTER TABLE, COMMENT ON, CALL, DROP and RENAME in a catalog with transactions: which steps come
// of a statement. The catalog and the format are small ones that note what they are told.
#include <stdarg.h>
#include <string.h>

#include "base/host.h"
#include "engine/scene_testing.h"
#include "engine/transactions.h"
#include "memory/text_builder.h"

#define TOLD_MAX 4096
#define WORD(literal) {.data = "" literal, .size = sizeof(literal) - 1} // A text, at rest.

// ---- A format and a catalog --------------------------------------------------------------------

// What was told, one word after the other.
static char told[TOLD_MAX];
static bool refuses; // The format refuses each step.

static void tell(const char *format, ...) PRINTF_LIKE(1, 2);
static void tell(const char *format, ...) {
    const size_t used = strlen(told);
    va_list args;
    va_start(args, format);
    (void)vsnprintf(told + used, sizeof told - used, format, args);
    va_end(args);
}

static void tell_path(const text_list *path) {
    for (uint32_t i = 0; i < path->count; i++) {
        tell("%s%.*s", i == 0 ? "" : ".", TEXT_ARGS(path->items[i]));
    }
}

static void tell_name(object_name name) {
    for (uint32_t i = 0; i < name.space.count; i++) {
        tell("%.*s.", TEXT_ARGS(name.space.items[i]));
    }
    tell("%.*s", TEXT_ARGS(name.name));
}

static void tell_key(const partition_field *key) {
    tell("%.*s(", TEXT_ARGS(key->transform));
    tell_path(&key->path);
    tell(")");
    if (key->name.size > 0) {
        tell(" as %.*s", TEXT_ARGS(key->name));
    }
}

static void tell_value(const literal *value) {
    if (value != NULL && value->is_null) {
        tell("=null");
    } else if (value != NULL) {
        tell("=%lld", value->value->type->id == TYPE_BIGINT
                          ? (long long)*COLUMN_VALUES(value->value, int64_t)
                          : (long long)*COLUMN_VALUES(value->value, int32_t));
    }
}

static void tell_order(const alteration *step) {
    for (uint32_t i = 0; i < step->order_count; i++) {
        const order_key *key = &step->order[i];
        tell("%s%.*s(", i == 0 ? "" : ", ", TEXT_ARGS(key->transform));
        tell_path(&key->path);
        tell(")%s%s", key->is_descending ? " desc" : "", key->nulls_first ? " nulls first" : "");
    }
}

static void tell_column(const alteration *step) {
    arena memory = arena_open(1 << 16);
    tell_path(&step->path);
    if (step->type != NULL) {
        tell(":%.*s", TEXT_ARGS(type_text(step->type, &memory)));
    }
    tell("%s", step->kind == ALTER_ADD_COLUMN && !step->is_nullable ? "!" : "");
    tell_value(step->value);
    if (step->comment.size > 0) {
        tell(" #%.*s", TEXT_ARGS(step->comment));
    }
    if (step->place.kind != PLACE_LAST) {
        tell(" @%s%.*s", step->place.kind == PLACE_FIRST ? "first" : "after ",
             TEXT_ARGS(step->place.beside));
    }
    arena_close(&memory);
}

static void tell_ref(const alteration *step) {
    static const char *const conditions[] = {
        [REF_ANY] = "", [REF_NEW] = " new", [REF_EXISTING] = " there"};
    tell("%s %.*s=%lld%s", step->is_tag ? "tag" : "branch", TEXT_ARGS(step->name),
         (long long)step->snapshot_id, conditions[step->only_if]);
    const ref_retention *kept = &step->retention;
    if (kept->ref_age_ms_max + kept->snapshot_age_ms_max + kept->snapshots_min > 0) {
        tell(" for %lld %lld %lld", (long long)kept->ref_age_ms_max,
             (long long)kept->snapshot_age_ms_max, (long long)kept->snapshots_min);
    }
}

static void tell_partition(const alteration *step) {
    tell_key(&step->partition);
    if (step->name.size > 0) {
        tell(" or %.*s", TEXT_ARGS(step->name));
    }
    if (step->kind == ALTER_REPLACE_PARTITION) {
        tell(" -> ");
        tell_key(&step->replacement);
    }
}

static void tell_step(const alteration *step) {
    static const char *const words[] = {
        [ALTER_ADD_COLUMN] = "add ",         [ALTER_DROP_COLUMN] = "drop ",
        [ALTER_RENAME_COLUMN] = "rename ",   [ALTER_COLUMN_TYPE] = "type ",
        [ALTER_COLUMN_NULLABLE] = "null ",   [ALTER_COLUMN_DEFAULT] = "default ",
        [ALTER_COLUMN_COMMENT] = "comment ", [ALTER_COLUMN_PLACE] = "place ",
        [ALTER_ADD_PARTITION] = "by+ ",      [ALTER_DROP_PARTITION] = "by- ",
        [ALTER_REPLACE_PARTITION] = "by ",   [ALTER_WRITE_ORDER] = "order ",
        [ALTER_SET_PROPERTY] = "set ",       [ALTER_UNSET_PROPERTY] = "unset ",
        [ALTER_SET_LOCATION] = "location ",  [ALTER_SET_REF] = "",
        [ALTER_DROP_REF] = "forget ",        [ALTER_ROLLBACK] = "back ",
        [ALTER_CHERRYPICK] = "pick ",        [ALTER_FAST_FORWARD] = "forward ",
        [ALTER_EXPIRE] = "expire ",          [ALTER_UPGRADE] = "version ",
    };
    tell("%s", words[step->kind]);
    switch ((uint32_t)step->kind) {
    case ALTER_ADD_PARTITION:
    case ALTER_DROP_PARTITION:
    case ALTER_REPLACE_PARTITION:
        tell_partition(step);
        break;
    case ALTER_WRITE_ORDER:
        tell_order(step);
        break;
    case ALTER_SET_REF:
        tell_ref(step);
        break;
    case ALTER_ROLLBACK:
    case ALTER_CHERRYPICK:
        tell("%lld", (long long)step->snapshot_id);
        break;
    case ALTER_COLUMN_NULLABLE:
        tell_path(&step->path);
        tell("%s", step->is_nullable ? " may" : " not");
        break;
    case ALTER_RENAME_COLUMN:
        tell_path(&step->path);
        tell(" to %.*s", TEXT_ARGS(step->name));
        break;
    case ALTER_SET_PROPERTY:
    case ALTER_FAST_FORWARD:
        tell("%.*s=%.*s", TEXT_ARGS(step->name), TEXT_ARGS(step->comment));
        break;
    case ALTER_UNSET_PROPERTY:
    case ALTER_SET_LOCATION:
    case ALTER_UPGRADE:
    case ALTER_DROP_REF:
        tell("%.*s", TEXT_ARGS(step->name));
        break;
    default:
        tell_column(step);
        break;
    }
    tell("; ");
}

static const table_kind noting_tables;

static void free_snapshot(table_snapshot *self) {
    host_free(self);
}

static firn_status make_snapshot(int64_t id, table_snapshot **out, firn_error *err) {
    static const field inside[] = {{.name = WORD("x"), .type = TYPE_OF(INTEGER), .id = 5},
                                   {.name = WORD("Y"), .type = TYPE_OF(DATE), .id = 6}};
    static const type nested = {.id = TYPE_STRUCT, .child_count = 2, .children = inside};
    static const field element = {.name = WORD("element"), .type = &nested, .id = 7};
    static const type list = {.id = TYPE_LIST, .child_count = 1, .children = &element};
    static const field fields[] = {{.name = WORD("id"), .type = TYPE_OF(BIGINT), .id = 1},
                                   {.name = WORD("Region"), .type = TYPE_OF(VARCHAR), .id = 2},
                                   {.name = WORD("s"), .type = &nested, .id = 3},
                                   {.name = WORD("l"), .type = &list, .id = 4}};
    table_snapshot *made = host_alloc(sizeof *made);
    if (made == NULL) {
        return FAIL(err, FIRN_NO_MEMORY, "no memory");
    }
    *made = (table_snapshot){.kind = &noting_tables,
                             .columns = {.count = 4, .fields = fields},
                             .ref = {.kind = TEXT("noting"), .snapshot_id = id, .schema_id = -1}};
    atomic_init(&made->references, 1);
    *out = made;
    return FIRN_OK;
}

typedef struct noting_change {
    table_change base;
    int64_t snapshot_id;
} noting_change;

static firn_status change_open(transaction *owner, const transaction_env *env, table_snapshot *base,
                               const table_definition *definition, table_change **out,
                               firn_error *err) {
    (void)env;
    (void)definition;
    noting_change *self = host_alloc(sizeof *self);
    if (self == NULL) {
        return FAIL(err, FIRN_NO_MEMORY, "no memory");
    }
    *self = (noting_change){.base = {.kind = noting_tables.changes,
                                     .owner = owner,
                                     .base = table_snapshot_retain(base)},
                            .snapshot_id = base->ref.snapshot_id};
    *out = &self->base;
    return FIRN_OK;
}

static firn_status change_see(table_change *self, table_snapshot **out, firn_error *err) {
    return make_snapshot(((noting_change *)self)->snapshot_id, out, err);
}

static firn_status change_alter(table_change *self, const alteration *steps, uint32_t count,
                                firn_error *err) {
    if (refuses) {
        return FAIL_SQL(err, FIRN_INVALID, "42P16", steps[0].position, "refused");
    }
    for (uint32_t i = 0; i < count; i++) {
        tell_step(&steps[i]);
        if (steps[i].snapshot_id > 0) {
            ((noting_change *)self)->snapshot_id = steps[i].snapshot_id;
        }
    }
    return FIRN_OK;
}

static firn_status change_prepare(table_change *self, commit_form form, arena *memory,
                                  commit_part *out, firn_error *err) {
    (void)memory;
    (void)err;
    *out = (commit_part){
        .name = self->name, .form = form, .kind = self->is_dropped ? PART_DROP : PART_CHANGE};
    return FIRN_OK;
}

static void change_settle(table_change *self, commit_answer answer) {
    (void)self;
    (void)answer;
}

static void change_close(table_change *self) {
    table_snapshot_release(self->base);
    host_free(self);
}

static const table_change_kind noting_changes = {.name = "noting",
                                                 .open = change_open,
                                                 .see = change_see,
                                                 .alter = change_alter,
                                                 .prepare = change_prepare,
                                                 .settle = change_settle,
                                                 .close = change_close};
static const table_kind noting_tables = {
    .name = "noting", .free = free_snapshot, .changes = &noting_changes};

static bool is_there(object_name name) {
    return name.space.count == 1 && text_equal(name.space.items[0], TEXT("db")) &&
           (text_equal(name.name, TEXT("Sales")) || text_equal(name.name, TEXT("t")));
}

static firn_status load(catalog *self, object_name name, const table_version *version,
                        arena *memory, catalog_object *out, const cancel_flag *cancel,
                        firn_error *err) {
    (void)self;
    (void)memory;
    (void)cancel;
    const int kind = version == NULL ? VERSION_CURRENT : (int)version->kind;
    if (!is_there(name)) {
        return FAIL_SQL(err, FIRN_NOT_FOUND, "42P01", NO_POSITION, "there is no table \"%.*s\"",
                        TEXT_ARGS(name.name));
    }
    if (kind == VERSION_REF && !text_equal(version->ref, TEXT("audit")) &&
        !text_equal(version->ref, TEXT("main"))) {
        return FAIL_SQL(err, FIRN_NOT_FOUND, "42704", NO_POSITION, "there is no branch \"%.*s\"",
                        TEXT_ARGS(version->ref));
    }
    *out = (catalog_object){0};
    return make_snapshot(kind == VERSION_TIMESTAMP                                        ? 5
                         : kind == VERSION_REF && text_equal(version->ref, TEXT("audit")) ? 7
                                                                                          : 10,
                         &out->snapshot, err);
}

static firn_status list(catalog *self, namespace_path space, arena *memory, catalog_entry_list *out,
                        const cancel_flag *cancel, firn_error *err) {
    (void)self;
    (void)cancel;
    if (!text_equal(space.items[0], TEXT("db"))) {
        return FAIL(err, FIRN_NOT_FOUND, "no schema");
    }
    out->items = ARENA_NEW(memory, catalog_entry, 2);
    if (out->items == NULL) {
        return ARENA_FULL(memory, err);
    }
    out->count = 2;
    out->items[0] = (catalog_entry){.name = TEXT("Sales")};
    out->items[1] = (catalog_entry){.name = TEXT("t")};
    return FIRN_OK;
}

static firn_status list_namespaces(catalog *self, namespace_path parent, arena *memory,
                                   namespace_path **out, uint32_t *count, const cancel_flag *cancel,
                                   firn_error *err) {
    static text db = WORD("db");
    (void)self;
    (void)cancel;
    *out = ARENA_NEW(memory, namespace_path, 1);
    *count = parent.count == 0;
    if (*out == NULL) {
        return ARENA_FULL(memory, err);
    }
    **out = (namespace_path){.count = 1, .items = &db};
    return FIRN_OK;
}

static firn_status has_namespace(catalog *self, namespace_path space, bool *out,
                                 const cancel_flag *cancel, firn_error *err) {
    (void)self;
    (void)cancel;
    (void)err;
    *out = space.count == 1 && text_equal(space.items[0], TEXT("db"));
    return FIRN_OK;
}

static bool vanishes; // The table, before the next commit.
static bool is_full;  // The schema, until something was dropped.

static firn_status change_namespace(catalog *self, namespace_path space,
                                    const namespace_change *change, firn_error *err) {
    (void)self;
    (void)err;
    tell("%sschema %.*s", change->is_new ? "new " : "", TEXT_ARGS(space.items[0]));
    for (size_t i = 0; i < change->properties.set_count; i++) {
        tell(" %s=%s", change->properties.set[i].key, change->properties.set[i].value);
    }
    for (size_t i = 0; i < change->properties.removed_count; i++) {
        tell(" -%s", change->properties.removed[i]);
    }
    tell("; ");
    return FIRN_OK;
}

static firn_status create_namespace(catalog *self, namespace_path space, firn_error *err) {
    return change_namespace(self, space, &(namespace_change){.is_new = true}, err);
}

static firn_status drop_namespace(catalog *self, namespace_path space, firn_error *err) {
    (void)self;
    if (is_full) {
        return FAIL_SQL(err, FIRN_INVALID, "2BP01", NO_POSITION, "not empty");
    }
    tell("no schema %.*s; ", TEXT_ARGS(space.items[0]));
    return FIRN_OK;
}

static firn_status rename_table(catalog *self, object_name from, object_name to, bool is_view,
                                firn_error *err) {
    (void)self;
    (void)is_view;
    (void)err;
    tell_name(from);
    tell(" -> ");
    tell_name(to);
    tell("; ");
    return FIRN_OK;
}

static firn_status form(catalog *self, text format, commit_form *out, bool *is_known,
                        const cancel_flag *cancel, firn_error *err) {
    (void)self;
    (void)format;
    (void)cancel;
    (void)err;
    *out = COMMIT_LOCAL;
    *is_known = true;
    return FIRN_OK;
}

static uint32_t table_count_max(catalog *self) {
    (void)self;
    return UINT32_MAX;
}

static firn_status commit(catalog *self, const commit_parts *parts, uint32_t deadline_ms,
                          commit_answer *answer, firn_error *err) {
    (void)self;
    (void)deadline_ms;
    if (vanishes) {
        return FAIL_SQL(err, FIRN_NOT_FOUND, "42P01", NO_POSITION, "it is gone");
    }
    tell("commit");
    for (uint32_t i = 0; i < parts->count; i++) {
        tell(parts->items[i].kind == PART_DROP ? " -" : " ");
        tell_name(parts->items[i].name);
        is_full = is_full && parts->items[i].kind != PART_DROP;
    }
    tell("; ");
    *answer = COMMIT_DONE;
    return FIRN_OK;
}

static firn_status purge(catalog *self, object_name name, text location, const cancel_flag *cancel,
                         firn_error *err) {
    (void)self;
    (void)location;
    (void)cancel;
    (void)err;
    tell("purge ");
    tell_name(name);
    tell("; ");
    return FIRN_OK;
}

static void close_catalog(catalog *self) {
    (void)self;
}

static const catalog_committer committer = {
    .form = form, .table_count_max = table_count_max, .commit = commit, .purge = purge};
static const catalog_kind lakes = {.name = "noting",
                                   .close = close_catalog,
                                   .list_namespaces = list_namespaces,
                                   .has_namespace = has_namespace,
                                   .list = list,
                                   .load = load,
                                   .create_namespace = create_namespace,
                                   .change_namespace = change_namespace,
                                   .drop_namespace = drop_namespace,
                                   .rename = rename_table,
                                   .committer = &committer};

// ---- Statements --------------------------------------------------------------------------------

typedef struct lake {
    scene scene;
    catalog catalog;
} lake;

static bool lake_open(lake *self) {
    attached *added;
    catalog_set *with;
    self->catalog = (catalog){.kind = &lakes};
    refuses = false;
    vanishes = false;
    is_full = true;
    if (!scene_open(&self->scene, NULL, 0) ||
        attached_open(&self->catalog, false, TEXT("lake"), &added, &self->scene.err) != FIRN_OK) {
        return false;
    }
    self->catalog.alias = added->alias;
    firn_session *session = self->scene.session;
    const firn_status status = catalog_set_with(session->catalogs, added, &with, &self->scene.err);
    attached_release(added);
    if (status == FIRN_OK) {
        catalog_set_release(session->catalogs);
        session->catalogs = with;
    }
    return status == FIRN_OK;
}

static bool tells(lake *self, const char *sql, const char *expected) {
    told[0] = '\0';
    const firn_status status = scene_execute(&self->scene, sql);
    const char *is = status == FIRN_OK ? told : self->scene.err.text;
    const bool is_good = strcmp(is, expected) == 0;
    if (!is_good) {
        printf("%s\n  is %s\n", sql, is);
    }
    return is_good;
}

#define CHECK_TELLS(sql, expected) CHECK(tells(&self, sql, expected))

TEST(alter_says_changes_of_columns) {
    lake self;
    REQUIRE(lake_open(&self));
    CHECK_TELLS("ALTER TABLE lake.db.t ADD COLUMN a INTEGER NOT NULL COMMENT 'c' AFTER region",
                "add a:INTEGER! #c @after Region; commit db.t; ");
    CHECK_TELLS("ALTER TABLE lake.db.t ADD COLUMNS (a INTEGER FIRST, S.z BIGINT AFTER y, "
                "l.ELEMENT.w DATE)",
                "add a:INTEGER @first; add s.z:BIGINT @after Y; add l.element.w:DATE; "
                "commit db.t; ");
    CHECK_TELLS("ALTER TABLE lake.db.t ADD COLUMN IF NOT EXISTS ID INTEGER, "
                "ADD COLUMN IF NOT EXISTS s.q INTEGER DEFAULT 3 + 4",
                "add s.q:INTEGER=7; commit db.t; ");
    CHECK_TELLS("ALTER TABLE lake.db.t ADD COLUMN IF NOT EXISTS id INTEGER", "");
    CHECK_TELLS("ALTER TABLE lake.db.t ADD COLUMN m MAP(INTEGER, STRUCT(a INTEGER COMMENT 'c')[])",
                "add m:MAP(INTEGER, STRUCT(a INTEGER)[]); comment m.value.element.a #c; "
                "commit db.t; ");
    CHECK_TELLS("ALTER TABLE lake.db.t DROP COLUMN s.y, DROP COLUMN IF EXISTS none",
                "drop s.Y; commit db.t; ");
    CHECK_TELLS("ALTER TABLE lake.db.t RENAME COLUMN REGION TO r, ALTER COLUMN r COMMENT 'x', "
                "DROP COLUMN r",
                "rename Region to r; comment r #x; drop r; commit db.t; ");
    CHECK_TELLS("ALTER TABLE lake.db.t ALTER COLUMN s.x TYPE BIGINT, ALTER COLUMN id SET DEFAULT "
                "5, ALTER COLUMN id DROP DEFAULT",
                "type s.x:BIGINT; default id=5; default id; commit db.t; ");
    CHECK_TELLS("ALTER TABLE lake.db.t ALTER COLUMN id SET NOT NULL, ALTER COLUMN id DROP NOT NULL",
                "null id not; null id may; commit db.t; ");
    CHECK_TELLS("ALTER TABLE lake.db.t ALTER COLUMN s.y FIRST, ALTER id AFTER s",
                "place s.Y @first; place id @after s; commit db.t; ");
    scene_close(&self.scene);
}

TEST(alter_refuses_columns_that_are_not_there) {
    lake self;
    REQUIRE(lake_open(&self));
    CHECK_TELLS("ALTER TABLE lake.db.t DROP COLUMN regoin",
                "invalid: there is no column \"regoin\"");
    CHECK(strstr(self.scene.err.hint, "\"Region\"") != NULL && self.scene.err.position == 34);
    CHECK_TELLS("ALTER TABLE lake.db.t DROP COLUMN \"region\"",
                "invalid: there is no column \"region\"");
    CHECK_TELLS("ALTER TABLE lake.db.t ALTER COLUMN s.z TYPE BIGINT",
                "invalid: there is no \"z\" in \"s\"");
    CHECK_TELLS("ALTER TABLE lake.db.t ADD COLUMN id.a INTEGER",
                "invalid: \"id\" is no STRUCT, which a column could be added to");
    CHECK_TELLS("ALTER TABLE lake.db.t ADD COLUMN l.a INTEGER",
                "invalid: \"l\" is no STRUCT, which a column could be added to");
    CHECK(strstr(self.scene.err.hint, "l.element.a") != NULL);
    CHECK_TELLS("ALTER TABLE lake.db.t ADD COLUMN a INTEGER AFTER b",
                "invalid: there is no column \"b\"");
    CHECK_TELLS("ALTER TABLE lake.db.t DROP COLUMN id, DROP COLUMN id",
                "invalid: there is no column \"id\"");
    CHECK_TELLS("ALTER TABLE lake.db.t ALTER COLUMN id TYPE INTEGER USING id + 1",
                "unsupported: USING is not supported: rows are not rewritten");
    CHECK_TELLS("ALTER TABLE lake.db.t ADD COLUMN a INTEGER PRIMARY KEY",
                "unsupported: PRIMARY KEY is not supported: nothing would keep rows to it");
    CHECK_TELLS("ALTER TABLE lake.db.t ADD PRIMARY KEY (id)",
                "unsupported: PRIMARY KEY is not supported: nothing would keep rows to it");
    CHECK_TELLS("ALTER TABLE lake.db.t SET IDENTIFIER FIELDS id",
                "unsupported: IDENTIFIER FIELDS is not supported");
    CHECK_TELLS("ALTER TABLE lake.db.t DROP COLUMN id, RENAME TO u",
                "unsupported: RENAME TO stands alone: it takes effect at once");
    refuses = true;
    CHECK_TELLS("ALTER TABLE lake.db.t DROP COLUMN id", "invalid: refused");
    CHECK(self.scene.err.position == 34);
    scene_close(&self.scene);
}

TEST(alter_says_partitions_and_order) {
    lake self;
    REQUIRE(lake_open(&self));
    CHECK_TELLS("ALTER TABLE lake.db.t ADD PARTITION FIELD bucket(8, ID) AS shard",
                "by+ bucket[8](id) as shard; commit db.t; ");
    CHECK_TELLS("ALTER TABLE lake.db.t DROP PARTITION FIELD shard, DROP PARTITION FIELD region, "
                "DROP PARTITION FIELD years(s.y)",
                "by- () or shard; by- identity(Region) or region; by- year(s.Y); commit db.t; ");
    CHECK_TELLS("ALTER TABLE lake.db.t REPLACE PARTITION FIELD day(s.y) WITH month(s.y) AS m",
                "by day(s.Y) -> month(s.Y) as m; commit db.t; ");
    CHECK_TELLS("ALTER TABLE lake.db.t WRITE ORDERED BY region, bucket(4, id) DESC, id DESC NULLS "
                "FIRST, s.x NULLS LAST",
                "order identity(Region) nulls first, bucket[4](id) desc, identity(id) desc nulls "
                "first, identity(s.x); set write.distribution-mode=range; commit db.t; ");
    CHECK_TELLS("ALTER TABLE lake.db.t WRITE LOCALLY ORDERED BY id",
                "order identity(id) nulls first; set write.distribution-mode=none; commit db.t; ");
    CHECK_TELLS("ALTER TABLE lake.db.t WRITE DISTRIBUTED BY PARTITION ORDERED BY id",
                "order identity(id) nulls first; set write.distribution-mode=hash; commit db.t; ");
    CHECK_TELLS("ALTER TABLE lake.db.t WRITE UNORDERED",
                "order ; set write.distribution-mode=none; commit db.t; ");
    CHECK_TELLS("ALTER TABLE lake.db.t ADD PARTITION FIELD bucket(8, nothing)",
                "invalid: there is no column \"nothing\"");
    scene_close(&self.scene);
}

TEST(alter_says_properties_and_comments) {
    lake self;
    REQUIRE(lake_open(&self));
    CHECK_TELLS("ALTER TABLE lake.db.t SET TBLPROPERTIES ('a.b' = 'c', 'format-version' = '2')",
                "set a.b=c; version 2; commit db.t; ");
    CHECK_TELLS("ALTER TABLE lake.db.t UNSET TBLPROPERTIES IF EXISTS ('a.b', 'c')",
                "unset a.b; unset c; commit db.t; ");
    CHECK_TELLS("ALTER TABLE lake.db.t SET LOCATION '/x'", "location /x; commit db.t; ");
    CHECK_TELLS("COMMENT ON TABLE lake.db.t IS 'x'", "set comment=x; commit db.t; ");
    CHECK_TELLS("COMMENT ON TABLE lake.db.t IS NULL", "unset comment; commit db.t; ");
    CHECK_TELLS("COMMENT ON COLUMN lake.db.T.ID IS 'x'", "comment id #x; commit db.t; ");
    CHECK_TELLS("COMMENT ON COLUMN lake.db.t.l.element.y IS NULL",
                "comment l.element.Y; commit db.t; ");
    CHECK_TELLS("COMMENT ON COLUMN lake.db.t.none IS 'x'", "invalid: there is no column \"none\"");
    scene_close(&self.scene);
}

TEST(alter_says_branches_and_tags) {
    lake self;
    REQUIRE(lake_open(&self));
    CHECK_TELLS("ALTER TABLE lake.db.t CREATE BRANCH b", "branch b=-1 new; commit db.t; ");
    CHECK_TELLS("ALTER TABLE lake.db.t CREATE BRANCH b AS OF VERSION 12 RETAIN 7 DAYS WITH "
                "SNAPSHOT RETENTION 5 SNAPSHOTS 2 HOURS",
                "branch b=12 new for 604800000 7200000 5; commit db.t; ");
    CHECK_TELLS("ALTER TABLE lake.db.t CREATE OR REPLACE TAG b RETAIN 3 MINUTES",
                "tag b=-1 for 180000 0 0; commit db.t; ");
    CHECK_TELLS("ALTER TABLE lake.db.t REPLACE TAG b AS OF VERSION 3",
                "tag b=3 there; commit db.t; ");
    CHECK_TELLS("ALTER TABLE lake.db.t CREATE BRANCH IF NOT EXISTS audit", "");
    CHECK_TELLS("ALTER TABLE lake.db.t CREATE BRANCH IF NOT EXISTS b",
                "branch b=-1 new; commit db.t; ");
    CHECK_TELLS("ALTER TABLE lake.db.t DROP BRANCH b, DROP TAG IF EXISTS c, DROP TAG IF EXISTS "
                "audit",
                "forget b; forget audit; commit db.t; ");
    CHECK_TELLS("ALTER TABLE lake.db.t CREATE TAG b WITH SNAPSHOT RETENTION 5 SNAPSHOTS",
                "invalid: a tag has one snapshot: WITH SNAPSHOT RETENTION is of branches");
    CHECK_TELLS("ALTER TABLE lake.db.t CREATE BRANCH b RETAIN 99999999999999 DAYS",
                "invalid: 99999999999999 is out of range here");
    CHECK_TELLS("ALTER TABLE lake.db.t CREATE BRANCH b RETAIN 99999999999999999999 DAYS",
                "invalid: 99999999999999999999 is out of range here");
    CHECK_TELLS("ALTER TABLE lake.db.t CREATE BRANCH b RETAIN 0 DAYS",
                "invalid: 0 is out of range here");
    CHECK_TELLS("ALTER TABLE lake.db.t CREATE TAG b RETAIN 1.5 DAYS",
                "invalid: a whole number is expected here, not 1.5");
    CHECK_TELLS("ALTER TABLE lake.db.t CREATE BRANCH b WITH SNAPSHOT RETENTION 1e2 SNAPSHOTS",
                "invalid: a whole number is expected here, not 1e2");
    CHECK_TELLS("ALTER TABLE lake.db.t CREATE BRANCH b AS OF VERSION NULL",
                "invalid: NULL is no snapshot");
    scene_close(&self.scene);
}

// The first row of a CALL as text, its numbers with commas between.
static bool answers(lake *self, const char *sql, const char *expected) {
    struct ArrowArrayStream rows = {0};
    struct ArrowArray batch = {0};
    char is[256] = "";
    told[0] = '\0';
    if (firn_query(self->scene.session, sql, FIRN_NUL_TERMINATED, &rows, &self->scene.err) ==
        FIRN_OK) {
        if (rows.get_next(&rows, &batch) == 0 && batch.release != NULL) {
            for (int64_t i = 0; i < batch.n_children; i++) {
                const struct ArrowArray *each = batch.children[i];
                const bool is_null = each->null_count != 0 && each->buffers[0] != NULL;
                const bool is_text = each->n_buffers != 2;
                const int64_t number =
                    is_null || is_text ? -1 : ((const int64_t *)each->buffers[1])[each->offset];
                const size_t used = strlen(is);
                (void)snprintf(is + used, sizeof is - used, "%s%lld", i == 0 ? "" : ",",
                               (long long)number);
            }
            batch.release(&batch);
        }
        rows.release(&rows);
    }
    const size_t used = strlen(is);
    (void)snprintf(is + used, sizeof is - used, " %s", told);
    const bool is_good = strcmp(is, expected) == 0;
    if (!is_good) {
        printf("%s\n  is %s\n%s\n", sql, is, self->scene.err.text);
    }
    return is_good;
}

#define CHECK_ANSWERS(sql, expected) CHECK(answers(&self, sql, expected))

TEST(call_moves_snapshots) {
    lake self;
    REQUIRE(lake_open(&self));
    CHECK_ANSWERS("CALL lake.system.rollback_to_snapshot(table => 'db.t', snapshot_id => 9)",
                  "10,9 back 9; commit db.t; ");
    CHECK_ANSWERS("CALL lake.system.Rollback_To_Snapshot('lake.db.\"t\"', 9)",
                  "10,9 back 9; commit db.t; ");
    CHECK_ANSWERS("CALL lake.system.rollback_to_timestamp('db.t', TIMESTAMP '2020-01-01 00:00:00')",
                  "10,5 back 5; commit db.t; ");
    CHECK_ANSWERS("CALL lake.system.set_current_snapshot('db.t', ref => 'audit')",
                  "10,7 branch main=7; commit db.t; ");
    CHECK_ANSWERS("CALL lake.system.set_current_snapshot('db.t', 8)",
                  "10,8 branch main=8; commit db.t; ");
    CHECK_ANSWERS("CALL lake.system.cherrypick_snapshot('db.t', 11)",
                  "11,11 pick 11; commit db.t; ");
    CHECK_ANSWERS("CALL lake.system.fast_forward('db.t', branch => 'main', to => 'audit')",
                  "-1,10,7 forward main=audit; commit db.t; ");
    CHECK_ANSWERS("CALL lake.system.fast_forward('db.t', 'brand_new', 'audit')",
                  "-1,-1,7 forward brand_new=audit; commit db.t; ");
    CHECK_TELLS("CALL lake.system.set_current_snapshot('db.t')",
                "invalid: set_current_snapshot wants either snapshot_id or ref");
    CHECK_TELLS("CALL lake.system.fast_forward('db.t', 'main', 'none')",
                "not found: there is no branch \"none\"");
    scene_close(&self.scene);
}

TEST(drop_and_rename_in_a_catalog_with_transactions) {
    lake self;
    REQUIRE(lake_open(&self));
    CHECK_TELLS("DROP TABLE lake.db.t", "commit -db.t; ");
    CHECK_TELLS("DROP TABLE lake.DB.SALES, lake.db.t", "commit -db.Sales -db.t; ");
    CHECK_TELLS("DROP TABLE IF EXISTS lake.db.none", "");
    CHECK_TELLS("DROP TABLE lake.db.none", "not found: there is no table \"none\"");
    CHECK_TELLS("DROP TABLE lake.db.t, lake.db.none", "not found: there is no table \"none\"");
    CHECK_TELLS("DROP VIEW lake.db.t", "invalid: \"t\" is a table, not a view");
    CHECK_TELLS("ALTER TABLE lake.db.SALES RENAME TO u", "db.Sales -> db.u; ");
    CHECK_TELLS("ALTER TABLE lake.db.t RENAME TO lake.other.u", "db.t -> other.u; ");
    CHECK_TELLS("ALTER TABLE lake.db.t RENAME TO memory.main.u",
                "unsupported: RENAME TO cannot take \"t\" to another catalog");
    CHECK_TELLS("CREATE SCHEMA lake.x COMMENT 'c' LOCATION '/l' WITH ('k' = 'v')",
                "new schema x k=v comment=c location=/l; ");
    CHECK_TELLS("COMMENT ON SCHEMA lake.db IS 'c'", "schema db comment=c; ");
    CHECK_TELLS("COMMENT ON SCHEMA lake.DB IS NULL", "schema db -comment; ");
    CHECK_TELLS("ALTER SCHEMA lake.db SET DBPROPERTIES ('k' = 'v')", "schema db k=v; ");
    CHECK_TELLS("ALTER SCHEMA lake.db UNSET DBPROPERTIES ('k', 'l')", "schema db -k -l; ");
    CHECK_TELLS("ALTER SCHEMA lake.db SET LOCATION '/x'", "schema db location=/x; ");
    CHECK_TELLS("ALTER SCHEMA IF EXISTS lake.none SET LOCATION '/x'", "");
    CHECK_TELLS("ALTER TABLE IF EXISTS lake.db.none DROP COLUMN id", "");
    vanishes = true; // What was there when it began is missed.
    CHECK_TELLS("ALTER TABLE IF EXISTS lake.db.t DROP COLUMN id", "not found: it is gone");
    vanishes = false;
    CHECK_TELLS("COMMENT ON SCHEMA lake.none IS 'c'",
                "not found: there is no schema \"none\" in the catalog \"lake\"");
    is_full = true;
    CHECK_TELLS("DROP SCHEMA lake.db", "invalid: not empty");
    CHECK_TELLS("DROP SCHEMA lake.DB CASCADE", "commit -db.Sales; commit -db.t; no schema db; ");
    CHECK_TELLS("BEGIN; ALTER TABLE lake.db.t DROP COLUMN id; DROP TABLE lake.db.Sales; COMMIT",
                "drop id; commit db.t -db.Sales; ");
    CHECK_TELLS("BEGIN; ALTER TABLE lake.db.t RENAME TO u",
                "unsupported: RENAME TO takes effect at once and cannot be done inside of a "
                "transaction");
    scene_close(&self.scene);
}
