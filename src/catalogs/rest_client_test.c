#include "catalogs/rest_client.h"

#include <stdio.h>

#include "catalogs/rest_testing.h"

TEST(rest_client_lists_namespaces_page_by_page) {
    const step steps[] = {
        {"GET http://h/api/v1/config?warehouse=s3%3A%2F%2Fw%2F", "Accept: application/json", 200,
         "{\"defaults\":{},\"overrides\":{\"prefix\":\"p/q\"}}", NULL, NET_DONE},
        {"GET http://h/api/v1/p/q/namespaces?pageToken=", NULL, 200,
         "{\"namespaces\":[[\"a\"],[\"..\"],[\"\"],[\"a\\u001fb\"],[\"b\"]],\"next-page-token\":"
         "\"x y\"}",
         NULL, NET_DONE},
        {"GET http://h/api/v1/p/q/namespaces?pageToken=x%20y", NULL, 200,
         // One was there before, one comes twice, one is another.
         "{\"namespaces\":[[\"b\"],[\"c\"],[\"c\"],[\"B\"]],\"next-page-token\":null}", NULL,
         NET_DONE},
        {"GET http://h/api/v1/p/q/namespaces?parent=a%2Fb%1Fc&pageToken=", NULL, 200,
         // What is not directly below is not taken: all that there is, the parent itself.
         "{\"namespaces\":[[\"a\"],[\"a/b\",\"c\"],[\"a/b\",\"c\",\"d\"],[\"a/b\",\"x\",\"d\"],"
         "[\"a/b\",\"c\",\"d\",\"e\"]]}",
         NULL, NET_DONE},
    };
    setting *s = set_up(steps, COUNT(steps), (rest_options){.warehouse = TEXT("s3://w/")});
    namespace_path *spaces;
    uint32_t count;
    REQUIRE(rest_client_namespaces(s->client, (namespace_path){0}, &s->memory, &spaces, &count,
                                   NULL, &err) == FIRN_OK);
    CHECK(count == 4 && text_equal(spaces[2].items[0], TEXT("c")) && spaces[2].count == 1);
    CHECK(text_equal(spaces[3].items[0], TEXT("B")));
    text parent[] = {TEXT("a/b"), TEXT("c")};
    REQUIRE(rest_client_namespaces(s->client, space_of(parent, 2), &s->memory, &spaces, &count,
                                   NULL, &err) == FIRN_OK);
    CHECK(count == 1 && spaces[0].count == 3 && text_equal(spaces[0].items[2], TEXT("d")));
    tear_down(s);
}

TEST(rest_client_lists_tables_and_views_if_the_server_has_views) {
    const step steps[] = {
        {"GET http://h/api/v1/config", NULL, 200,
         "{\"defaults\":{\"namespace-separator\":\"%2E\"},\"overrides\":{},\"endpoints\":[\"GET "
         "/v1/{prefix}/namespaces/{namespace}/views\",\"GET /v9/what\"]}",
         NULL, NET_DONE},
        {"GET http://h/api/v1/namespaces/a%2Eb/tables?pageToken=", NULL, 200,
         "{\"identifiers\":[{\"namespace\":[\"a\",\"b\"],\"name\":\"t\"}]}", NULL, NET_DONE},
        {"GET http://h/api/v1/namespaces/a%2Eb/views?pageToken=", NULL, 200,
         "{\"identifiers\":[{\"namespace\":[\"a\",\"b\"],\"name\":\"v\"}]}", NULL, NET_DONE},
    };
    setting *s = set_up(steps, COUNT(steps), (rest_options){0});
    text levels[] = {TEXT("a"), TEXT("b")};
    catalog_entry_list entries;
    REQUIRE(rest_client_list(s->client, space_of(levels, 2), &s->memory, &entries, NULL, &err) ==
            FIRN_OK);
    REQUIRE(entries.count == 2);
    CHECK(text_equal(entries.items[0].name, TEXT("t")) && entries.items[0].kind == ENTRY_TABLE);
    CHECK(text_equal(entries.items[1].name, TEXT("v")) && entries.items[1].kind == ENTRY_VIEW);
    CHECK(rest_client_can(s->client, REST_LIST_VIEWS));
    CHECK(!rest_client_can(s->client, REST_DROP_TABLE)); // The server said what it can.
    tear_down(s);
}

