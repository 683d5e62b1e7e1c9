// CREATE TABLE as a table_definition.
#include "engine/command_define.h"

#include <string.h>

#include "engine/scene_testing.h"
#include "memory/text_builder.h"
#include "sql/parser.h"

static void put_path(text_builder *out, const text_list *path) {
    for (uint32_t i = 0; i < path->count; i++) {
        text_append_format(out, "%s%.*s", i == 0 ? "" : ".", TEXT_ARGS(path->items[i]));
    }
}

// One line for all that it says.
static void put_definition(text_builder *out, const table_definition *said) {
    for (uint32_t i = 0; i < said->columns.count; i++) {
        const field *each = &said->columns.fields[i];
        text_append_format(out, "%.*s:", TEXT_ARGS(each->name));
        type_print(each->type, out);
        text_append_format(out, "%s%s%.*s%s%.*s ", each->is_nullable ? "" : "!",
                           said->notes[i].default_value.size > 0 ? "=" : "",
                           TEXT_ARGS(said->notes[i].default_value),
                           said->notes[i].comment.size > 0 ? "#" : "",
                           TEXT_ARGS(said->notes[i].comment));
    }
    for (uint32_t i = 0; i < said->partition_count; i++) {
        text_append_format(out, "by %.*s(", TEXT_ARGS(said->partitions[i].transform));
        put_path(out, &said->partitions[i].path);
        text_append_format(out, ") ");
    }
    text_append_format(out, "format=%.*s location=%.*s comment=%.*s", TEXT_ARGS(said->format),
                       TEXT_ARGS(said->location), TEXT_ARGS(said->comment));
    for (size_t i = 0; i < said->property_count; i++) {
        text_append_format(out, " %s=%s", said->properties[i].key, said->properties[i].value);
    }
}

// What the definition is; the error if there is none.
static bool is_defined(const char *sql, const char *expected) {
    scene self;
    run *probe = NULL;
    const sql_statement *written = NULL;
    size_t used;
    table_definition said;
    text shown = TEXT("");
    bool is_good =
        scene_open(&self, NULL, 0) &&
        run_open(self.session, &self.session->settings, &probe, &self.err) == FIRN_OK &&
        sql_parse_statement(text_of(sql), 0, &probe->memory, &written, &used, &self.err) == FIRN_OK;
    if (is_good &&
        define_table(probe, sql_create_table_of(written), NULL, &said, &self.err) == FIRN_OK &&
        define_refuse_defaults(sql_create_table_of(written), &said, &self.err) == FIRN_OK) {
        text_builder out = text_builder_open(&probe->memory);
        put_definition(&out, &said);
        is_good = text_builder_finish(&out, &shown, &self.err) == FIRN_OK;
    } else {
        shown = text_of(self.err.text);
    }
    is_good = is_good && text_equal(shown, text_of(expected));
    if (!is_good) {
        printf("%s\n  is %.*s\n", sql, TEXT_ARGS(shown));
    }
    run_release(probe);
    scene_close(&self);
    return is_good;
}

TEST(define_says_all_clauses) {
    CHECK(is_defined("CREATE TABLE t (\"A\" INTEGER NOT NULL COMMENT 'it''s', b VARCHAR) "
                     "USING iceberg PARTITIONED BY (a, bucket(16, B)) LOCATION '/x/y' COMMENT 'c' "
                     "WITH ('format-version' = '2', 'write.x' = 12, read.y = true)",
                     "A:INTEGER!#it's b:VARCHAR by identity(A) by bucket[16](b) format=iceberg "
                     "location=/x/y comment=c format-version=2 write.x=12 read.y=true"));
    CHECK(is_defined("CREATE TABLE t (a INTEGER) TBLPROPERTIES ('k' 'v')",
                     "a:INTEGER format= location= comment= k=v"));
}

