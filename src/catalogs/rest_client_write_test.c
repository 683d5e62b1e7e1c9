#include "catalogs/rest_client.h"

#include "catalogs/rest_testing.h"
#include "catalogs/view_commit.h"

#define KEYS_STEP                                                                                  \
    {"GET http://h/api/v1/config",                                                                 \
     NULL,                                                                                         \
     200,                                                                                          \
     "{\"idempotency-key-lifetime\":\"PT30M\"}",                                                   \
     NULL,                                                                                         \
     NET_DONE}
#define REFUSAL(type, code)                                                                        \
    "{\"error\":{\"message\":\"m\",\"type\":\"" type "\",\"code\":" code "}}"
#define OPEN(steps) set_up(steps, COUNT(steps), (rest_options){.alias = TEXT("lake")})

static text db_level[] = {{.data = "d b", .size = 3}};
static const namespace_path db = {.count = 1, .items = db_level};
static text ab_levels[] = {{.data = "a", .size = 1}, {.data = "b", .size = 1}};
static const namespace_path ab = {.count = 2, .items = ab_levels};

static object_name named(namespace_path space, const char *name) {
    return (object_name){.space = space, .name = text_of(name)};
}

static commit_part part_of(uint32_t kind, const char *name) {
    commit_part part = {.name = named(db, name), .form = COMMIT_UPDATES};
    part.kind = kind;
    part.updates.requirements = TEXT("[{\"type\":\"assert-create\"}]");
    part.updates.updates = TEXT("[{\"action\":\"assign-uuid\"}]");
    return part;
}

#define TABLE_URL "POST http://h/api/v1/namespaces/d%20b/tables/t"
#define TABLE_BODY                                                                                 \
    "|{\"identifier\":{\"namespace\":[\"d b\"],\"name\":\"t\"},\"requirements\":[{\"type\":"       \
    "\"assert-create\"}],\"updates\":[{\"action\":\"assign-uuid\"}]}"

#define STAGE_URL "POST http://h/api/v1/namespaces/d%20b/tables"
#define TYPED(name_, type_) {.name = {.data = (name_), .size = sizeof(name_) - 1}, .type = (type_)}

static table_definition definition_of(const field *fields, uint32_t count) {
    static const firn_option properties[] = {{"a", "1"}};
    return (table_definition){.columns = {.count = count, .fields = fields},
                              .property_count = 1,
                              .properties = properties};
}

TEST(rest_client_changes_namespaces) {
    const step steps[] = {
        CONFIG_STEP,
        {"POST http://h/api/v1/namespaces",
         "|{\"namespace\":[\"a\",\"b\"],\"properties\":{\"owner\":\"me\"}}", 200, "{}", NULL,
         NET_DONE},
        {"POST http://h/api/v1/namespaces", NULL, 409, REFUSAL("AlreadyExistsException", "409"),
         NULL, NET_DONE},
        {"POST http://h/api/v1/namespaces/a%1Fb/properties",
         "|{\"removals\":[\"x\"],\"updates\":{\"owner\":\"me\"}}", 200, "{}", NULL, NET_DONE},
        {"POST http://h/api/v1/namespaces/a%1Fb/properties", NULL, 404,
         REFUSAL("NoSuchNamespaceException", "404"), NULL, NET_DONE},
        {"DELETE http://h/api/v1/namespaces/a%1Fb", NULL, 204, NULL, NULL, NET_DONE},
        {"DELETE http://h/api/v1/namespaces/a%1Fb", NULL, 404,
         REFUSAL("NoSuchNamespaceException", "404"), NULL, NET_DONE},
        {"DELETE http://h/api/v1/namespaces/a%1Fb", NULL, 409,
         REFUSAL("NamespaceNotEmptyException", "409"), NULL, NET_DONE},
        {"DELETE http://h/api/v1/namespaces/a%1Fb", NULL, 400,
         REFUSAL("NamespaceNotEmptyException", "400"), NULL, NET_DONE},
        {"DELETE http://h/api/v1/namespaces/a%1Fb", NULL, 0, NULL, NULL, NET_BROKEN},
        {"POST http://h/api/v1/namespaces", NULL, 503, NULL, "Retry-After: 0", NET_DONE},
    };
    setting *s = OPEN(steps);
    const firn_option set[] = {{"owner", "me"}};
    const char *const removed[] = {"x"};
    const namespace_change made = {.is_new = true, .properties = {.set_count = 1, .set = set}};
    const namespace_change changed = {
        .properties = {.set_count = 1, .set = set, .removed_count = 1, .removed = removed}};
    CHECK(rest_client_change_namespace(s->client, ab, &made, &err) == FIRN_OK);
    CHECK(rest_client_change_namespace(s->client, ab, &made, &err) == FIRN_CONFLICT);
    CHECK(strcmp(err.sqlstate, "42P06") == 0);
    CHECK(rest_client_change_namespace(s->client, ab, &changed, &err) == FIRN_OK);
    CHECK(rest_client_change_namespace(s->client, ab, &changed, &err) == FIRN_NOT_FOUND);
    CHECK(strcmp(err.sqlstate, "3F000") == 0);
    CHECK(rest_client_drop_namespace(s->client, ab, &err) == FIRN_OK);
    CHECK(rest_client_drop_namespace(s->client, ab, &err) == FIRN_NOT_FOUND);
    for (int i = 0; i < 2; i++) {
        CHECK(rest_client_drop_namespace(s->client, ab, &err) == FIRN_INVALID);
        CHECK(strcmp(err.sqlstate, "2BP01") == 0);
    }
    CHECK(rest_client_drop_namespace(s->client, ab, &err) == FIRN_COMMIT_UNKNOWN);
    CHECK(says("whether it was done is not known"));
    // A proxy says so as well when it has lost the server: it is not sent again.
    CHECK(rest_client_change_namespace(s->client, ab, &made, &err) == FIRN_COMMIT_UNKNOWN);
    CHECK(rest_client_drop_namespace(s->client, (namespace_path){0}, &err) == FIRN_INVALID);
    tear_down(s);
}

