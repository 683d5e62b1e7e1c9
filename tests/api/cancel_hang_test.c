// Cancelling and closing while a web server hangs, in every place where one is waited for: a file
// is opened, its pages are read, a catalog is attached, a table of it is looked for. And how the
// setting http_timeout ends such waiting by itself.
#include "cancel_scene.h"
#include "hanging_server.h"
#include "io/exchange.h"
#include "io/store.h"

#define TRIES_EACH (SERIES_TRIES / 2) // With one thread and with two.
#define NETWORK_FILES_MAX 8           // Kept connections and what the network module waits with.

// Milliseconds after which something is stopped: before it has asked, and while it waits.
static uint32_t moment(int64_t i) {
    return (uint32_t)(i % 10 * 2);
}

// No request is left, and the connections that were begun for them are closed: few are kept.
static void check_stopped(const scene *here, before *was, uint32_t files, const char *name) {
    exchange_driver *driver = NULL;
    firn_error err = FIRN_ERROR_INIT;
    CHECK(io_driver(here->engine->io, &driver, &err) == FIRN_OK);
    CHECK(exchange_moving_count(driver) == 0);
    was->files = scene_entry_count("/proc/self/fd");
    CHECK(was->files <= files + NETWORK_FILES_MAX);
    check_given_back(here, was, name);
}

static void stop_scripts(const hanging_server *server, const char *threads, const char *form,
                         stop_times *all) {
    char sql[HANGING_SQL_MAX];
    scene here;
    before was;
    stop_times times = {0};
    REQUIRE(begin(&here, threads, "1GB", &was));
    const uint32_t files = was.files;
    if (strstr(form, "lake.") != NULL) {
        REQUIRE(scene_execute(here.session,
                              hanging_sql(server, "ATTACH '@' AS lake (TYPE iceberg)", sql)));
    }
    (void)hanging_sql(server, form, sql);
    for (int64_t i = 0; i < TRIES_EACH; i++) {
        puller self = {.session = here.session, .script = sql, .err = FIRN_ERROR_INIT};
        host_thread *thread = NULL;
        REQUIRE(host_thread_start(pull, &self, &thread, &self.err) == FIRN_OK);
        host_sleep_ms(moment(i));
        (void)cancel_until_ended(&self, thread, &times);
        CHECK(self.code != 0 && self.err.status == FIRN_CANCELLED);
        check_stopped(&here, &was, files, sql);
    }
    print_times(&times, form);
    add_times(all, &times);
    end(&here, &was);
}

static void stop_while_it_hangs(const void *user, stop_times *all) {
    (void)user;
    static const char *const forms[] = {
        "SELECT * FROM '@/silent.parquet'",
        "SELECT sum(distance) FROM '@/stuck.parquet'",
        "ATTACH '@/silent' AS other (TYPE iceberg)",
        "SELECT * FROM lake.db.sales",
        "SHOW TABLES FROM lake.db",
    };
    hanging_server server;
    REQUIRE(hanging_server_open(&server));
    for (size_t k = 0; k < sizeof forms / sizeof *forms; k++) {
        stop_scripts(&server, "1", forms[k], all);
        stop_scripts(&server, "2", forms[k], all);
    }
    hanging_server_close(&server);
}

TEST(cancel_stops_a_statement_while_a_server_hangs) {
    check_rounds(stop_while_it_hangs, NULL);
}

// Pulls the batches of the file that is there, or not all of them, and releases the stream while
// the pages of the next file hang.
static void release_while_it_hangs(const void *user, stop_times *all) {
    (void)user;
    hanging_server server;
    REQUIRE(hanging_server_open(&server));
    for (int threads = 1; threads <= 2; threads++) {
        char sql[HANGING_SQL_MAX];
        scene here;
        before was;
        (void)hanging_sql(&server,
                          "SELECT year, distance FROM read_parquet(['@/whole.parquet', "
                          "'@/stuck.parquet'])",
                          sql);
        REQUIRE(begin(&here, threads == 1 ? "1" : "2", "1GB", &was));
        const uint32_t files = was.files;
        for (int64_t i = 0; i < TRIES_EACH; i++) {
            struct ArrowArrayStream rows = {0};
            REQUIRE(scene_query(here.session, sql, &rows));
            for (int64_t k = 0; k < i % 5; k++) {
                struct ArrowArray batch = {0};
                REQUIRE(rows.get_next(&rows, &batch) == 0 && batch.release != NULL);
                batch.release(&batch);
            }
            const asked then = ask_now();
            rows.release(&rows);
            add_time(all, took_ms(&then, host_clock_ns()));
            check_stopped(&here, &was, files, sql);
        }
        end(&here, &was);
    }
    hanging_server_close(&server);
}

TEST(cancel_by_releasing_a_stream_while_a_server_hangs) {
    check_rounds(release_while_it_hangs, NULL);
}

// What hangs ends after twice the setting, in a catalog as in a file, and after the time that the
// catalog was given.
static void fail_in_time(scene *here, const hanging_server *server, const char *form,
                         const char *words, int64_t least_ms) {
    char sql[HANGING_SQL_MAX];
    const int64_t asked_ns = host_clock_ns();
    firn_error err = FIRN_ERROR_INIT;
    (void)hanging_sql(server, form, sql);
    CHECK(firn_execute(here->session, sql, FIRN_NUL_TERMINATED, NULL, &err) == FIRN_IO);
    const int64_t whole_ms = (host_clock_ns() - asked_ns) / 1000000;
    if (strstr(err.text, words) == NULL) {
        printf("%s\n%s\n", sql, err.text);
        CHECK(false);
    }
    CHECK(whole_ms >= least_ms);
    CHECK(!HAS_CLOCK || whole_ms < least_ms + 1000);
}

TEST(http_timeout_ends_what_hangs_in_catalogs_as_in_files) {
    hanging_server server;
    REQUIRE(hanging_server_open(&server));
    for (int threads = 1; threads <= 2; threads++) {
        char sql[HANGING_SQL_MAX];
        scene here;
        before was;
        REQUIRE(begin(&here, threads == 1 ? "1" : "2", "1GB", &was));
        REQUIRE(scene_execute(here.session,
                              hanging_sql(&server, "ATTACH '@' AS lake (TYPE iceberg)", sql)));
        REQUIRE(scene_execute(here.session, hanging_sql(&server,
                                                        "ATTACH '@' AS hasty (TYPE iceberg, "
                                                        "REQUEST_TIMEOUT '100ms')",
                                                        sql)));
        // Of catalogs that were attached before, too.
        REQUIRE(scene_execute(here.session, "SET http_timeout = '200ms'"));
        static const char *const forms[] = {
            "SELECT * FROM '@/silent.parquet'",
            "ATTACH '@/silent' AS other (TYPE iceberg)",
            "SELECT * FROM lake.db.sales",
            "SHOW TABLES FROM lake.db",
        };
        for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
            fail_in_time(&here, &server, forms[i],
                         "no whole answer came in 0.4 s, twice the setting \"http_timeout\"", 400);
        }
        REQUIRE(scene_execute(here.session, "SET http_timeout = '1min'"));
        fail_in_time(&here, &server, "SHOW TABLES FROM hasty.db", "no whole answer came in time",
                     100);
        end(&here, &was);
    }
    hanging_server_close(&server);
}
