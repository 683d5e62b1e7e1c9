#!/usr/bin/env python3
"""writing_test.py BUILD DATA [--full] - Iceberg tables written and changed under a memory limit.

DATA is a folder of TPC-H's Parquet files, of scale 0.1; with --full of scale 10. lineitem becomes an
Iceberg table partitioned by the day of l_shipdate, in some 2,526 partitions that all stand open at once, or in four
that are written side by side, and its rows a table that a MERGE changes, whose source is larger than the limit. Each statement:
does it finish, does the process stay within the limit and 3 MB beside what an idle one takes, is the
temporary folder empty afterwards, and are rows and sums those of the source. What malloc takes for
itself where writers hold thin batches, and keeps of them, is not counted, and grows with the limit: a
twentieth is allowed for it; 7 MB of 256 were seen at scale 10, none at scale 0.1 and 1.
A last line counts.
"""
import pathlib
import shutil
import sys
import tempfile

from memory_test import ALLOWANCE, MB, Report, Session

DAYS = 2525  # Different values of l_shipdate: 2,526 from scale 1 on.
SUMS = ("count(*), sum(l_quantity), sum(l_extendedprice), sum(length(l_comment)), "
        "count(DISTINCT l_shipdate), max(l_orderkey)")


def watched(report, program, name, limit, statements):
    """Runs statements in a session under a limit; the answer of each."""
    with Session(program, memory_limit=f"{limit}B") as session:
        answers = []
        for sql in statements:
            answers.append(session.ask(sql))
            report.check(name, "error" not in answers[-1], f"{sql[:60]}: {answers[-1].get('error')}")
        peak, allowed = session.peak(), session.idle + limit + max(ALLOWANCE, limit // 20)
        report.check(name, peak <= allowed, f"VmHWM {peak / MB:.1f} MB, {allowed / MB:.1f} allowed")
        report.check(name, not session.files(), f"left {session.files()}")
    print(f"{name}: VmHWM {peak / MB:.1f} MB", flush=True)
    return answers


def unlimited(program, statements):
    with Session(program) as session:
        return [session.ask(sql) for sql in statements][-1].get("rows")


def check_partitions(report, program, attach, lineitem, limit):
    name = f"CREATE TABLE AS in {DAYS} partitions in {limit / MB:g} MB"
    watched(report, program, name, limit, [
        attach, "CREATE SCHEMA lake.s",
        "CREATE TABLE lake.s.days USING iceberg PARTITIONED BY (day(l_shipdate)) AS "
        f"SELECT * FROM '{lineitem}'"])
    wanted = unlimited(program, [f"SELECT {SUMS} FROM '{lineitem}'"])
    found = unlimited(program, [attach, f"SELECT {SUMS} FROM lake.s.days"])
    report.check(name, found == wanted and int(found[0][4]) >= DAYS, f"{found}, source {wanted}")


def check_few(report, program, attach, lineitem, limit):
    """Few partitions are written side by side, whose open row groups share the memory."""
    name = f"CREATE TABLE AS in 4 partitions side by side in {limit / MB:g} MB"
    made = ("CREATE TABLE lake.s.few USING iceberg PARTITIONED BY (bucket(4, l_orderkey)) AS "
            f"SELECT * FROM '{lineitem}'")
    plan = watched(report, program, name, limit, [attach, f"EXPLAIN {made}", made])[1]
    report.check(name, "partitions<=5" in str(plan), f"the plan is {plan}")
    wanted = unlimited(program, [f"SELECT {SUMS} FROM '{lineitem}'"])
    found = unlimited(program, [attach, f"SELECT {SUMS} FROM lake.s.few"])
    report.check(name, found == wanted, f"{found}, source {wanted}")


def check_merge(report, program, attach, lineitem, limit):
    """The source has every row, a tenth of which are new; what matches is doubled or deleted."""
    name = f"MERGE of a source that is larger than its {limit / MB:g} MB"
    columns = "l_orderkey, l_linenumber, l_quantity, l_extendedprice, l_shipdate, l_comment"
    unlimited(program, [attach, f"CREATE TABLE lake.s.changed USING iceberg AS SELECT {columns} "
                                f"FROM '{lineitem}' WHERE l_orderkey % 10 <> 0"])
    merge = (f"MERGE INTO lake.s.changed AS t USING (SELECT {columns} FROM '{lineitem}') AS s "
             "ON t.l_orderkey = s.l_orderkey AND t.l_linenumber = s.l_linenumber "
             "WHEN MATCHED AND s.l_linenumber = 7 THEN DELETE "
             "WHEN MATCHED AND s.l_linenumber = 1 THEN UPDATE SET l_comment = s.l_comment || '!', "
             "l_quantity = t.l_quantity * 2 WHEN NOT MATCHED THEN INSERT *")
    watched(report, program, name, limit, [attach, merge])
    sums = SUMS.replace("count(DISTINCT l_shipdate), ", "")
    wanted = unlimited(program, [
        f"SELECT {sums} FROM (SELECT l_orderkey, CASE WHEN l_orderkey % 10 <> 0 AND l_linenumber = 1 "
        "THEN l_quantity * 2 ELSE l_quantity END AS l_quantity, l_extendedprice, CASE WHEN "
        "l_orderkey % 10 <> 0 AND l_linenumber = 1 THEN l_comment || '!' ELSE l_comment END AS l_comment "
        f"FROM '{lineitem}' WHERE l_orderkey % 10 = 0 OR l_linenumber <> 7) AS q"])
    found = unlimited(program, [attach, f"SELECT {sums} FROM lake.s.changed"])
    report.check(name, found == wanted, f"{found}, source {wanted}")


def main():
    full = "--full" in sys.argv
    build, data = (pathlib.Path(each).resolve() for each in sys.argv[1:3])
    program, lineitem = build / "firn", data / "lineitem.parquet"
    report = Report()
    folder = tempfile.mkdtemp(prefix="firn_writing_", dir=build)
    attach = f"ATTACH 'sqlite:{folder}/c.db' AS lake (TYPE iceberg, WAREHOUSE '{folder}/lake')"
    try:
        check_partitions(report, program, attach, lineitem, (256 if full else 32) * MB)
        check_few(report, program, attach, lineitem, (256 if full else 32) * MB)
        check_merge(report, program, attach, lineitem, (256 if full else 16) * MB)
    finally:
        shutil.rmtree(folder)
    print(f"{report.passed} passed, {report.failed} failed")
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
