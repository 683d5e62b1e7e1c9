// Rows of thousands of columns, whose fixed parts are longer than the pages that all others lie on:
// every operator that keeps rows keeps these, in little memory too and when it has to write them
// out.
#include "memory/pool.h"
#include "scene.h"
#include "wide_text.h"

#if defined(NDEBUG)
#define ROWS 60
#define N "60"
#else // Builds with assertions or sanitizers.
#define ROWS 24
#define N "24"
#endif
#define GROUPS 7

// Column 0 is x, each other one is 'v', x and its number.
typedef struct many_case {
    wide_text text;
    uint32_t row_count; // What comes back.
} many_case;

#define WIDE "WITH wide AS (SELECT x", ", 'v' || x || '.#' AS c#"
#define LONG "WITH wide AS (SELECT x", ", 'v' || x || '.#' || repeat('.', 20) AS c#"
#define FROM " FROM range(0, " N ") t(x)) "
#define READ_TWICE FROM "SELECT * FROM wide UNION ALL SELECT * FROM wide"

static const many_case cases[] = {
    {{WIDE, FROM "SELECT * FROM wide ORDER BY c1 DESC"}, ROWS},
    {{LONG, FROM "SELECT * FROM wide ORDER BY c1 DESC"}, ROWS},
    {{WIDE, FROM "SELECT * FROM wide ORDER BY c1 DESC LIMIT 20"}, 20},
    {{WIDE, FROM "SELECT wide.* FROM range(0, " N ") s(y) JOIN wide ON y = x"}, ROWS},
    {{LONG, FROM "SELECT wide.* FROM wide JOIN range(0, 1000) s(y) ON y = x"}, ROWS},
    {{WIDE, FROM "SELECT wide.* FROM range(0, " N ") s(y) JOIN wide ON y < x AND y >= x - 1"},
     ROWS - 1},
    {{WIDE, FROM "SELECT DISTINCT * FROM wide"}, ROWS},
    {{LONG, FROM "SELECT DISTINCT * FROM wide"}, ROWS},
    {{WIDE, READ_TWICE}, ROWS * 2},
    {{LONG, READ_TWICE}, ROWS * 2},
    {{WIDE, FROM "SELECT * FROM (SELECT * FROM wide LIMIT 1000 OFFSET 1) WHERE random() >= 0"},
     ROWS - 1},
    {{"SELECT x % 7", ", max('v' || x % 7 || '.#')", " FROM range(0, " N ") t(x) GROUP BY 1"},
     GROUPS},
    {{"SELECT x", ", max('v' || x || '.#' || repeat('.', 20))",
      " FROM range(0, " N ") t(x) GROUP BY x"},
     ROWS},
    {{"SELECT x", ", 'v' || x || '.' || max(#)", " FROM range(0, " N ") t(x) GROUP BY x"}, ROWS},
};
#define CASE_COUNT (sizeof cases / sizeof *cases)

// 'v', x and the column's number, and points behind them.
static bool is_right(const char *text, int64_t size, int64_t x, int64_t column) {
    char wanted[64];
    const int length =
        snprintf(wanted, sizeof wanted, "v%lld.%lld", (long long)x, (long long)column);
    bool is_same = length <= size && memcmp(text, wanted, (size_t)length) == 0;
    for (int64_t i = length; is_same && i < size; i++) {
        is_same = text[i] == '.';
    }
    return is_same;
}

// Rows of a batch of which all values are right.
static uint32_t count_right(const struct ArrowArray *batch) {
    uint32_t count = 0;
    for (int64_t row = 0; row < batch->length; row++) {
        bool is_good = batch->offset == 0;
        for (int64_t i = 1; i < batch->n_children && is_good; i++) {
            const struct ArrowArray *texts = batch->children[i];
            const int32_t *ends = (const int32_t *)texts->buffers[1] + texts->offset;
            is_good = is_right((const char *)texts->buffers[2] + ends[row],
                               ends[row + 1] - ends[row], rows_int64(batch, 0, row), i);
        }
        count += is_good;
    }
    return count;
}

static bool check_case(scene *self, const many_case *one, uint32_t column_count) {
    struct ArrowArrayStream rows = {0};
    firn_error err = FIRN_ERROR_INIT;
    char *sql = wide_text_spell(&one->text, column_count);
    uint32_t right = 0;
    int64_t total = 0;
    bool is_good = sql != NULL && scene_query(self->session, sql, &rows);
    while (is_good) {
        struct ArrowArray batch = {0};
        is_good = rows.get_next(&rows, &batch) == 0;
        if (!is_good) {
            (void)firn_stream_error(&rows, &err);
            printf("%s\n", err.text);
        }
        if (batch.release == NULL) {
            break;
        }
        right += count_right(&batch);
        total += batch.length;
        batch.release(&batch);
    }
    if (rows.release != NULL) {
        rows.release(&rows);
    }
    is_good = is_good && right == one->row_count && total == right;
    if (!is_good) {
        printf("%u columns, %u of %lld rows right, %u wanted: %.20s…%s\n", column_count, right,
               (long long)total, one->row_count, one->text.before, one->text.after);
    }
    free(sql);
    return is_good;
}

static void check_all(const char *limit, uint32_t column_count, bool refuses) {
    scene self;
    const char *const options[] = {"memory_limit", limit, NULL};
    REQUIRE(scene_open_with(&self, "2", options));
    if (refuses) {
        pool_refuse_for_test(self.engine->pool, true);
    }
    for (size_t i = 0; i < CASE_COUNT; i++) {
        CHECK(check_case(&self, &cases[i], column_count));
    }
    pool_report report;
    pool_describe(self.engine->pool, &report);
    CHECK(report.resident_peak <= report.limit);
    scene_close(&self);
}

TEST(rows_wider_than_a_page_are_kept) {
    check_all("2GB", 5000, false);
}

TEST(rows_wider_than_a_page_are_written_out) {
    check_all("2GB", 5000, true);
}

TEST(rows_wider_than_a_small_page_are_kept_in_little_memory) {
    check_all("64MB", 1100, false);
    check_all("64MB", 1100, true);
}