TEST(rest_client_drops_and_renames) {
    const step steps[] = {
        {"GET http://h/api/v1/config", NULL, 200,
         "{\"endpoints\":[\"POST /v1/{prefix}/tables/rename\",\"POST /v1/{prefix}/views/rename\","
         "\"DELETE /v1/{prefix}/namespaces/{namespace}/tables/{table}\"]}",
         NULL, NET_DONE},
        {"DELETE http://h/api/v1/namespaces/d%20b/tables/t?purgeRequested=true", NULL, 204, NULL,
         NULL, NET_DONE},
        {"DELETE http://h/api/v1/namespaces/d%20b/tables/t?purgeRequested=false", NULL, 404,
         REFUSAL("NoSuchTableException", "404"), NULL, NET_DONE},
        {"POST http://h/api/v1/tables/rename",
         "|{\"source\":{\"namespace\":[\"d b\"],\"name\":\"t\"},\"destination\":{\"namespace\":"
         "[\"a\",\"b\"],\"name\":\"u\\\"\"}}",
         204, NULL, NULL, NET_DONE},
        {"POST http://h/api/v1/views/rename", NULL, 404, REFUSAL("NoSuchViewException", "404"),
         NULL, NET_DONE},
        {"POST http://h/api/v1/tables/rename", NULL, 404,
         REFUSAL("NoSuchNamespaceException", "404"), NULL, NET_DONE},
        {"POST http://h/api/v1/tables/rename", NULL, 409, REFUSAL("AlreadyExistsException", "409"),
         NULL, NET_DONE},
    };
    setting *s = OPEN(steps);
    CHECK(rest_client_drop(s->client, named(db, "t"), false, true, &err) == FIRN_OK);
    CHECK(rest_client_drop(s->client, named(db, "t"), false, false, &err) == FIRN_NOT_FOUND);
    CHECK(strcmp(err.sqlstate, "42P01") == 0);
    CHECK(rest_client_drop(s->client, named(db, "v"), true, false, &err) == FIRN_UNSUPPORTED);
    CHECK(says("cannot drop views"));
    CHECK(rest_client_rename(s->client, named(db, "t"), named(ab, "u\""), false, &err) == FIRN_OK);
    CHECK(rest_client_rename(s->client, named(db, "t"), named(ab, "u"), true, &err) ==
          FIRN_NOT_FOUND);
    CHECK(strcmp(err.sqlstate, "42P01") == 0);
    CHECK(rest_client_rename(s->client, named(db, "t"), named(ab, "u"), false, &err) ==
          FIRN_NOT_FOUND);
    CHECK(strcmp(err.sqlstate, "3F000") == 0);
    CHECK(rest_client_rename(s->client, named(db, "t"), named(ab, "u"), false, &err) ==
          FIRN_CONFLICT);
    CHECK(strcmp(err.sqlstate, "42P07") == 0);
    tear_down(s);
}

// ---- Views -------------------------------------------------------------------------------------

#define VIEW_URL "http://h/api/v1/namespaces/d%20b/views/v"
#define VIEW_CONFIG_STEP                                                                           \
    {"GET http://h/api/v1/config",                                                                 \
     NULL,                                                                                         \
     200,                                                                                          \
     "{\"endpoints\":[\"GET /v1/{prefix}/namespaces/{namespace}/tables/{table}\","                 \
     "\"GET /v1/{prefix}/namespaces/{namespace}/views/{view}\","                                   \
     "\"POST /v1/{prefix}/namespaces/{namespace}/views/{view}\"]}",                                \
     NULL,                                                                                         \
     NET_DONE}