TEST(define_knows_the_words_of_transforms) {
    CHECK(is_defined(
        "CREATE TABLE t (ts TIMESTAMP, s VARCHAR) PARTITIONED BY (year(ts), years(ts), month(ts), "
        "months(ts), day(ts), days(ts), date(ts), hour(ts), hours(ts), truncate(10, s), "
        "truncate(s, 3), bucket(s, 4), identity(s))",
        "ts:TIMESTAMP s:VARCHAR by year(ts) by year(ts) by month(ts) by month(ts) by day(ts) by "
        "day(ts) by day(ts) by hour(ts) by hour(ts) by truncate[10](s) by truncate[3](s) by "
        "bucket[4](s) by identity(s) format= location= comment="));
    CHECK(is_defined("CREATE TABLE t (a STRUCT(\"B\" STRUCT(c INTEGER))) PARTITIONED BY (a.b.C, "
                     "bucket(2, a.b.c))",
                     "a:STRUCT(B STRUCT(c INTEGER)) by identity(a.B.c) by bucket[2](a.B.c) "
                     "format= location= comment="));
}

TEST(define_refuses_what_is_no_key) {
    CHECK(is_defined("CREATE TABLE t (id INTEGER) PARTITIONED BY (ids)",
                     "invalid: there is no column \"ids\""));
    CHECK(is_defined("CREATE TABLE t (s STRUCT(x INTEGER)) PARTITIONED BY (s.y)",
                     "invalid: there is no \"y\" in \"s\""));
    CHECK(is_defined("CREATE TABLE t (a INTEGER) PARTITIONED BY (bukket(4, a))",
                     "invalid: \"bukket\" is no transform of partitions"));
    CHECK(is_defined("CREATE TABLE t (a INTEGER) PARTITIONED BY (bucket(a))",
                     "invalid: bucket takes a number and a column"));
    CHECK(is_defined("CREATE TABLE t (a INTEGER) PARTITIONED BY (year(3, a))",
                     "invalid: year takes a column"));
    CHECK(is_defined("CREATE TABLE t (a INTEGER) PARTITIONED BY (bucket(0, a))",
                     "invalid: the width of bucket is a number from 1 to 2147483647"));
    CHECK(is_defined("CREATE TABLE t (a INTEGER) PARTITIONED BY (bucket(99999999999999999999, a))",
                     "invalid: the width of bucket is a number from 1 to 2147483647"));
    CHECK(is_defined("CREATE TABLE t (a INTEGER) PARTITIONED BY (bucket(1.5, a))",
                     "invalid: the width of bucket is a number from 1 to 2147483647"));
    CHECK(is_defined("CREATE TABLE t (a INTEGER) PARTITIONED BY (bucket('4', a))",
                     "invalid: the width of bucket is a number from 1 to 2147483647"));
    CHECK(is_defined("CREATE TABLE t (a INTEGER) PARTITIONED BY (a + 1)",
                     "invalid: a column is expected here, or a transform of one such as "
                     "bucket(16, id)"));
}

TEST(define_refuses_what_would_not_be_kept) {
    CHECK(is_defined("CREATE TABLE t (a INTEGER, b INTEGER DEFAULT 3)",
                     "unsupported: column \"b\": tables of format version 2 have no DEFAULT"));
    CHECK(is_defined("CREATE TABLE t (b INTEGER DEFAULT 3) WITH ('format-version' = '1')",
                     "unsupported: column \"b\": tables of format version 1 have no DEFAULT"));
    CHECK(is_defined("CREATE TABLE t (b INTEGER DEFAULT 3) WITH ('format-version' = '3')",
                     "b:INTEGER=3 format= location= comment= format-version=3"));
    CHECK(is_defined("CREATE TABLE t (a INTEGER) WITH ('k' = '1', 'k' = '2')",
                     "invalid: the property \"k\" is given twice"));
    CHECK(is_defined("CREATE TABLE t (a INTEGER) WITH ('k' = NULL)",
                     "invalid: NULL is no value here"));
}