TEST(rest_client_loads_tables_with_all_that_comes_with_them) {
    const step steps[] = {
        CONFIG_STEP,
        {"GET http://h/api/v1/namespaces/a/tables/t%20%C3%A4?snapshots=all",
         "X-Iceberg-Access-Delegation: vended-credentials", 200,
         "{\"metadata-location\":\"s3://w/\\u0061/v1.json\", \"metadata\" : {\"x\":[1,{}]} ,"
         "\"config\":{\"token\":\"t\",\"k\":\"v\"},\"storage-credentials\":[{\"prefix\":\"s3://w\","
         "\"config\":{\"s3.access-key-id\":\"id\"}}],\"more\":1}",
         "ETag: \"e1--gzip\"", NET_DONE},
        {"GET http://h/api/v1/namespaces/a/tables/t%20%C3%A4?snapshots=refs",
         "If-None-Match: \"e1\"", 304, NULL, NULL, NET_DONE},
    };
    setting *s = set_up(steps, COUNT(steps), (rest_options){.wants_credentials = true});
    text levels[] = {TEXT("a")};
    const namespace_path space = space_of(levels, 1);
    loaded_table table;
    REQUIRE(rest_client_load(s->client, &(rest_load){.space = space, .name = TEXT("t \xc3\xa4")},
                             &s->memory, &table, NULL, &err) == FIRN_OK);
    CHECK(!table.is_view && text_equal(table.metadata_location, TEXT("s3://w/a/v1.json")));
    CHECK(table.metadata.size == 12 && memcmp(table.metadata.data, "{\"x\":[1,{}]}", 12) == 0);
    CHECK(text_equal(catalog_property_find(&table.config, TEXT("k")), TEXT("v")));
    REQUIRE(table.credential_count == 1);
    CHECK(text_equal(table.credentials[0].prefix, TEXT("s3://w")));
    CHECK(text_equal(
        catalog_property_find(&table.credentials[0].properties, TEXT("s3.access-key-id")),
        TEXT("id")));
    CHECK(text_equal(table.etag, TEXT("\"e1\"")));
    const rest_load again = {
        .space = space, .name = TEXT("t \xc3\xa4"), .etag = table.etag, .only_referenced = true};
    REQUIRE(rest_client_load(s->client, &again, &s->memory, &table, NULL, &err) == FIRN_OK);
    CHECK(table.is_unchanged);
    tear_down(s);
}

TEST(rest_client_finds_views_behind_missing_tables) {
    const step steps[] = {
        {"GET http://h/api/v1/config", NULL, 200,
         "{\"defaults\":{\"view-endpoints-supported\":\"true\"},\"overrides\":{}}", NULL, NET_DONE},
        {"GET http://h/api/v1/namespaces/a/tables/v?snapshots=all", NULL, 404, "{}", NULL,
         NET_DONE},
        {"GET http://h/api/v1/namespaces/a/views/v", NULL, 200,
         "{\"metadata-location\":\"x\",\"metadata\":{}}", NULL, NET_DONE},
        {"GET http://h/api/v1/namespaces/a/tables/n?snapshots=all", NULL, 404,
         "{\"error\":{\"message\":\"Table does not exist: a.n\",\"type\":\"NoSuchTableException\","
         "\"code\":404}}",
         NULL, NET_DONE},
        {"GET http://h/api/v1/namespaces/a/views/n", NULL, 404, "<html>", NULL, NET_DONE},
    };
    setting *s = set_up(steps, COUNT(steps), (rest_options){0});
    text levels[] = {TEXT("a")};
    loaded_table table;
    REQUIRE(rest_client_load(s->client,
                             &(rest_load){.space = space_of(levels, 1), .name = TEXT("v")},
                             &s->memory, &table, NULL, &err) == FIRN_OK);
    CHECK(table.is_view);
    CHECK(rest_client_load(s->client, &(rest_load){.space = space_of(levels, 1), .name = TEXT("n")},
                           &s->memory, &table, NULL, &err) == FIRN_NOT_FOUND);
    CHECK(says("table \"a.n\" of catalog \"lake\": NoSuchTableException: Table does not exist: "
               "a.n (HTTP 404)"));
    CHECK(strcmp(err.sqlstate, "42P01") == 0);
    tear_down(s);
}

