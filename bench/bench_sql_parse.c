// How long parsing takes: TPC-H 1 and 21 in microseconds a statement, and a long IN list and a long
// INSERT in nanoseconds a byte.
#include <stdio.h>

#include "base/host.h"
#include "memory/text_builder.h"
#include "sql/parser.h"

#define MEMORY_MAX ((size_t)1 << 30)

static const char tpch_1[] =
    "select l_returnflag, l_linestatus, sum(l_quantity) as sum_qty, sum(l_extendedprice) as "
    "sum_base_price, sum(l_extendedprice * (1 - l_discount)) as sum_disc_price, "
    "sum(l_extendedprice * (1 - l_discount) * (1 + l_tax)) as sum_charge, avg(l_quantity) as "
    "avg_qty, avg(l_extendedprice) as avg_price, avg(l_discount) as avg_disc, count(*) as "
    "count_order from lineitem where l_shipdate <= date '1998-12-01' - interval '90' day group by "
    "l_returnflag, l_linestatus order by l_returnflag, l_linestatus";

static const char tpch_21[] =
    "select s_name, count(*) as numwait from supplier, lineitem l1, orders, nation where s_suppkey "
    "= l1.l_suppkey and o_orderkey = l1.l_orderkey and o_orderstatus = 'F' and l1.l_receiptdate > "
    "l1.l_commitdate and exists (select * from lineitem l2 where l2.l_orderkey = l1.l_orderkey and "
    "l2.l_suppkey <> l1.l_suppkey) and not exists (select * from lineitem l3 where l3.l_orderkey = "
    "l1.l_orderkey and l3.l_suppkey <> l1.l_suppkey and l3.l_receiptdate > l3.l_commitdate) and "
    "s_nationkey = n_nationkey and n_name = 'SAUDI ARABIA' group by s_name order by numwait desc, "
    "s_name limit 100";

// The best of several rounds of `repeats` parses, in nanoseconds a parse.
static double measure(text sql, uint32_t repeats) {
    double best = 1e18;
    arena memory = arena_open(MEMORY_MAX);
    for (uint32_t round = 0; round < 7; round++) {
        const int64_t start = host_clock_ns();
        for (uint32_t i = 0; i < repeats; i++) {
            firn_error err = ERR_INIT;
            const sql_statement *statement;
            size_t used;
            arena_reset(&memory);
            if (sql_parse_statement(sql, 0, &memory, &statement, &used, &err) != FIRN_OK) {
                (void)fprintf(stderr, "%s\n", err.text);
                return 0;
            }
        }
        const double each = (double)(host_clock_ns() - start) / repeats;
        best = each < best ? each : best;
    }
    arena_close(&memory);
    return best;
}

static text repeat(arena *memory, const char *first, const char *more, uint32_t count,
                   const char *last) {
    text_builder out = text_builder_open(memory);
    firn_error err = ERR_INIT;
    text sql = {0};
    text_append(&out, text_of(first));
    for (uint32_t i = 0; i < count; i++) {
        text_append(&out, text_of(more));
    }
    text_append(&out, text_of(last));
    return text_builder_finish(&out, &sql, &err) == FIRN_OK ? sql : (text){0};
}

int main(void) {
    arena memory = arena_open(MEMORY_MAX);
    const text list = repeat(&memory, "SELECT * FROM t WHERE a IN (1", ", 1234567", 100000, ")");
    const text insert = repeat(&memory, "INSERT INTO t VALUES (1, 'a', 1.5, NULL)",
                               ", (12345, 'some text', 12.50, NULL)", 100000, "");
    printf("TPC-H 1     %8.2f us\n", measure(text_of(tpch_1), 5000) / 1e3);
    printf("TPC-H 21    %8.2f us\n", measure(text_of(tpch_21), 5000) / 1e3);
    printf("SELECT 1    %8.2f us\n", measure(TEXT("SELECT 1"), 20000) / 1e3);
    printf("IN list     %8.2f ns/byte\n", measure(list, 5) / (double)list.size);
    printf("INSERT      %8.2f ns/byte\n", measure(insert, 5) / (double)insert.size);
    arena_close(&memory);
    return 0;
}
