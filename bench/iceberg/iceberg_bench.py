#!/usr/bin/env python3
"""iceberg_bench.py [--rounds N] [--scale S] [--only WORD] - writing Iceberg tables next to PyIceberg and Polars.

Each engine has lineitem in memory and writes it into a new table of a SQLite catalog of its own, as it is
and by month of l_shipdate; then small appends to a table of few and one of many files, and changes of
rows: a DELETE of 1 % by merge-on-read against a scan of its filter's columns, a scan over 5 % deleted
positions against one without, a MERGE of 1 % against rewriting the files. One process an engine, in
turns; the best of N rounds (3): seconds of the processors and by the clock. Goals stand in the lines.
"""
import argparse
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
MONTHS = "month(l_shipdate)"


# ---- firn ----------------------------------------------------------------------------------------

class Firn:
    """One `firn session`, whose statements are timed from outside."""

    def __init__(self, folder):
        self.process = subprocess.Popen([ROOT / "build/release/firn", "session", "-s", "threads=2"],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.ask(f"ATTACH 'sqlite:{folder}/catalog.db' AS ice (CATALOG_NAME 'ice', WAREHOUSE "
                 f"'file://{folder}/warehouse')")
        self.ask("CREATE SCHEMA ice.db")

    def ask(self, sql):
        self.process.stdin.write(json.dumps({"sql": sql}) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        if "error" in answer:
            raise RuntimeError(f"{sql}: {answer['error']}")
        return answer.get("rows", [])

    def processor_seconds(self):
        tasks = pathlib.Path(f"/proc/{self.process.pid}/task").glob("*/schedstat")
        return sum(int(each.read_text().split()[0]) for each in tasks) / 1e9

    def timed(self, sql):
        cpu, wall = self.processor_seconds(), time.perf_counter()
        self.ask(sql)
        return self.processor_seconds() - cpu, time.perf_counter() - wall

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def least(times):
    return tuple(min(each) for each in zip(*times))


def firn_writes(folder, source):
    """Seconds by name of what is written."""
    firn = Firn(folder)
    firn.ask(f"CREATE TABLE memory.main.l AS SELECT * FROM read_parquet('{source}')")
    found = {}
    for name, by in (("whole", ""), ("by month", f"PARTITIONED BY ({MONTHS})")):
        firn.ask(f"CREATE TABLE ice.db.t {by} AS SELECT * FROM memory.main.l WITH NO DATA")
        found[name] = firn.timed("INSERT INTO ice.db.t SELECT * FROM memory.main.l")
        firn.ask("DROP TABLE ice.db.t PURGE")
    firn.ask("CREATE TABLE memory.main.s AS SELECT * FROM memory.main.l LIMIT 1000")
    firn.ask("CREATE TABLE ice.db.small AS SELECT * FROM memory.main.l WITH NO DATA")
    found["1,000 rows"] = least([firn.timed("INSERT INTO ice.db.small SELECT * FROM memory.main.s")
                                 for _ in range(10)])
    for _ in range(290):
        firn.ask("INSERT INTO ice.db.small SELECT * FROM memory.main.s")
    found["1,000 rows after 300 appends"] = least(
        [firn.timed("INSERT INTO ice.db.small SELECT * FROM memory.main.s") for _ in range(10)])
    firn.close()
    return found


def firn_changes(folder, source):
    firn = Firn(folder)
    found = {}
    firn.ask(f"CREATE TABLE ice.db.t WITH ('write.delete.mode' = 'merge-on-read', 'write.merge.mode' = "
             f"'copy-on-write') AS SELECT * FROM read_parquet('{source}')")
    scan = "SELECT count(*) FROM ice.db.t WHERE (l_orderkey * 31 + l_linenumber * 17) % 100 = {0}"
    found["scan of the filter"] = least([firn.timed(scan.format(n)) for n in range(3)])
    found["delete of 1 %"] = firn.timed("DELETE FROM ice.db.t WHERE (l_orderkey * 31 + l_linenumber * 17) % 100 = 0")
    total = "SELECT sum(l_quantity), sum(l_extendedprice), max(l_comment) FROM ice.db.{0}"
    firn.ask(f"CREATE TABLE ice.db.clean AS SELECT * FROM read_parquet('{source}')")
    for n in range(1, 5):
        firn.ask(f"DELETE FROM ice.db.t WHERE (l_orderkey * 31 + l_linenumber * 17) % 100 = {n}")
    found["scan"] = least([firn.timed(total.format("clean")) for _ in range(3)])
    found["scan with 5 % deleted"] = least([firn.timed(total.format("t")) for _ in range(3)])
    firn.ask("CREATE TABLE memory.main.m AS SELECT * FROM ice.db.clean WHERE (l_orderkey * 31 + "
             "l_linenumber * 17) % 100 = 7")
    found["rewrite"] = firn.timed("CREATE TABLE ice.db.again AS SELECT * FROM ice.db.clean")
    found["merge of 1 %"] = firn.timed(
        "MERGE INTO ice.db.clean AS t USING memory.main.m AS s ON t.l_orderkey = s.l_orderkey AND "
        "t.l_linenumber = s.l_linenumber WHEN MATCHED THEN UPDATE SET l_quantity = s.l_quantity + 1 "
        "WHEN NOT MATCHED THEN INSERT *")
    firn.close()
    return found


# ---- Peers ---------------------------------------------------------------------------------------

def peer_writes(peer, folder, source):
    """In a process of the peer's own environment."""
    import pyarrow.parquet
    from pyiceberg.catalog.sql import SqlCatalog
    from pyiceberg.transforms import MonthTransform
    catalog = SqlCatalog("ice", uri=f"sqlite:///{folder}/catalog.db", warehouse=f"file://{folder}/warehouse")
    catalog.create_namespace("db")
    table = pyarrow.parquet.read_table(source)
    if peer == "polars":
        import polars
        frame = polars.from_arrow(table)
    found = {}

    def put(into, rows):
        cpu, wall = time.process_time(), time.perf_counter()
        if peer == "polars":
            (frame if rows is table else frame.head(1000)).write_iceberg(into, mode="append")
        else:
            into.append(rows)
        return time.process_time() - cpu, time.perf_counter() - wall

    for name in ("whole", "by month"):
        made = catalog.create_table(f"db.{name.replace(' ', '_')}", table.schema)
        if name == "by month":
            with made.update_spec() as spec:
                spec.add_field("l_shipdate", MonthTransform(), "month")
        try:
            found[name] = put(catalog.load_table(made.name()), table)
        except Exception as error:  # pylint: disable=broad-exception-caught
            print(f"{peer} {name}: {error}", file=sys.stderr)
    small = catalog.create_table("db.small", table.schema)
    rows = table.slice(0, 1000)
    found["1,000 rows"] = least([put(small, rows) for _ in range(10)])
    return found


def venv(group):
    done = subprocess.run(["bash", "tools/dev/venv.sh", group], cwd=ROOT, check=True,
                          stdout=subprocess.PIPE, text=True)
    return ROOT / done.stdout.strip() / "bin" / "python"


# ---- Together ------------------------------------------------------------------------------------

# What is compared: name, against whom ("best" of the peers), the goal.
GOALS = (
    ("whole", "best", 0.5), ("by month", "best", 0.5), ("1,000 rows", "best", 0.05),
    ("1,000 rows after 300 appends", "1,000 rows", 1.5), ("delete of 1 %", "scan of the filter", 1.2),
    ("scan with 5 % deleted", "scan", 1.2), ("merge of 1 %", "rewrite", 1.5),
)


def in_folder(work, *arguments):
    folder = tempfile.mkdtemp(prefix="firn_bench_", dir=ROOT / "build" / "bench")
    try:
        return work(folder, *arguments)
    finally:
        shutil.rmtree(folder)


def peer_child(folder, peer, source):
    done = subprocess.run([venv("iceberg_peers"), __file__, "--peer", peer, folder, source], check=True,
                          stdout=subprocess.PIPE, text=True)
    return {name: tuple(times) for name, times in json.loads(done.stdout).items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scale", default="1")
    parser.add_argument("--only", choices=("writes", "changes"))
    given = parser.parse_args()
    subprocess.run(["bash", "tools/dev/tpch_data.sh", given.scale, "snappy"], cwd=ROOT, check=True,
                   stdout=subprocess.DEVNULL)
    source = ROOT / "build" / "data" / f"tpch_{given.scale}_snappy" / "lineitem.parquet"
    (ROOT / "build" / "bench").mkdir(parents=True, exist_ok=True)
    results = {}

    def note(engine, found):
        for name, times in found.items():
            results[engine, name] = least([times, results.get((engine, name), times)])

    for _ in range(given.rounds):
        if given.only != "changes":
            note("firn", in_folder(firn_writes, source))
            for peer in ("pyiceberg", "polars"):
                note(peer, in_folder(peer_child, peer, source))
        if given.only != "writes":
            note("firn", in_folder(firn_changes, source))
    for (engine, name), (cpu, wall) in sorted(results.items(), key=lambda item: item[0][1]):
        print(f"{name:32} {engine:10} {cpu:8.3f} s CPU {wall:8.3f} s")
    for name, against, goal in GOALS:
        mine = results.get(("firn", name))
        others = ([results[peer, name] for peer in ("pyiceberg", "polars") if (peer, name) in results]
                  if against == "best" else
                  [results["firn", against]] if ("firn", against) in results else [])
        if mine and others:
            cpu, wall = (mine[i] / max(min(each[i] for each in others), 0.001) for i in (0, 1))
            print(f"{name}: cpu {cpu:.2f}, wall {wall:.2f} of {against} (at most {goal})")


if __name__ == "__main__":
    if len(sys.argv) > 2 and sys.argv[1] == "--peer":
        print(json.dumps(peer_writes(*sys.argv[2:])))
    else:
        main()