#define VIEW_STEP(properties)                                                                      \
    {"GET " VIEW_URL,                                                                              \
     NULL,                                                                                         \
     200,                                                                                          \
     "{\"metadata-location\":\"m\",\"metadata\":{\"view-uuid\":\"u\",\"location\":\"l\","          \
     "\"properties\":{" properties "}}}",                                                          \
     NULL,                                                                                         \
     NET_DONE}
#define HAS_BOTH "\"a\":\"0\",\"b\":\"2\""
#define IMPATIENT "\"commit.retry.num-retries\":\"1\",\"commit.retry.min-wait-ms\":\"1\""
#define NO_TABLE_STEP                                                                              \
    {"GET http://h/api/v1/namespaces/d%20b/tables/v?snapshots=all", NULL, 404, NULL, NULL, NET_DONE}
#define CONFLICT_STEP                                                                              \
    {"POST " VIEW_URL, NULL, 409, REFUSAL("CommitFailedException", "409"), NULL, NET_DONE}

static firn_status attempt(void *user, object_name name, const view_change *change, arena *memory,
                           commit_options *retry, firn_error *error) {
    return rest_client_change_view(user, name, change, memory, retry, error);
}

static firn_status change_properties(setting *s, const property_change *change) {
    const view_change all = {.kind = VIEW_PROPERTIES, .properties = change};
    err = (firn_error)FIRN_ERROR_INIT;
    TRY(rest_client_connect(s->client, NULL, &err));
    return view_commit(attempt, s->client, named(db, "v"), &all, (size_t)1 << 20, NULL, &err);
}

static const firn_option view_set[] = {{"a", "1"}};
static const char *const view_removed[] = {"b"};
static const char *const view_none[] = {"c"};
static const property_change both = {
    .set_count = 1, .set = view_set, .removed_count = 1, .removed = view_removed};

TEST(rest_client_changes_properties_of_views) {
    const step steps[] = {
        VIEW_CONFIG_STEP,
        NO_TABLE_STEP,
        VIEW_STEP(HAS_BOTH),
        {"POST " VIEW_URL,
         "|{\"identifier\":{\"namespace\":[\"d b\"],\"name\":\"v\"},\"requirements\":[{\"type\":"
         "\"assert-view-uuid\",\"uuid\":\"u\"}],\"updates\":[{\"action\":\"set-properties\","
         "\"updates\":{\"a\":\"1\"}},{\"action\":\"remove-properties\",\"removals\":[\"b\"]}]}",
         200, "{}", NULL, NET_DONE},
        NO_TABLE_STEP,
        VIEW_STEP(HAS_BOTH), // Nothing is to be done: nothing is sent.
        NO_TABLE_STEP,
        VIEW_STEP(HAS_BOTH),
        {"POST " VIEW_URL, NULL, 503, NULL, NULL, NET_DONE}, // It may be done: not once more.
        NO_TABLE_STEP,
        {"GET " VIEW_URL, NULL, 404, REFUSAL("NoSuchViewException", "404"), NULL, NET_DONE},
    };
    setting *s = OPEN(steps);
    const property_change nothing = {.removed_count = 1, .removed = view_none};
    CHECK(change_properties(s, &both) == FIRN_OK);
    CHECK(change_properties(s, &nothing) == FIRN_OK);
    CHECK(change_properties(s, &both) == FIRN_COMMIT_UNKNOWN);
    CHECK(change_properties(s, &both) == FIRN_NOT_FOUND);
    CHECK(strcmp(err.sqlstate, "42P01") == 0);
    tear_down(s);
}

TEST(rest_client_changes_views_again_that_others_changed_first) {
    const step steps[] = {
        VIEW_CONFIG_STEP,
        NO_TABLE_STEP,
        VIEW_STEP(HAS_BOTH),
        CONFLICT_STEP,
        NO_TABLE_STEP,
        VIEW_STEP("\"x\":\"others\""), // On top of which there is nothing to remove.
        {"POST " VIEW_URL,
         "|{\"identifier\":{\"namespace\":[\"d b\"],\"name\":\"v\"},\"requirements\":[{\"type\":"
         "\"assert-view-uuid\",\"uuid\":\"u\"}],\"updates\":[{\"action\":\"set-properties\","
         "\"updates\":{\"a\":\"1\"}}]}",
         200, "{}", NULL, NET_DONE},
        // Its properties say that it is tried twice.
        NO_TABLE_STEP,
        VIEW_STEP(IMPATIENT),
        CONFLICT_STEP,
        NO_TABLE_STEP,
        VIEW_STEP(IMPATIENT),
        CONFLICT_STEP,
        // Dropped meanwhile, which the server says as well as that it is not there.
        NO_TABLE_STEP,
        VIEW_STEP(IMPATIENT),
        {"POST " VIEW_URL, NULL, 404, REFUSAL("NoSuchViewException", "404"), NULL, NET_DONE},
        NO_TABLE_STEP,
        {"GET " VIEW_URL, NULL, 404, REFUSAL("NoSuchViewException", "404"), NULL, NET_DONE},
    };
    setting *s = OPEN(steps);
    CHECK(change_properties(s, &both) == FIRN_OK);
    CHECK(change_properties(s, &both) == FIRN_CONFLICT);
    CHECK(strcmp(err.sqlstate, "40001") == 0 && err.retryable);
    CHECK(says("others changed the view \"v\" first, in each of 2 attempts"));
    CHECK(change_properties(s, &both) == FIRN_CONFLICT);
    CHECK(says("others dropped the view \"v\" meanwhile") && strcmp(err.sqlstate, "40001") == 0);
    tear_down(s);
}