TEST(rest_client_says_whether_a_namespace_exists) {
    const step steps[] = {
        CONFIG_STEP,
        {"GET http://h/api/v1/namespaces/a", NULL, 200, "{\"namespace\":[\"a\"],\"properties\":{}}",
         NULL, NET_DONE},
        {"GET http://h/api/v1/namespaces/b", NULL, 404, NULL, NULL, NET_DONE},
        {"GET http://h/api/v1/namespaces/a", NULL, 200,
         "{\"namespace\":[\"a\"],\"properties\":{\"owner\":\"me\",\"none\":null,\"n\":"
         "9007199254740993,\"b\":true}}",
         NULL, NET_DONE},
    };
    setting *s = set_up(steps, COUNT(steps), (rest_options){0});
    text a[] = {TEXT("a")};
    text b[] = {TEXT("b")};
    bool exists;
    CHECK(rest_client_has_namespace(s->client, space_of(a, 1), &exists, NULL, &err) == FIRN_OK);
    CHECK(exists);
    CHECK(rest_client_has_namespace(s->client, space_of(b, 1), &exists, NULL, &err) == FIRN_OK);
    CHECK(!exists);
    catalog_properties properties;
    REQUIRE(rest_client_namespace_properties(s->client, space_of(a, 1), &s->memory, &properties,
                                             NULL, &err) == FIRN_OK);
    CHECK(properties.count == 3);
    CHECK(text_equal(catalog_property_find(&properties, TEXT("n")), TEXT("9007199254740993")));
    CHECK(text_equal(catalog_property_find(&properties, TEXT("owner")), TEXT("me")));
    tear_down(s);
}

TEST(rest_client_tells_answers_that_are_too_large_from_a_lack_of_memory) {
    const size_t size = (size_t)20 << 20;
    char *large = host_alloc(size + 1);
    REQUIRE(large != NULL);
    memset(large, ' ', size);
    large[size] = '\0';
    const step steps[] = {{"GET http://h/api/v1/config", NULL, 200, large, NULL, NET_DONE}};
    setting *s = set_up(steps, COUNT(steps), (rest_options){0});
    CHECK(rest_client_connect(s->client, NULL, &err) == FIRN_INVALID);
    CHECK(says("\"http://h/api/v1/config\" answers with more than the allowed 8 MB"));
    CHECK(says("while asking catalog \"lake\" for the configuration"));
    tear_down(s);

    // It arrives, but takes more room when it is read.
    (void)snprintf(large, size, "{\"defaults\":{");
    size_t at = strlen(large);
    for (unsigned i = 0; at < (size_t)7 << 20; i++) {
        at += (size_t)snprintf(large + at, 32, "\"k%u\":\"\",", i);
    }
    (void)snprintf(large + at, 32, "\"k\":\"\"}}");
    s = set_up(steps, COUNT(steps), (rest_options){0});
    CHECK(rest_client_connect(s->client, NULL, &err) == FIRN_INVALID);
    CHECK(says("an answer that takes more than the allowed 16 MB"));
    CHECK(says("while reading the answer of catalog \"lake\" about the configuration"));
    tear_down(s);
    host_free(large);
}

TEST(rest_client_refuses_names_that_would_make_another_path) {
    const step steps[] = {CONFIG_STEP};
    setting *s = set_up(steps, COUNT(steps), (rest_options){0});
    CHECK(rest_client_connect(s->client, NULL, &err) == FIRN_OK);
    text levels[] = {TEXT("a"), TEXT("")};
    loaded_table table;
    catalog_entry_list entries;
    CHECK(rest_client_load(s->client, &(rest_load){.space = space_of(levels, 1), .name = TEXT("")},
                           &s->memory, &table, NULL, &err) == FIRN_INVALID);
    CHECK(rest_client_list(s->client, space_of(levels, 2), &s->memory, &entries, NULL, &err) ==
          FIRN_INVALID);
    CHECK(says("level 2 of a namespace is empty"));
    CHECK(rest_client_list(s->client, space_of(levels, 0), &s->memory, &entries, NULL, &err) ==
          FIRN_INVALID);
    tear_down(s);
}

