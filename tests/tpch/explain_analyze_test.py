#!/usr/bin/env python3
"""explain_analyze_test.py PROGRAM FOLDER - what EXPLAIN ANALYZE counts, over TPC-H's tables.

Values that are decoded: few where codes of dictionaries are enough. Bytes that are spilled and the
memory that was held: of the operator that did it, and of scans no more for more files.
"""
import re
import subprocess
import sys

PROGRAM, FOLDER = sys.argv[1], sys.argv[2]
LINEITEM = f"read_parquet('{FOLDER}/lineitem.parquet')"
FILTER = ("l_shipdate >= DATE '1994-01-01' AND l_shipdate < DATE '1995-01-01' "
          "AND l_discount BETWEEN 0.05 AND 0.07 AND l_quantity < 24")


def facts(sql, limit="1GB"):
    """By word the numbers of all nodes of the plan."""
    done = subprocess.run([PROGRAM, "-c", f"SET threads = 1; SET memory_limit = '{limit}'; "
                           f"EXPLAIN ANALYZE {sql}"],
                          capture_output=True, text=True)
    found = {}
    for word, number in re.findall(r"  (\w[\w ]*)=([\d.]+)", done.stdout):
        found.setdefault(word, []).append(float(number))
    return found, done.stdout + done.stderr


def check(name, is_good, text):
    print(f"ok   {name}" if is_good else f"FAIL {name}\n{text}", flush=True)
    return is_good


def main():
    good = True
    for name, sql in (
            ("a filter over codes", f"SELECT count(*) FROM {LINEITEM} WHERE {FILTER}"),
            ("Q6", f"SELECT sum(l_extendedprice * l_discount) FROM {LINEITEM} WHERE {FILTER}"),
            ("groups by codes", f"SELECT l_returnflag, l_linestatus, count(*) FROM {LINEITEM} "
                                "GROUP BY 1, 2"),
            ("groups by codes with a filter, and sums of codes",
             "SELECT l_returnflag, l_linestatus, sum(l_quantity), avg(l_quantity), avg(l_discount), "
             f"sum(l_tax), min(l_shipmode), max(l_shipdate), count(*) FROM {LINEITEM} "
             "WHERE l_shipdate <= DATE '1998-09-02' GROUP BY 1, 2")):
        found, text = facts(sql)
        rows = sum(found.get("rows read", [0]))
        decoded = sum(found.get("values_decoded", [0]))
        good &= check(f"{name} decodes few values", 50000 < rows and decoded < rows / 10,
                      f"{decoded} of {rows}\n{text}")
    found, text = facts(f"SELECT sum(l_suppkey), max(l_comment) FROM {LINEITEM}")
    # All 60,175 comments; the keys are added up by their codes.
    good &= check("values that are wanted are decoded", sum(found["values_decoded"]) >= 60175, text)
    found, text = facts(f"SELECT l_orderkey FROM {LINEITEM} ORDER BY l_orderkey LIMIT 3")
    # Lines are in the order of their keys: what comes behind the first batch comes too late.
    good &= check("a Top-N tells its scan what comes too late",
                  sum(found.get("rows filtered", [0])) > 1000, text)
    wide = f"(SELECT l_orderkey, repeat(l_comment, 10) AS words FROM {LINEITEM})"
    for name, little, sql in (
            ("a sort", "13MB", f"SELECT l_comment, l_shipinstruct, l_shipmode FROM {LINEITEM} "
                               "ORDER BY l_comment, l_orderkey"),
            ("groups", "20MB", "SELECT l_comment, l_orderkey, l_partkey, number, count(*) FROM "
                               f"{LINEITEM}, (VALUES (0), (1), (2)) AS t(number) GROUP BY ALL"),
            ("a join", "20MB", f"SELECT max(b.words || a.l_partkey) FROM {LINEITEM} a "
                               f"JOIN {wide} b ON a.l_orderkey = b.l_orderkey")):
        for limit, spills in (("1GB", False), (little, True)):
            found, text = facts(sql, limit)
            spilled = sum(found.get("spilled_bytes", [0]))
            good &= check(f"{name} in {limit} spills: {spills}",
                          (spilled > 0) == spills and max(found.get("memory", [0])) > 0, text)
    # Readers of tasks that ended hold nothing: forty files take little more than one.
    peaks = []
    for count in (1, 40):
        files = ", ".join([f"'{FOLDER}/lineitem.parquet'"] * count)
        _, text = facts(f"SELECT sum(l_quantity), sum(l_extendedprice) FROM read_parquet([{files}])")
        peaks += [float(peak) for peak in re.findall(r"memory: peak ([\d.]+) MB", text)]
    good &= check("a scan of many files holds one at a time",
                  len(peaks) == 2 and peaks[1] < 3 * peaks[0], f"{peaks} MB\n{text}")
    # The plan takes two keys for as many groups as rows, and a table that stays in cache sees each
    # group once: that they come again is learnt from the rows that went past it.
    number = "i * 7919 % 50000"
    found, text = facts("SELECT count(*), sum(c) FROM (SELECT count(*) AS c FROM range(3000000) AS "
                        f"r(i) GROUP BY repeat('a long key ', 10) || ({number}), {number})")
    good &= check("few groups that a small table does not see are not kept row by row",
                  max(found.get("groups", [0])) == 50000 and max(found["memory"]) < 150, text)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