// Nothing is sent for them: a server would take "DROP TABLE db." for DROP SCHEMA, and "a.b" for two
// levels.
TEST(rest_client_refuses_names_that_mean_other_paths) {
    static const struct {
        const char *separator;
        const char *level;
        const char *name;
        const char *said; // NULL: it is asked for.
    } cases[] = {
        {"%1F", "d", "..", "the name of a table is \"..\""},
        {"%1F", "d", ".", "the name of a table is \".\""},
        {"%1F", "d", "", "the name of a table is empty"},
        {"%1F", "d", "\xff", "the name of a table is not UTF-8"},
        {"%1F", "..", "t", "level 1 of a namespace is \"..\""},
        {"%1F", "a\x1f", "t", "level 1 of a namespace, \"a\x1f\", holds"},
        {"%2E", "a.b", "t", "holds what catalog \"lake\" puts between levels (%2E)"},
        {".", ".a", "t", "holds what catalog"},
        {"--", "a-", "t", "holds what catalog"},
        {"%1F", "a.b", "...", NULL},
        {"--", "-a", "t", NULL},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char config[128];
        (void)snprintf(config, sizeof config, "{\"overrides\":{\"namespace-separator\":\"%s\"}}",
                       cases[i].separator);
        char line[128];
        (void)snprintf(line, sizeof line,
                       "DELETE http://h/api/v1/namespaces/%s/tables/%s?purgeRequested=false",
                       cases[i].level, cases[i].name);
        const bool is_asked = cases[i].said == NULL;
        const step steps[] = {
            {"GET http://h/api/v1/config", NULL, 200, config, NULL, NET_DONE},
            {line, NULL, 204, NULL, NULL, NET_DONE},
        };
        setting *s = set_up(steps, is_asked ? 2 : 1, (rest_options){.alias = TEXT("lake")});
        text levels[] = {text_of(cases[i].level)};
        const object_name name = named(space_of(levels, 1), cases[i].name);
        const firn_status status = rest_client_drop(s->client, name, false, false, &err);
        CHECK(status == (is_asked ? FIRN_OK : FIRN_INVALID));
        CHECK(is_asked || says(cases[i].said));
        if (!is_asked) {
            CHECK(rest_client_rename(s->client, name, named(db, "u"), false, &err) == FIRN_INVALID);
            CHECK(rest_client_rename(s->client, named(db, "u"), name, false, &err) == FIRN_INVALID);
        }
        tear_down(s);
    }
}

typedef struct outcome {
    const char *what;
    uint32_t status; // 0: `end` and no answer.
    net_end end;
    firn_status result;
    commit_answer answer; // Of FIRN_OK.
} outcome;