// ---- Tokens ------------------------------------------------------------------------------------

#define TOKEN_URL "POST http://h/api/v1/oauth/tokens"

TEST(rest_client_fetches_a_token_with_its_credential) {
    const step steps[] = {
        {TOKEN_URL, "|grant_type=client_credentials&client_id=id&client_secret=s%3A%26&scope=read",
         200, "{\"access_token\":\"T1\",\"token_type\":\"Bearer\",\"expires_in\":3600}", NULL,
         NET_DONE},
        {"GET http://h/api/v1/config", "Authorization: Bearer T1;", 200, "{}", NULL, NET_DONE},
        {"GET http://h/api/v1/namespaces?pageToken=", "Authorization: Bearer T1;", 200,
         "{\"namespaces\":[]}", NULL, NET_DONE},
    };
    setting *s = set_up(steps, COUNT(steps),
                        (rest_options){.credential = TEXT("id:s:&"), .scope = TEXT("read")});
    namespace_path *spaces;
    uint32_t count;
    CHECK(rest_client_namespaces(s->client, (namespace_path){0}, &s->memory, &spaces, &count, NULL,
                                 &err) == FIRN_OK);
    tear_down(s);
}

TEST(rest_client_exchanges_a_token_before_it_ends) {
    const step steps[] = {
        {"POST http://idp/t", "|grant_type=client_credentials&client_secret=secret&scope=catalog",
         200, "{\"access_token\":\"T1\",\"expires_in\":0}", NULL, NET_DONE},
        {"GET http://h/api/v1/config", "Authorization: Bearer T1;", 200, "{}", NULL, NET_DONE},
        // Its time is over at once: exchanged, ...
        {"POST http://idp/t", "Authorization: Basic c2VjcmV0;", 200,
         "{\"access_token\":\"T2\",\"expires_in\":0}", NULL, NET_DONE},
        {"GET http://h/api/v1/namespaces/a", "Authorization: Bearer T2;", 404, NULL, NULL,
         NET_DONE},
        // ... or, where the server does not exchange, fetched anew.
        {"POST http://idp/t", "subject_token=T2&", 400, "{\"error\":\"unsupported_grant_type\"}",
         NULL, NET_DONE},
        {"POST http://idp/t", "|grant_type=client_credentials", 200,
         "{\"access_token\":\"T3\",\"expires_in\":3600}", NULL, NET_DONE},
        {"GET http://h/api/v1/namespaces/a", "Authorization: Bearer T3;", 404, NULL, NULL,
         NET_DONE},
    };
    setting *s = set_up(
        steps, COUNT(steps),
        (rest_options){.credential = TEXT("secret"), .oauth2_server_uri = TEXT("http://idp/t")});
    CHECK(rest_client_connect(s->client, NULL, &err) == FIRN_OK);
    text a[] = {TEXT("a")};
    bool exists;
    CHECK(rest_client_has_namespace(s->client, space_of(a, 1), &exists, NULL, &err) == FIRN_OK);
    CHECK(rest_client_has_namespace(s->client, space_of(a, 1), &exists, NULL, &err) == FIRN_OK);
    tear_down(s);
}