// What each answer to a commit means when the server knows no keys: nothing is sent twice.
TEST(rest_client_tells_what_an_answer_to_a_commit_means) {
    static const outcome outcomes[] = {
        {"done", 200, NET_DONE, FIRN_OK, COMMIT_DONE},
        {"done without a body", 204, NET_DONE, FIRN_OK, COMMIT_DONE},
        {"another was first", 409, NET_DONE, FIRN_OK, COMMIT_CONFLICT},
        {"malformed", 400, NET_DONE, FIRN_INVALID, COMMIT_DONE},
        {"no rights", 401, NET_DONE, FIRN_INVALID, COMMIT_DONE},
        {"forbidden", 403, NET_DONE, FIRN_INVALID, COMMIT_DONE},
        {"no such table", 404, NET_DONE, FIRN_NOT_FOUND, COMMIT_DONE},
        {"a token that ended", 419, NET_DONE, FIRN_INVALID, COMMIT_DONE},
        {"not as asked", 422, NET_DONE, FIRN_INVALID, COMMIT_DONE},
        {"cannot", 501, NET_DONE, FIRN_UNSUPPORTED, COMMIT_DONE},
        {"a redirect", 307, NET_DONE, FIRN_IO, COMMIT_DONE},
        {"time is over", 408, NET_DONE, FIRN_OK, COMMIT_UNKNOWN},
        {"broken", 500, NET_DONE, FIRN_OK, COMMIT_UNKNOWN},
        {"a gateway", 502, NET_DONE, FIRN_OK, COMMIT_UNKNOWN},
        {"later", 503, NET_DONE, FIRN_OK, COMMIT_UNKNOWN},
        {"a gateway's time is over", 504, NET_DONE, FIRN_OK, COMMIT_UNKNOWN},
        {"cut", 0, NET_BROKEN, FIRN_OK, COMMIT_UNKNOWN},
        {"cut in the answer", 200, NET_BROKEN, FIRN_OK, COMMIT_UNKNOWN},
        {"no HTTP", 0, NET_GARBAGE, FIRN_OK, COMMIT_UNKNOWN},
        {"not sent", 0, NET_REFUSED, FIRN_IO, COMMIT_DONE},
    };
    for (size_t i = 0; i < COUNT(outcomes); i++) {
        const outcome *each = &outcomes[i];
        const step steps[] = {
            CONFIG_STEP,
            {TABLE_URL, TABLE_BODY, each->status,
             each->status == 204 ? NULL : REFUSAL("SomeException", "0"), NULL, each->end},
        };
        setting *s = OPEN(steps);
        commit_part part = part_of(PART_CREATE, "t");
        commit_answer answer = COMMIT_DONE;
        const firn_status status = rest_client_commit(
            s->client, &(commit_parts){.count = 1, .items = &part}, UINT32_MAX, &answer, &err);
        const bool is_right = status == each->result && (status != FIRN_OK) == (err.length > 0) &&
                              (status != FIRN_OK || answer == each->answer);
        if (!is_right) {
            (void)fprintf(stderr, "%s: status %d, answer %d\n", each->what, (int)status,
                          (int)answer);
        }
        CHECK(is_right);
        tear_down(s);
    }
}

TEST(rest_client_takes_a_table_that_is_gone_for_a_conflict) {
    const step steps[] = {
        CONFIG_STEP,
        {TABLE_URL, TABLE_BODY, 404, REFUSAL("NoSuchTableException", "404"), NULL, NET_DONE},
    };
    setting *s = OPEN(steps);
    commit_part part = part_of(PART_CHANGE, "t");
    commit_answer answer;
    CHECK(rest_client_commit(s->client, &(commit_parts){.count = 1, .items = &part}, UINT32_MAX,
                             &answer, &err) == FIRN_OK);
    CHECK(answer == COMMIT_CONFLICT && err.length == 0);
    tear_down(s);
}

TEST(rest_client_sends_a_commit_again_when_it_was_not_done) {
    const step steps[] = {
        CONFIG_STEP,
        {TABLE_URL, TABLE_BODY, 429, NULL, "Retry-After: 0", NET_DONE},
        {TABLE_URL, TABLE_BODY, 0, NULL, NULL, NET_UNREACHED},
        {TABLE_URL, TABLE_BODY, 200, "{}", NULL, NET_DONE},
    };
    setting *s = OPEN(steps);
    commit_part part = part_of(PART_CHANGE, "t");
    commit_answer answer;
    CHECK(rest_client_commit(s->client, &(commit_parts){.count = 1, .items = &part}, 60000, &answer,
                             &err) == FIRN_OK);
    CHECK(answer == COMMIT_DONE);
    tear_down(s);
}

TEST(rest_client_fetches_a_token_for_a_commit) {
    const char *const given = "{\"access_token\":\"new\",\"token_type\":\"bearer\"}";
    const step steps[] = {
        {"POST http://h/api/v1/oauth/tokens", NULL, 200, given, NULL, NET_DONE},
        CONFIG_STEP,
        {TABLE_URL, TABLE_BODY, 419, NULL, NULL, NET_DONE},
        {"POST http://h/api/v1/oauth/tokens", NULL, 200, given, NULL, NET_DONE},
        {TABLE_URL, "Authorization: Bearer new", 200, "{}", NULL, NET_DONE},
        {TABLE_URL, TABLE_BODY, 401, NULL, NULL, NET_DONE},
        {"POST http://h/api/v1/oauth/tokens", NULL, 200, given, NULL, NET_DONE},
        {TABLE_URL, TABLE_BODY, 504, NULL, NULL, NET_DONE},
    };
    setting *s = set_up(steps, COUNT(steps), (rest_options){.credential = TEXT("me:secret")});
    commit_part part = part_of(PART_CHANGE, "t");
    const commit_parts parts = {.count = 1, .items = &part};
    commit_answer answer;
    CHECK(rest_client_commit(s->client, &parts, UINT32_MAX, &answer, &err) == FIRN_OK);
    CHECK(answer == COMMIT_DONE);
    CHECK(rest_client_commit(s->client, &parts, UINT32_MAX, &answer, &err) == FIRN_OK);
    CHECK(answer == COMMIT_UNKNOWN);
    tear_down(s);
}

#define OWN_TABLE(token)                                                                           \
    "{\"config\":{\"token\":\"" token                                                              \
    "\",\"header.X-Table\":\"seven\",\"header.Accept\":\"no\",\"s3."                               \
    "access-key-id\":\"k\"},\"metadata\":{\"location\":\"s3://w/t\"}}"
#define LOAD_URL "GET http://h/api/v1/namespaces/d%20b/tables/t?snapshots=all"

// What the server says when a table is staged or loaded counts for what is asked about it next; a
// token that it does not take any more costs a request, not the commit.
TEST(rest_client_asks_with_what_a_table_has_of_its_own) {
    const char *const given = "{\"access_token\":\"new\",\"token_type\":\"bearer\"}";
    const step steps[] = {
        {"POST http://h/api/v1/oauth/tokens", NULL, 200, given, NULL, NET_DONE},
        CONFIG_STEP,
        {STAGE_URL, "Authorization: Bearer new;", 200, OWN_TABLE("staged"), NULL, NET_DONE},
        {TABLE_URL, "Authorization: Bearer staged;Content-Type: application/json;X-Table: seven;",
         200, "{}", NULL, NET_DONE},
        {LOAD_URL, "Accept: application/json;Authorization: Bearer staged;X-Table: seven;", 200,
         OWN_TABLE("loaded"), NULL, NET_DONE},
        {TABLE_URL, "Authorization: Bearer loaded;", 419, NULL, NULL, NET_DONE},
        {TABLE_URL, "Authorization: Bearer new;", 401, NULL, NULL, NET_DONE},
        {"POST http://h/api/v1/oauth/tokens", NULL, 200, given, NULL, NET_DONE},
        {TABLE_URL, "Authorization: Bearer new;", 200, "{}", NULL, NET_DONE},
        {TABLE_URL, "Authorization: Bearer loaded;", 403,
         "{\"error\":{\"message\":\"loaded, seven\",\"type\":\"E\",\"code\":403}}", NULL, NET_DONE},
        // Not of a drop, nor of other tables, nor of several.
        {"DELETE http://h/api/v1/namespaces/d%20b/tables/t?purgeRequested=false",
         "Authorization: Bearer new;", 204, NULL, NULL, NET_DONE},
        {"POST http://h/api/v1/transactions/commit", "Authorization: Bearer new;", 204, NULL, NULL,
         NET_DONE},
        // A table that says nothing any more.
        {LOAD_URL, "Authorization: Bearer loaded;", 200, "{\"metadata\":{}}", NULL, NET_DONE},
        {TABLE_URL, "Authorization: Bearer new;", 200, "{}", NULL, NET_DONE},
    };
    setting *s = set_up(steps, COUNT(steps), (rest_options){.credential = TEXT("me:secret")});
    const field fields[] = {TYPED("x", TYPE_OF(BIGINT))};
    const table_definition wanted = definition_of(fields, 1);
    table_definition staged;
    loaded_table table;
    const rest_load what = {.space = db, .name = TEXT("t")};
    commit_part items[] = {part_of(PART_CREATE, "t"), part_of(PART_CHANGE, "u")};
    const commit_parts one = {.count = 1, .items = items};
    commit_answer answer = COMMIT_UNKNOWN;
    REQUIRE(rest_client_stage(s->client, named(db, "t"), &wanted, &s->memory, &staged, NULL,
                              &err) == FIRN_OK);
    CHECK(rest_client_commit(s->client, &one, UINT32_MAX, &answer, &err) == FIRN_OK);
    CHECK(rest_client_load(s->client, &what, &s->memory, &table, NULL, &err) == FIRN_OK);
    items[0].kind = PART_CHANGE;
    CHECK(rest_client_commit(s->client, &one, 60000, &answer, &err) == FIRN_OK);
    CHECK(answer == COMMIT_DONE);
    CHECK(rest_client_commit(s->client, &one, UINT32_MAX, &answer, &err) == FIRN_INVALID);
    CHECK(says("its message holds a secret") && strstr(err.text, "seven") == NULL);
    CHECK(rest_client_drop(s->client, named(db, "t"), false, false, &err) == FIRN_OK);
    CHECK(rest_client_commit(s->client, &(commit_parts){.count = 2, .items = items}, UINT32_MAX,
                             &answer, &err) == FIRN_OK);
    CHECK(rest_client_load(s->client, &what, &s->memory, &table, NULL, &err) == FIRN_OK);
    CHECK(rest_client_commit(s->client, &one, UINT32_MAX, &answer, &err) == FIRN_OK);
    tear_down(s);
}