TEST(rest_client_fetches_a_new_token_once_when_the_old_one_is_refused) {
    const uint32_t refusals[] = {401, 419};
    for (size_t i = 0; i < COUNT(refusals); i++) {
        const step steps[] = {
            CONFIG_STEP,
            {"GET http://h/api/v1/namespaces/a", "Bearer OLD", refusals[i], "{}", NULL, NET_DONE},
            {TOKEN_URL, "|grant_type=client_credentials", 200, "{\"access_token\":\"T1\"}", NULL,
             NET_DONE},
            {"GET http://h/api/v1/namespaces/a", "Bearer T1", 200, "{}", NULL, NET_DONE},
            {"GET http://h/api/v1/namespaces/a", "Bearer T1", refusals[i], "{}", NULL, NET_DONE},
            {TOKEN_URL, "|grant_type=client_credentials", 200, "{\"access_token\":\"T2\"}", NULL,
             NET_DONE},
            {"GET http://h/api/v1/namespaces/a", "Bearer T2", refusals[i],
             "{\"error\":{\"message\":\"who are you\",\"type\":\"NotAuthorizedException\"}}", NULL,
             NET_DONE},
        };
        setting *s = set_up(steps, COUNT(steps),
                            (rest_options){.token = TEXT("OLD"), .credential = TEXT("i:s")});
        text a[] = {TEXT("a")};
        bool exists;
        CHECK(rest_client_has_namespace(s->client, space_of(a, 1), &exists, NULL, &err) == FIRN_OK);
        CHECK(rest_client_has_namespace(s->client, space_of(a, 1), &exists, NULL, &err) ==
              FIRN_INVALID);
        CHECK(says("NotAuthorizedException: who are you") && strcmp(err.sqlstate, "28000") == 0);
        CHECK(!err.retryable);
        tear_down(s);
    }
}

TEST(rest_client_explains_a_refused_credential_without_showing_it) {
    const step steps[] = {
        {TOKEN_URL, NULL, 401,
         "{\"error\":\"invalid_client\",\"error_description\":\"unknown client\"}", NULL, NET_DONE},
        {TOKEN_URL, NULL, 400,
         "{\"error\":\"invalid_client\",\"error_description\":\"hunter2 is wrong\"}", NULL,
         NET_DONE},
        {TOKEN_URL, NULL, 200, "{\"access_token\":\"x\",\"token_type\":\"mac\"}", NULL, NET_DONE},
        {TOKEN_URL, NULL, 200, "{\"token\":\"x\"}", NULL, NET_DONE},
    };
    setting *s = set_up(steps, COUNT(steps), (rest_options){.credential = TEXT("user:hunter2")});
    CHECK(rest_client_connect(s->client, NULL, &err) == FIRN_INVALID);
    CHECK(says("the token of catalog \"lake\": invalid_client: unknown client (HTTP 401)"));
    CHECK(rest_client_connect(s->client, NULL, &err) == FIRN_INVALID);
    CHECK(says("its message holds a secret") && strstr(err.text, "hunter2") == NULL);
    CHECK(rest_client_connect(s->client, NULL, &err) == FIRN_UNSUPPORTED);
    CHECK(says("a token of type \"mac\""));
    CHECK(rest_client_connect(s->client, NULL, &err) == FIRN_CORRUPT);
    CHECK(says("access_token") && says("reading the token for catalog \"lake\""));
    tear_down(s);
}

// libcurl names the host that it does not find, which is what the redirect says.
static void redirect_script(void *user, uint32_t number, const net_call *call, fake_answer *out) {
    (void)call;
    const char *const *to = user;
    if (number == 0) {
        out->status = 307;
        out->redirect_url = to[0];
    } else {
        out->end = NET_REFUSED;
        out->reason = to[1];
    }
}