TEST(rest_client_repeats_under_one_key) {
    const struct {
        uint32_t first;
        uint32_t second; // 0: it is not asked again.
        commit_answer answer;
    } cases[] = {
        {200, 0, COMMIT_DONE},      {409, 0, COMMIT_CONFLICT},  {503, 200, COMMIT_DONE},
        {504, 409, COMMIT_UNKNOWN}, {500, 400, COMMIT_UNKNOWN}, {502, 502, COMMIT_UNKNOWN},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        const step steps[] = {
            KEYS_STEP,
            {TABLE_URL, "Idempotency-Key: ", cases[i].first, "{}", NULL, NET_DONE},
            {TABLE_URL, "Idempotency-Key: ", cases[i].second, "{}", NULL, NET_DONE},
        };
        setting *s =
            set_up(steps, cases[i].second == 0 ? 2 : 3, (rest_options){.alias = TEXT("lake")});
        commit_part part = part_of(PART_CHANGE, "t");
        commit_answer answer;
        CHECK(rest_client_commit(s->client, &(commit_parts){.count = 1, .items = &part}, UINT32_MAX,
                                 &answer, &err) == FIRN_OK);
        CHECK(answer == cases[i].answer);
        tear_down(s);
    }
}

TEST(rest_client_commits_several_tables) {
    const step steps[] = {
        CONFIG_STEP,
        {"POST http://h/api/v1/transactions/commit",
         "|{\"table-changes\":[{\"identifier\":{\"namespace\":[\"d b\"],\"name\":\"t\"},", 204,
         NULL, NULL, NET_DONE},
        {"POST http://h/api/v1/transactions/commit",
         "\"updates\":[{\"action\":\"assign-uuid\"}]},{\"identifier\":{\"namespace\":[\"d b\"],"
         "\"name\":\"u\"},",
         409, NULL, NULL, NET_DONE},
    };
    setting *s = OPEN(steps);
    commit_part items[] = {part_of(PART_CHANGE, "t"), part_of(PART_CHANGE, "u")};
    const commit_parts parts = {.count = 2, .items = items};
    commit_answer answer;
    CHECK(rest_client_commit(s->client, &parts, UINT32_MAX, &answer, &err) == FIRN_OK);
    CHECK(answer == COMMIT_DONE);
    CHECK(rest_client_commit(s->client, &parts, UINT32_MAX, &answer, &err) == FIRN_OK);
    CHECK(answer == COMMIT_CONFLICT);
    items[1].kind = PART_DROP;
    CHECK(rest_client_commit(s->client, &parts, UINT32_MAX, &answer, &err) == FIRN_UNSUPPORTED);
    CHECK(says("cannot drop a table together"));
    tear_down(s);
}

TEST(rest_client_drops_by_a_commit) {
    const step steps[] = {
        CONFIG_STEP,
        {"DELETE http://h/api/v1/namespaces/d%20b/tables/t?purgeRequested=true", NULL, 204, NULL,
         NULL, NET_DONE},
        {"DELETE http://h/api/v1/namespaces/d%20b/tables/t?purgeRequested=false", NULL, 0, NULL,
         NULL, NET_BROKEN},
    };
    setting *s = OPEN(steps);
    commit_part part = part_of(PART_DROP, "t");
    const commit_parts parts = {.count = 1, .items = &part};
    commit_answer answer;
    part.purges = true;
    CHECK(rest_client_commit(s->client, &parts, UINT32_MAX, &answer, &err) == FIRN_OK);
    CHECK(answer == COMMIT_DONE);
    part.purges = false;
    CHECK(rest_client_commit(s->client, &parts, UINT32_MAX, &answer, &err) == FIRN_OK);
    CHECK(answer == COMMIT_UNKNOWN);
    tear_down(s);
}

// ---- Staged creates ----------------------------------------------------------------------------

TEST(rest_client_stages_what_the_server_says) {
    const step steps[] = {
        CONFIG_STEP,
        {STAGE_URL,
         "|{\"name\":\"t\",\"schema\":{\"type\":\"struct\",\"schema-id\":0,\"fields\":[{\"id\":1,"
         "\"name\":\"x\",\"required\":true,\"type\":\"long\"}]},\"stage-create\":true,"
         "\"properties\":{\"a\":\"1\"}}",
         200, "{\"metadata\":{\"location\":\"s3://w/t\",\"properties\":{\"a\":\"2\",\"b\":\"3\"}}}",
         NULL, NET_DONE},
        {STAGE_URL, NULL, 200, "{\"metadata\":{\"location\":\"\"}}", NULL, NET_DONE},
        {STAGE_URL, NULL, 404, REFUSAL("NoSuchNamespaceException", "404"), NULL, NET_DONE},
        {STAGE_URL, NULL, 403, REFUSAL("ForbiddenException", "403"), NULL, NET_DONE},
    };
    setting *s = OPEN(steps);
    const field fields[] = {TYPED("x", TYPE_OF(BIGINT))};
    const table_definition wanted = definition_of(fields, 1);
    table_definition out;
    REQUIRE(rest_client_stage(s->client, named(db, "t"), &wanted, &s->memory, &out, NULL, &err) ==
            FIRN_OK);
    CHECK(text_equal(out.location, TEXT("s3://w/t")) && out.property_count == 2);
    CHECK(strcmp(out.properties[0].value, "1") == 0);
    CHECK(strcmp(out.properties[1].key, "b") == 0 && strcmp(out.properties[1].value, "3") == 0);
    CHECK(rest_client_stage(s->client, named(db, "t"), &wanted, &s->memory, &out, NULL, &err) ==
          FIRN_CORRUPT);
    CHECK(rest_client_stage(s->client, named(db, "t"), &wanted, &s->memory, &out, NULL, &err) ==
          FIRN_NOT_FOUND);
    CHECK(strcmp(err.sqlstate, "3F000") == 0);
    CHECK(rest_client_stage(s->client, named(db, "t"), &wanted, &s->memory, &out, NULL, &err) ==
          FIRN_INVALID);
    CHECK(strcmp(err.sqlstate, "42501") == 0);
    tear_down(s);
}

TEST(rest_client_finds_a_location_where_a_server_does_not_stage) {
    const step steps[] = {
        CONFIG_STEP,
        {STAGE_URL, NULL, 501, "{}", NULL, NET_DONE},
        {"GET http://h/api/v1/namespaces/d%20b", NULL, 200,
         "{\"namespace\":[\"d b\"],\"properties\":{\"location\":\"s3://n/\"}}", NULL, NET_DONE},
        {STAGE_URL, NULL, 405, "{}", NULL, NET_DONE},
        {"GET http://h/api/v1/namespaces/d%20b", NULL, 200,
         "{\"namespace\":[\"d b\"],\"properties\":{}}", NULL, NET_DONE},
        // A table that is to be replaced stays where it is.
        {STAGE_URL, NULL, 409, "{}", NULL, NET_DONE},
        {"GET http://h/api/v1/namespaces/d%20b/tables/t?snapshots=refs", NULL, 200,
         "{\"metadata-location\":\"m\",\"metadata\":{\"location\":\"s3://old/t\"}}", NULL,
         NET_DONE},
    };
    setting *s = OPEN(steps);
    const field fields[] = {TYPED("x", TYPE_OF(BIGINT))};
    const table_definition wanted = definition_of(fields, 1);
    table_definition out;
    REQUIRE(rest_client_stage(s->client, named(db, "t"), &wanted, &s->memory, &out, NULL, &err) ==
            FIRN_OK);
    CHECK(text_equal(out.location, TEXT("s3://n/t")));
    CHECK(rest_client_stage(s->client, named(db, "t"), &wanted, &s->memory, &out, NULL, &err) ==
          FIRN_INVALID);
    CHECK(says("nothing says where"));
    REQUIRE(rest_client_stage(s->client, named(db, "t"), &wanted, &s->memory, &out, NULL, &err) ==
            FIRN_OK);
    CHECK(text_equal(out.location, TEXT("s3://old/t")));
    tear_down(s);
}

// ---- Faults ------------------------------------------------------------------------------------

// Each allocation and each request fails in turn. A commit that was seen by the server is never
// said not to be done, and one that was not is never said to be.
TEST(rest_client_commits_tell_the_truth_under_faults) {
    static const host_call kinds[] = {HOST_ALLOC, HOST_REQUEST};
    for (size_t i = 0; i < COUNT(kinds); i++) {
        bool is_over = false;
        for (uint64_t at = 1; !is_over; at++) {
            REQUIRE(at < 4000);
            const bool has_keys = at % 2 == 0; // Then what failed is sent again.
            const step done = {TABLE_URL, TABLE_BODY, 200, "{}", NULL, NET_DONE};
            const step steps[] = {has_keys ? (step)KEYS_STEP : (step)CONFIG_STEP, done, done};
            setting *s = OPEN(steps);
            REQUIRE(rest_client_connect(s->client, NULL, &err) == FIRN_OK);
            commit_part part = part_of(PART_CHANGE, "t");
            commit_answer answer = COMMIT_DONE;
            host_fault_set(kinds[i], (at + 1) / 2);
            const firn_status status = rest_client_commit(
                s->client, &(commit_parts){.count = 1, .items = &part}, UINT32_MAX, &answer, &err);
            host_fault_set(kinds[i], 0);
            const bool was_seen = s->net.request_count >= 2;
            const bool is_done = status == FIRN_OK && answer == COMMIT_DONE;
            is_over = is_done && !has_keys;
            CHECK(answer != COMMIT_CONFLICT);
            CHECK(!is_done || was_seen);
            CHECK(!was_seen || status == FIRN_OK);
            s->play.count = s->net.request_count; // Perhaps nothing was sent.
            tear_down(s);
        }
    }
}