TEST(rest_client_shows_no_secret_that_a_redirect_has) {
    const struct {
        const char *to;
        const char *reason;
        const char *words;
    } cases[] = {
        {"http://t0psecret/x", "Could not resolve host: t0psecret", "is not shown"},
        {"http://other/x?token=t0psecret", "Could not resolve host: other", "host: other"},
        {"http://t0psecret@other/x", "Could not resolve host: other", "host: other"},
        {"ftp://t0psecret/x", "", "redirects to something that is not http"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *user[] = {cases[i].to, cases[i].reason};
        setting *s = set_up(NULL, 0, (rest_options){.token = TEXT("t0psecret")});
        s->net.script = redirect_script;
        s->net.user = (void *)(uintptr_t)user;
        CHECK(rest_client_connect(s->client, NULL, &err) != FIRN_OK);
        CHECK(says(cases[i].words) && strstr(err.text, "t0psecret") == NULL);
        s->play.count = s->net.request_count;
        tear_down(s);
    }
}

// ---- Headers and configuration -----------------------------------------------------------------

TEST(rest_client_sends_the_users_headers_in_place_of_its_own) {
    const net_header given[] = {{TEXT("authorization"), TEXT("Custom abcd")},
                                {TEXT("X-Tenant"), TEXT("seven")}};
    const step steps[] = {
        {"GET http://h/api/v1/config",
         "authorization: Custom abcd;X-Tenant: seven;Accept: application/json;", 403,
         "{\"error\":{\"message\":\"Custom abcd may not\\nread\",\"type\":\"Forbidden\"}}", NULL,
         NET_DONE},
    };
    setting *s = set_up(steps, COUNT(steps),
                        (rest_options){.token = TEXT("T"), .headers = given, .header_count = 2});
    CHECK(rest_client_connect(s->client, NULL, &err) == FIRN_INVALID);
    CHECK(strcmp(err.sqlstate, "42501") == 0 && strstr(err.text, "abcd") == NULL);
    tear_down(s);
}

TEST(rest_client_obeys_the_servers_configuration) {
    const step steps[] = {
        {"GET http://h/api/v1/config", "Authorization: Bearer mine;", 200,
         "{\"defaults\":{\"header.X-A\":\"1\",\"header.X-Mine\":\"2\",\"uri\":\"http://no\","
         "\"token\":\"no\"},\"overrides\":{\"uri\":\"http://other/base/\",\"header.X-B\":\"3\"}}",
         NULL, NET_DONE},
        {"GET http://other/base/v1/namespaces/a",
         "X-Mine: 0;X-A: 1;X-B: 3;Accept: application/json;Authorization: Bearer mine;", 200, "{}",
         NULL, NET_DONE},
    };
    const net_header given[] = {{TEXT("X-Mine"), TEXT("0")}};
    setting *s = set_up(steps, COUNT(steps),
                        (rest_options){.token = TEXT("mine"), .headers = given, .header_count = 1});
    text a[] = {TEXT("a")};
    bool exists;
    CHECK(rest_client_has_namespace(s->client, space_of(a, 1), &exists, NULL, &err) == FIRN_OK);
    tear_down(s);
}

TEST(rest_client_is_not_sent_from_https_to_http) {
    const step steps[] = {{"GET https://h/v1/config", NULL, 200,
                           "{\"overrides\":{\"uri\":\"http://evil/\"}}", NULL, NET_DONE}};
    setting *s = set_up(steps, COUNT(steps), (rest_options){.uri = TEXT("https://h")});
    CHECK(rest_client_connect(s->client, NULL, &err) == FIRN_INVALID);
    CHECK(says("sends from https to http"));
    tear_down(s);
}

TEST(rest_client_refuses_addresses_that_are_none) {
    const struct {
        text uri;
        const char *words;
    } cases[] = {
        {TEXT("lake"), "neither http"},
        {TEXT("ftp://h"), "neither http"},
        {TEXT(""), "neither http"},
        {TEXT("http://h/?a=b"), "has a query"},
    };
    io *files;
    REQUIRE(io_open(&(io_options){.has_thread = false}, &files, &err) == FIRN_OK);
    for (size_t i = 0; i < COUNT(cases); i++) {
        rest_client *client;
        CHECK(rest_client_open(files, &(rest_options){.uri = cases[i].uri}, &client, &err) ==
              FIRN_INVALID);
        CHECK(client == NULL && says(cases[i].words));
    }
    io_close(files);
}

// ---- Bad answers -------------------------------------------------------------------------------

TEST(rest_client_names_what_is_wrong_with_an_answer) {
    const struct {
        uint32_t status;
        const char *body;
        firn_status expected;
        const char *words;
    } cases[] = {
        {200, "", FIRN_CORRUPT, "table \"a.t\""},
        {200, "<html>hello</html>", FIRN_CORRUPT, "reading the answer of catalog \"lake\""},
        {200, "{\"metadata-location\":\"x\"}", FIRN_CORRUPT, "missing \"metadata\""},
        {200, "{\"metadata\":[]}", FIRN_CORRUPT, "an object is required"},
        {200, "{\"metadata\":{}", FIRN_CORRUPT, "line 1"},
        {200, "{\"metadata\":{}} x", FIRN_CORRUPT, "line 1"},
        {200, "{\"metadata\":{},\"metadata-location\":1}", FIRN_CORRUPT, "a string is required"},
        {200, "{\"metadata\":{},\"config\":[]}", FIRN_CORRUPT, "object"},
        {200, "{\"metadata\":{},\"config\":{\"a\":[1]}}", FIRN_CORRUPT, "\"a\" is an array"},
        {200, "{\"metadata\":{},\"storage-credentials\":[{}]}", FIRN_CORRUPT, "prefix"},
        {400, "{\"error\":{\"message\":\"bad\",\"type\":\"BadRequest\"}}", FIRN_INVALID,
         "BadRequest: bad (HTTP 400)"},
        {409, "{\"error\":{\"message\":\"m\"}}", FIRN_CONFLICT, ": m (HTTP 409)"},
        {422, "{}", FIRN_INVALID, "(HTTP 422)"},
        {500, "<h1>Internal</h1>", FIRN_IO,
         "table \"a.t\" of catalog \"lake\": \"http://h/api\" refuses "
         "it without a message (HTTP 500)"},
        {501, "", FIRN_UNSUPPORTED, "(HTTP 501)"},
        {302, "", FIRN_IO, "(HTTP 302)"},
        {304, "", FIRN_IO, "(HTTP 304)"}, // Nobody asked whether it changed.
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        const step steps[] = {CONFIG_STEP,
                              {"GET http://h/api/v1/namespaces/a/tables/t?snapshots=all", NULL,
                               cases[i].status, cases[i].body, NULL, NET_DONE}};
        setting *s = set_up(steps, COUNT(steps), (rest_options){0});
        text a[] = {TEXT("a")};
        loaded_table table;
        CHECK(rest_client_load(s->client, &(rest_load){.space = space_of(a, 1), .name = TEXT("t")},
                               &s->memory, &table, NULL, &err) == cases[i].expected);
        CHECK(says(cases[i].words));
        tear_down(s);
    }
}

TEST(rest_client_refuses_configurations_it_cannot_work_with) {
    const struct {
        const char *body;
        const char *words;
    } cases[] = {
        {"[]", "object"},
        {"{\"overrides\":{\"namespace-separator\":\"/\"}}", "holds \"/\""},
        {"{\"overrides\":{\"namespace-separator\":\"%1F%1F%1F%1F%1F%1F\"}}", "has 18 bytes"},
        {"{\"endpoints\":[1]}", "endpoints[0]"},
        {"{\"defaults\":{\"a\":{}}}", "\"defaults.a\""},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        const step steps[] = {
            {"GET http://h/api/v1/config", NULL, 200, cases[i].body, NULL, NET_DONE}};
        setting *s = set_up(steps, COUNT(steps), (rest_options){0});
        CHECK(rest_client_connect(s->client, NULL, &err) == FIRN_CORRUPT);
        CHECK(says(cases[i].words) && says("about the configuration"));
        tear_down(s);
    }
}

TEST(rest_client_stops_lists_that_never_end) {
    const char *page = "{\"namespaces\":[[\"a\"]],\"next-page-token\":\"again\"}";
    const step steps[] = {
        CONFIG_STEP,
        {"GET http://h/api/v1/namespaces?pageToken=", NULL, 200, page, NULL, NET_DONE},
        {"GET http://h/api/v1/namespaces?pageToken=again", NULL, 200, page, NULL, NET_DONE},
    };
    setting *s = set_up(steps, COUNT(steps), (rest_options){0});
    namespace_path *spaces;
    uint32_t count;
    CHECK(rest_client_namespaces(s->client, (namespace_path){0}, &s->memory, &spaces, &count, NULL,
                                 &err) == FIRN_CORRUPT);
    CHECK(says("has no last page"));
    tear_down(s);
}

TEST(rest_client_repeats_what_a_busy_server_refuses) {
    const step steps[] = {
        {"GET http://h/api/v1/config", NULL, 503, NULL, "Retry-After: 0", NET_DONE},
        {"GET http://h/api/v1/config", NULL, 0, NULL, NULL, NET_BROKEN},
        {"GET http://h/api/v1/config", NULL, 200, "{}", NULL, NET_DONE},
        {"GET http://h/api/v1/namespaces/a", NULL, 429, NULL, NULL, NET_DONE},
        {"GET http://h/api/v1/namespaces/a", NULL, 429, NULL, NULL, NET_DONE},
        {"GET http://h/api/v1/namespaces/a", NULL, 429,
         "{\"error\":{\"message\":\"slow down\",\"type\":\"Throttled\"}}", NULL, NET_DONE},
    };
    setting *s = set_up(steps, COUNT(steps), (rest_options){0});
    CHECK(rest_client_connect(s->client, NULL, &err) == FIRN_OK);
    text a[] = {TEXT("a")};
    bool exists;
    CHECK(rest_client_has_namespace(s->client, space_of(a, 1), &exists, NULL, &err) == FIRN_IO);
    CHECK(err.retryable && says("Throttled: slow down (HTTP 429)"));
    tear_down(s);
}

// Each allocation fails once: the answer is right or an error, and nothing leaks.
TEST(rest_client_survives_the_failure_of_any_allocation) {
    const step steps[] = {
        {TOKEN_URL, NULL, 200, "{\"access_token\":\"T\",\"expires_in\":3600}", NULL, NET_DONE},
        CONFIG_STEP,
        {"GET http://h/api/v1/namespaces/a/tables/t?snapshots=all", NULL, 200,
         "{\"metadata-location\":\"x\",\"metadata\":{},\"config\":{\"a\":\"b\"}}", NULL, NET_DONE},
    };
    firn_status status = FIRN_NO_MEMORY;
    for (uint64_t n = 1; status != FIRN_OK && n < 100; n++) {
        setting *s = set_up(steps, COUNT(steps), (rest_options){.credential = TEXT("i:s")});
        text a[] = {TEXT("a")};
        loaded_table table;
        host_fault_set(HOST_ALLOC, n);
        status =
            rest_client_load(s->client, &(rest_load){.space = space_of(a, 1), .name = TEXT("t")},
                             &s->memory, &table, NULL, &err);
        host_fault_set(HOST_ALLOC, 0);
        CHECK(status == FIRN_OK || status == FIRN_NO_MEMORY);
        if (status == FIRN_OK) {
            CHECK(table.metadata.size == 2 && table.config.count == 1);
        }
        s->play.count = s->net.request_count; // As far as it came.
        tear_down(s);
    }
    CHECK(status == FIRN_OK);
}

// A commit that is built on the session later must know whether it may have happened.
TEST(rest_session_tells_refused_from_unknown) {
    const struct {
        uint32_t status;
        net_end end;
        firn_status expected;
        bool may_be_done;
    } cases[] = {
        {409, NET_DONE, FIRN_CONFLICT, false},
        {503, NET_DONE, FIRN_IO, false}, // The status itself says that it is unknown.
        {0, NET_BROKEN, FIRN_IO, true},
        {0, NET_GARBAGE, FIRN_IO, true},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        const step steps[] = {{"POST http://h/api/v1/x", "Content-Type: application/json;|{}",
                               cases[i].status, NULL, NULL, cases[i].end}};
        setting *s = set_up(steps, COUNT(steps), (rest_options){0});
        rest_session session;
        REQUIRE(
            rest_session_open(&session, s->files,
                              &(rest_options){.alias = TEXT("lake"), .uri = TEXT("http://h/api")},
                              &err) == FIRN_OK);
        const rest_call call = {.method = "POST",
                                .path = TEXT("v1/x"),
                                .has_body = true,
                                .body = {.data = (const uint8_t *)"{}", .size = 2},
                                .subject = TEXT("x")};
        http_answer answer;
        CHECK(rest_session_call(&session, &call, &s->memory, NULL, &answer, &err) ==
              cases[i].expected);
        CHECK(answer.status == cases[i].status && answer.may_be_done == cases[i].may_be_done);
        rest_session_close(&session);
        tear_down(s);
    }
}
