#!/usr/bin/env python3
"""memory_test.py BUILD [--full] [--only WORD] [--limits MB,MB…] - queries under a memory limit.

Of every query: is the answer that of an unlimited run (and of $SHARED's, where it is stored), does
the process stay within the limit and 3 MB beside what an idle one takes, what was spilled, and is
the temporary folder empty afterwards. The plain run takes TPC-H at scale 0.1 under 12 MB, operators
over generated rows under 12 and 5 MB, partitions that are split twice, and files whose metadata is
large: they are read within the limit, or what does not fit is told; it looks at the time of some
from 128 to 16 MB. --full takes TPC-H at scale 1 under 64, 32 and 15 MB instead, keepers of
4 M rows under 64 and 16 MB, where some partitions are split once, and from 512 to 32 MB for time
all of them and the six that ../shared/design/MEMORY.md 9 names, at its sizes. What is kept at scale 1 is small: at 64 MB 5 queries spill, at 32 MB 8, at 15 MB 13
(3, 4, 7 to 10, 12, 13, 16 to 19, 21).
"""
import argparse
import contextlib
import csv
import functools
import json
import math
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time

MB = 1 << 20
ROOT = pathlib.Path(__file__).resolve().parents[2]
TABLES = "customer lineitem nation orders part partsupp region supplier".split()
ALLOWANCE = 3 * MB  # What the pool does not count.
STEP_MAX = 1.3
ROUNDS = 3
TRIES = 5
TOLD_SECONDS_MAX = 5
# Seconds of difference from which on a jump is one: of small runs, and of those of --full.
FLOORS_SMALL = {"user": 0.3, "cpu": 0.3, "wall": 0.3}
FLOORS = {"user": 0.1, "cpu": 0.3, "wall": 0.3}
FLOORS_LARGE = {"user": 0, "cpu": 0, "wall": 0.3}
# Those whose time the plain run looks at.
CURVES = ("group by texts", "several that collect", "a sort of wide texts",
          "a join of two large sides")

# Over generated rows; {n} of them. What an operator says is summed up, so that answers are short.
ROWS = ("(SELECT x, x * 7919 % 1000003 AS k, x * 104729 % 15485863 AS v "
        "FROM generate_series(1, {n}) AS g(x)) AS r")
ROWS_A, ROWS_B = ROWS.replace("AS r", "AS a"), ROWS.replace("AS r", "AS b")
KEEPERS = {
    "group by a key of many values":
        f"SELECT count(*), sum(c), sum(s), max(m) FROM (SELECT v AS k, count(*) AS c, sum(x) AS s, "
        f"max(k) AS m FROM {ROWS} GROUP BY v) AS q",
    "group by a key that comes in order":
        f"SELECT count(*), sum(c), sum(s) FROM (SELECT x / 4 AS k, count(*) AS c, sum(v) AS s "
        f"FROM {ROWS} GROUP BY 1) AS q",
    "group by texts":
        f"SELECT count(*), max(t), sum(c) FROM (SELECT 'a text of some length ' || k AS t, "
        f"count(*) AS c FROM {ROWS} GROUP BY 1) AS q",
    "string_agg":
        f"SELECT count(*), sum(length(s)) FROM (SELECT string_agg('part ' || v, '; ') AS s "
        f"FROM {ROWS} GROUP BY k) AS q",
    "array_agg":
        f"SELECT count(*), sum(len(a)) FROM (SELECT array_agg(v) AS a FROM {ROWS} GROUP BY k) AS q",
    "median":
        f"SELECT count(*), sum(m) FROM (SELECT median(v) AS m FROM {ROWS} GROUP BY k / 4) AS q",
    "count(DISTINCT) by a key":
        f"SELECT count(*), sum(c) FROM (SELECT k / 3 AS g, count(DISTINCT v) AS c FROM {ROWS} "
        f"GROUP BY 1) AS q",
    "distinct values of three groups":
        f"SELECT count(*), sum(c), sum(s) FROM (SELECT k % 3 AS g, count(DISTINCT v) AS c, "
        f"sum(DISTINCT v) AS s, count(*) FROM {ROWS} GROUP BY 1) AS q",
    "count(DISTINCT) of everything": f"SELECT count(DISTINCT v), count(DISTINCT k) FROM {ROWS}",
    "count(DISTINCT) with FILTER of three groups":
        f"SELECT count(*), sum(c), sum(s) FROM (SELECT k % 3 AS g, count(DISTINCT v) FILTER "
        f"(WHERE x > 10) AS c, sum(DISTINCT v) FILTER (WHERE x > 10) AS s, count(*) FROM {ROWS} "
        f"GROUP BY 1) AS q",
    "corr(DISTINCT) of one group":
        f"SELECT round(sum(c), 6), sum(n) FROM (SELECT k % 1 AS g, corr(DISTINCT v, k) AS c, "
        f"count(*) AS n FROM {ROWS} GROUP BY 1) AS q",
    "mode of everything": f"SELECT mode(v), count(*) FROM {ROWS}",
    "mode of three groups":
        f"SELECT count(*), sum(m) FROM (SELECT k % 3 AS g, mode(v) AS m FROM {ROWS} GROUP BY 1) AS q",
    "quantiles of everything":
        f"SELECT median(v), quantile_cont(v, 0.9), quantile_disc('text ' || v, 0.25), "
        f"quantile_disc([v, x], 0.5), median(v % 10) FROM {ROWS}",
    "quantiles of three groups":
        f"SELECT count(*), sum(m), max(q) FROM (SELECT k % 3 AS g, median(v) AS m, "
        f"quantile_disc('text ' || v, 0.9) AS q FROM {ROWS} GROUP BY 1) AS q",
    "median of a group beside many":
        f"SELECT count(*), sum(m), sum(c) FROM (SELECT CASE WHEN x % 4 < 3 THEN 0 ELSE k END AS g, "
        f"median(v) AS m, count(*) AS c FROM {ROWS} GROUP BY 1) AS q",
    "quantiles of three groups beside distinct texts of others":
        f"SELECT count(*), sum(q), sum(c) FROM (SELECT CASE WHEN x % 100 < 90 THEN x % 3 ELSE k END "
        f"AS g, quantile_cont(x, 0.5) AS q, count(DISTINCT repeat('text', 100) || v) FILTER "
        f"(WHERE x % 100 >= 90) AS c FROM {ROWS} GROUP BY 1) AS q",
    "median of distinct values":
        f"SELECT median(DISTINCT v), count(*), max(v) FROM {ROWS}",
    "the longest texts by group":
        f"SELECT count(*), sum(length(t)), sum(l[1]) FROM (SELECT k AS g, arg_max(repeat('text', "
        f"(v % 40)::INTEGER), v) AS t, last([v, k] ORDER BY v, x) AS l FROM {ROWS} GROUP BY 1) AS q",
    "a median beside sums":
        f"SELECT count(*), sum(m), sum(c), sum(s) FROM (SELECT median(v) AS m, count(*) AS c, "
        f"sum(x) AS s FROM {ROWS} GROUP BY k / 4) AS q",
    "several that collect":
        f"SELECT count(*), sum(m), sum(c), sum(length(s)) FROM (SELECT median(v) FILTER "
        f"(WHERE x % 3 = 0) AS m, count(DISTINCT v % 17) AS c, count(DISTINCT x % 1000) AS d, "
        f"string_agg(DISTINCT 'p' || v, ',') AS s FROM {ROWS} GROUP BY k / 4) AS q",
    "a sort of wide texts":
        f"SELECT x, 'begins alike and is long enough not to fit inline ' || v || repeat('.', 60) "
        f"FROM {ROWS} ORDER BY 2, 1 LIMIT 3 OFFSET {{last}}",
    "a join of two large sides":
        f"SELECT count(*), sum(a.v), sum(b.x) FROM {ROWS_A} JOIN {ROWS_B} ON a.x = b.v",
    "a full join":
        f"SELECT count(*), count(a.v), count(b.v), sum(length(b.t)) FROM {ROWS_A} "
        f"FULL JOIN (SELECT x, v, 'text ' || k AS t FROM {ROWS}) AS b ON a.v = b.v + 5000000",
    "a join with one hot key":
        f"SELECT count(*), sum(a.x) FROM (SELECT x, CASE WHEN x % 10 < 9 THEN 1 ELSE v END AS k "
        f"FROM {ROWS}) AS a WHERE EXISTS (SELECT 1 FROM (SELECT x, CASE WHEN x % 10 > 0 THEN 1 "
        f"ELSE v END AS k, 'text ' || v AS t FROM {ROWS}) AS b "
        f"WHERE a.k = b.k AND length(b.t) > 6)",
    "a join with some hot keys":
        f"SELECT count(*), sum(a.x) FROM (SELECT x, CASE WHEN x % 10 < 9 THEN x % 16 ELSE v END AS k "
        f"FROM {ROWS}) AS a WHERE EXISTS (SELECT 1 FROM (SELECT x, CASE WHEN x % 10 > 0 THEN x % 16 "
        f"ELSE v END AS k, 'text ' || v AS t FROM {ROWS}) AS b "
        f"WHERE a.k = b.k AND length(b.t) > 6)",
    "NOT IN": f"SELECT count(*) FROM {ROWS} WHERE v NOT IN (SELECT v + 1 FROM {ROWS})",
}

# What ../shared/design/MEMORY.md 9 holds the engine to, at its sizes.
LARGE_ROWS = ROWS.format(n=60000000)
LARGE = {
    "15 M groups of 60 M rows in order":
        f"SELECT count(*), sum(c), sum(s) FROM (SELECT x / 4 AS k, count(*) AS c, sum(v) AS s "
        f"FROM {LARGE_ROWS} GROUP BY 1) AS q",
    "15 M groups of 60 M rows in any order":
        f"SELECT count(*), sum(c), sum(s) FROM (SELECT v, count(*) AS c, sum(x) AS s "
        f"FROM {LARGE_ROWS} GROUP BY 1) AS q",
    "4 M texts of 16 M rows":
        "SELECT count(*), max(t), sum(c) FROM (SELECT 'a text of forty-four bytes, as it was said ' "
        "|| x * 104729 % 4000037 AS t, count(*) AS c FROM generate_series(1, 16000000) AS g(x) "
        "GROUP BY 1) AS q",
    "15 M medians of 60 M rows":
        f"SELECT count(*), sum(m) FROM (SELECT median(x) AS m FROM {LARGE_ROWS} GROUP BY v) AS q",
    "a join of 15 M and 60 M rows, of which a tenth match":
        "SELECT count(*), sum(a.x), sum(b.y) FROM (SELECT x, x * 10 AS k FROM "
        "generate_series(1, 15000000) AS g(x)) AS a JOIN (SELECT y, y * 104729 % 150000001 AS k FROM "
        "generate_series(1, 60000000) AS h(y)) AS b ON a.k = b.k",
    "a sort of 2.3 GB":
        "SELECT x, repeat('.', 84) || v FROM (SELECT x, x * 104729 % 15485863 AS v FROM "
        "generate_series(1, 20000000) AS g(x)) AS r ORDER BY v, x LIMIT 3 OFFSET 19999990",
}


def open_files(pid, folder):
    """The files below a folder that a process has open, whatever their name. It goes on meanwhile."""
    held = []
    with contextlib.suppress(OSError):
        for link in pathlib.Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                held.append(os.readlink(link))
    return [name for name in held if folder in name]


class Session:
    """One `firn session` process with its own folder of temporary files."""

    def __init__(self, program, data=None, **settings):
        self.folder = tempfile.mkdtemp(prefix="firn_memory_")
        arguments = [str(program), "session"]
        for key, value in {"threads": 2, "temp_directory": self.folder, **settings}.items():
            arguments += ["-s", f"{key}={value}"]
        self.process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)
        for table in TABLES if data else []:
            self.ask(f"CREATE VIEW {table} AS SELECT * FROM '{data}/{table}.parquet'")
        self.ask("SELECT 1")
        self.idle = self.peak()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()
        shutil.rmtree(self.folder)

    def ask(self, sql):
        self.process.stdin.write(json.dumps({"sql": sql}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        return json.loads(line) if line else {"error": f"the process ended: {self.process.wait()}"}

    def peak(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024

    def files(self):
        """What lies in the folder, or is open there without a name."""
        return os.listdir(self.folder) + open_files(self.process.pid, self.folder)


def numbers_of(word, plan):
    return [int(number) for number in re.findall(rf"\b{word}=(\d+)", plan)]


# ---- Queries and answers -------------------------------------------------------------------------

def tpch_query(number):
    """Of the repository's own tests, which have the text without any reference data."""
    text = (ROOT / "tests" / "tpch" / f"tpch_q{number:02}.slt").read_text()
    return re.search(r"^query \S+.*?\n(.*?)^----", text, re.S | re.M)[1].strip()


def stored_answer(number, scale):
    shared = os.environ.get("SHARED")
    path = pathlib.Path(shared or "/none", "sql", "tpch", "answers", f"sf{scale}",
                        f"q{number:02}.csv")
    if not path.exists():
        return None
    with path.open(newline="") as file:
        return [[None if value == "" else value for value in row] for row in csv.reader(file)][1:]


def same_value(left, right):
    if left == right or str(left or "").rstrip() == str(right or "").rstrip():
        return True
    try:
        return math.isclose(float(left), float(right), rel_tol=1e-6, abs_tol=1e-6)
    except (TypeError, ValueError):
        return False


def same_rows(left, right):
    return len(left) == len(right) and all(
        len(a) == len(b) and all(map(same_value, a, b)) for a, b in zip(left, right))


# ---- Checks --------------------------------------------------------------------------------------

class Report:
    def __init__(self):
        self.passed = 0
        self.failed = 0

    def check(self, name, is_true, text):
        self.passed += bool(is_true)
        self.failed += not is_true
        if not is_true:
            print(f"FAIL {name}: {text}", flush=True)


class Case:
    """A query and what it answers; `data` is the folder of its tables, if it has any."""

    def __init__(self, name, sql, data=None, stored=None):
        self.name, self.sql, self.data, self.stored = name, sql, data, stored
        self.expected = None


def check_limited(report, program, case, limit):
    """Runs a case under a limit; returns what it spilled and how deep partitions were split."""
    name = f"{case.name} in {limit / MB:g} MB"
    with Session(program, case.data, memory_limit=f"{limit}B") as session:
        answer = session.ask(case.sql)
        plan = "\n".join(row[0] for row in
                         session.ask("EXPLAIN ANALYZE " + case.sql).get("rows", []))
        peak, allowed = session.peak(), session.idle + limit + ALLOWANCE
        report.check(name, not session.files(), f"left {session.files()}")
    report.check(name, "error" not in answer and plan, answer.get("error", "no plan"))
    rows = answer.get("rows", [])
    if "error" not in answer:
        report.check(name, same_rows(rows, case.expected),
                     f"{str(rows)[:200]}, without limit {str(case.expected)[:200]}")
        report.check(name, case.stored is None or same_rows(rows, case.stored),
                     f"{str(rows)[:200]}, stored {str(case.stored)[:200]}")
    said = re.search(r"memory: peak ([\d.]+) MB of ([\d.]+) MB", plan)
    report.check(name, said and float(said[1]) <= float(said[2]), f"says {said and said[0]}")
    report.check(name, peak <= allowed, f"VmHWM {peak / MB:.1f} MB, {allowed / MB:.1f} allowed")
    spilled = sum(numbers_of("spilled_bytes", plan))
    depth = max(numbers_of("split_depth", plan), default=0)
    print(f"{name}: VmHWM {peak / MB:.1f} MB, spilled {spilled / MB:.1f} MB, split depth {depth}",
          flush=True)
    return spilled, depth


def check_cases(report, program, cases, limits):
    """Returns by limit how many cases spilled, and the deepest split."""
    counts, deepest = {}, 0
    for case in cases:
        with Session(program, case.data) as session:
            answer = session.ask(case.sql)
        report.check(case.name, "rows" in answer, f"without limit: {answer.get('error')}")
        case.expected = answer.get("rows", [])
        for limit in limits:
            spilled, depth = check_limited(report, program, case, limit)
            counts[limit] = counts.get(limit, 0) + (spilled > 0)
            deepest = max(deepest, depth)
    return counts, deepest


class Cost:
    """Seconds that a run took: of processors in firn, with what the system does for it, and of the
    clock, which goes on in a stand-still. What the system takes for a spilled byte is the machine's
    (0.3 to 0.7 s a GB through the page cache where it was measured), and no cliff of ours: where
    rows begin to spill, short runs feel it. Those of 4 M rows take 0.05 to 3 s, so that there is a
    floor, smaller for `user`: groups that go by the key itself in memory take 0.05 s of it there,
    and 0.1 s once they go by hash and are read back. Long runs have none."""

    MEASURES = ("user", "cpu", "wall")

    def __init__(self, user, cpu, wall):
        self.user, self.cpu, self.wall = user, cpu, wall

    def __str__(self):
        return f"{self.user:.2f} of {self.cpu:.2f} s of CPU and {self.wall:.2f} s"

    def least(self, other):
        return Cost(*(min(getattr(self, each), getattr(other, each)) for each in self.MEASURES))


def cost_of(program, case, limit, folder):
    """What a run in a process of its own takes; None if it fails."""
    command = [str(program), "--quiet", "-s", "threads=2", "-s", f"memory_limit={limit}B",
               *(["-s", f"temp_directory={folder}"] if folder else []), "-c", case.sql]
    begun = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.monotonic() - begun
    if process.returncode != 0:
        return None
    return Cost(used.ru_utime, used.ru_utime + used.ru_stime, wall)


def jumps(before, now, floors):
    """The measures by which a run is far dearer than the one with twice the memory."""
    return [each for each in Cost.MEASURES
            if getattr(now, each) > getattr(before, each) * STEP_MAX
            and getattr(now, each) - getattr(before, each) > floors[each]]


def check_curve(report, program, case, limits, rounds, floors, folder=None):
    """From much memory to little no halving costs more than 1.3 times the one before. Others who
    are at work only make a run dearer: the least of several counts, also of the run before, which
    would hide a jump. What is too dear is tried again side by side with the one before, and then
    the least of each counts in that stretch of time: a machine that became slower since the first
    round is no jump of ours, and neither run is seen less often than the other."""
    runs = [[cost_of(program, case, limit, folder) for limit in limits] for _ in range(rounds)]
    is_whole = all(None not in costs for costs in runs)
    report.check(case.name, is_whole, "a run failed")
    if not is_whole:
        return
    costs = [functools.reduce(Cost.least, of_limit) for of_limit in zip(*runs)]
    for i in range(1, len(limits)):
        before, now = costs[i - 1], costs[i]
        found, again = jumps(before, now, floors), []
        for _ in range(TRIES if found else 0):
            again.append([cost_of(program, case, limit, folder) or dearest
                          for limit, dearest in zip(limits[i - 1:i + 1], costs[i - 1:i + 1])])
            before, now = (functools.reduce(Cost.least, of_limit) for of_limit in zip(*again))
            costs[i] = costs[i].least(now)
            found = jumps(costs[i - 1], costs[i], floors) and jumps(before, now, floors)
            if len(again) > 1 and not found:
                break
        report.check(case.name, not found, f"{now} in {limits[i] / MB:g} MB, {before} "
                     f"before: a jump of {' and '.join(found)}")
    print(f"{case.name}: " + ", ".join(f"{cost} in {limit / MB:g} MB"
                                       for limit, cost in zip(limits, costs)), flush=True)


def check_no_room(report, program, limit):
    """A group that has no room is told soon: nobody waits for memory that nobody can give back."""
    name = f"a group that does not fit into {limit / MB:g} MB"
    sql = ("SELECT sum(c) FROM (SELECT CASE WHEN x % 10 < 9 THEN 1 ELSE k END AS g, "
           f"length(string_agg(repeat('text', 10) || v, ',')) AS c FROM {ROWS.format(n=1000000)} "
           "GROUP BY 1) AS q")
    command = [str(program), "--quiet", "-s", "threads=2", "-s", f"memory_limit={limit}B", "-c", sql]
    told = "nothing in time"
    for _ in range(ROUNDS):
        with contextlib.suppress(subprocess.TimeoutExpired):
            told = subprocess.run(command, capture_output=True, text=True, timeout=TOLD_SECONDS_MAX).stderr
            break
    report.check(name, told.startswith("error: out of memory"), told)


def ask_watched(session, sql):
    """The answer, and the files that lay in the session's folder at some moment before it."""
    held, is_answered = set(), threading.Event()

    def watch():
        while not is_answered.wait(0.001):
            held.update(session.files())

    watcher = threading.Thread(target=watch)
    watcher.start()
    answer = session.ask(sql)
    is_answered.set()
    watcher.join()
    return answer, held


def check_ends(report, program, limit):
    """What is spilled is gone after an error, and after a query that nobody reads to its end."""
    rows = ROWS.format(n=1000000)
    failing = (f"SELECT sum(1 % (x - 999999)) FROM (SELECT x, k, count(*) AS c FROM {rows} "
               "GROUP BY x, k) AS q")
    with Session(program, memory_limit=f"{limit}B") as session:
        answer, held = ask_watched(session, failing)
        report.check("after an error", "division" in str(answer.get("error")), str(answer)[:200])
        report.check("after an error", held, "nothing was spilled before it")
        report.check("after an error", not session.files(), f"left {session.files()}")
    settings = ["-s", "threads=2", "-s", f"memory_limit={limit}B"]
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen([str(program), *settings, "-s", f"temp_directory={folder}", "-c",
                                    f"SELECT * FROM {ROWS.format(n=40000000)} ORDER BY v"],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        held = []
        while not held and process.poll() is None:  # Until it spills.
            held = open_files(process.pid, folder)
        process.send_signal(2)  # As Ctrl-C.
        process.wait(timeout=120)
        report.check("after Ctrl-C", held and process.returncode == 130,
                     f"spilled: {bool(held)}, exit {process.returncode}")
        report.check("after Ctrl-C", not os.listdir(folder), f"left {os.listdir(folder)}")


def check_kept_values(report, program):
    """An aggregate that chooses a row keeps one value, however many were ahead before it."""
    limit = 24 * MB
    for value, order in (("repeat('v', 1000) || x", "x"), ("repeat('v', 1000) || x", "-x"),
                         ("repeat('v', x::INTEGER % 3000)", "x"), ("[x, x, x]", "x"),
                         ("[repeat('v', 1000) || x]", "x")):
        for call in (f"arg_max({value}, {order})", f"last({value} ORDER BY {order})",
                     f"first({value} ORDER BY {order} DESC, x)", f"max({value})"):
            name = f"{call} in {limit / MB:g} MB"
            with Session(program, memory_limit=f"{limit}B") as session:
                answer = session.ask(f"SELECT count(*) FROM (SELECT {call} AS v FROM "
                                     "generate_series(1, 200000) AS t(x)) AS q WHERE v IS NOT NULL")
                plan = session.ask(f"EXPLAIN ANALYZE SELECT {call} FROM generate_series(1, 50000) "
                                   "AS t(x)").get("rows", [])
                peak = session.peak() - session.idle
            report.check(name, same_rows(answer.get("rows", []), [[1]]), str(answer)[:200])
            report.check(name, peak <= limit, f"VmHWM {peak / MB:.1f} MB more than idle")
            report.check(name, plan and sum(numbers_of("spilled_bytes", str(plan))) == 0,
                         f"spilled: {str(plan)[:300]}")


def check_passed(report, program):
    """Rows whose keys nearly all differ wait for their groups as what they are."""
    count = 8000000
    sql = ("SELECT count(*), sum(c), sum(s) FROM (SELECT v, count(*) AS c, sum(x) AS s FROM "
           f"{ROWS.format(n=count)} GROUP BY v) AS q")
    with Session(program) as session:
        answer = session.ask(sql)
        peak = session.peak() - session.idle
    report.check("rows past the table", same_rows(answer.get("rows", []), [
        [count, count, count * (count + 1) // 2]]), str(answer)[:200])
    report.check("rows past the table", peak <= 42 * count, f"VmHWM {peak / MB:.1f} MB")


# Values whose ranks are looked for among rows that do not fit: alike, few, many, in order or not,
# long, nested; and groups: one, three, one that has most rows beside many, none.
RANKED_VALUES = ("-x", "x % 2", "0", "x * 7919 % 1000003", "CASE WHEN x % 10 < 9 THEN 5 ELSE x END",
                 "CASE WHEN x % 3 = 0 THEN 'NaN'::DOUBLE WHEN x % 3 = 1 THEN -0.0 ELSE x END",
                 "x::DECIMAL(38, 10) * 7919 % 1000003", "DATE '1960-01-01' + (x * 7919 % 10007)::INTEGER",
                 "INTERVAL '1 second' * (x * 7919 % 1000003)", "'text ' || x", "'text ' || x % 3",
                 "repeat('v', (x % 300)::INTEGER) || x", "[x * 7919 % 1000003]", "{'a': x % 5, 'b': 'q' || x}")
RANKED_GROUPS = ("k % 1", "k % 3", "CASE WHEN x % 8 < 7 THEN 0 ELSE k END", None)


def check_ranks(report, program, limit):
    """Medians and quantiles of groups that do not fit are those of an unlimited run."""
    rows = "(SELECT x, x * 7919 % 1003 AS k FROM generate_series(1, 300000) AS g(x)) AS r"
    with Session(program) as unlimited, Session(program, memory_limit=f"{limit}B") as limited:
        for value in RANKED_VALUES:
            calls = [f"quantile_disc({value}, {at})" for at in (0.0, 0.3, 1.0)]
            calls += [] if re.search(r"text|repeat|[{\[]", value) else [f"median({value})"]
            for group in RANKED_GROUPS:
                key = "" if group is None else f"{group} AS g, "
                end = "" if group is None else "GROUP BY g ORDER BY g LIMIT 50"
                sql = f"SELECT {key}{', '.join(calls)}, count(*) FROM {rows} {end}"
                expected, answer = unlimited.ask(sql), limited.ask(sql)
                report.check(f"a rank of {value} by {group}", "rows" in expected
                             and expected["rows"] == answer.get("rows"), str(answer)[:300])
        plan = limited.ask(f"EXPLAIN ANALYZE {sql}").get("rows")
        report.check("ranks", sum(numbers_of("spilled_bytes", str(plan))) > 0, "nothing was spilled")


def check_splits(report, program, limit):
    """A partition that is still too large after a split is split again."""
    for name, count in (("group by a key of many values", 3000000),
                        ("a join with some hot keys", 2000000)):
        case = Case(name, KEEPERS[name].format(n=count))
        with Session(program) as session:
            case.expected = session.ask(case.sql).get("rows", [])
        _, depth = check_limited(report, program, case, limit)
        report.check(name, depth >= 2, f"split {depth} times")


def check_long_texts(report, program, limit):
    """Expressions whose values are long see few rows at a time."""
    for length, count in ((30000, 4000), (300000, 1000)):
        texts = (f"(SELECT repeat('b', {length}) || x AS s FROM generate_series(1, {count}) AS t(x)) "
                 "AS q")
        sevens = sum("77" in str(x) for x in range(1, count + 1))
        digits = sum(len(str(x)) for x in range(1, count + 1))
        for sql, expected in (
                (f"SELECT count(*) FROM {texts} WHERE s LIKE '%77%'", [sevens]),
                (f"SELECT sum(length(s)), count(*) FILTER (WHERE s LIKE '%77%') FROM {texts}",
                 [length * count + digits, sevens])):
            name = f"texts of {length} characters in {limit / MB:g} MB"
            with Session(program, memory_limit=f"{limit}B") as session:
                answer = session.ask(sql)
                peak = session.peak() - session.idle
            report.check(name, same_rows(answer.get("rows", []), [expected]), str(answer)[:200])
            report.check(name, peak <= limit, f"VmHWM {peak / MB:.1f} MB more than idle")


# Groups of long texts, {0}, which lie in the spill file when they are handed out and brought together:
# 300 MB of keys, or of states that keep one. What all of them answer.
LONG_GROUPS = (
    ("SELECT count(*), sum(length(s)) FROM (SELECT DISTINCT s FROM {0}) AS q", [3000, 300010890]),
    ("SELECT count(DISTINCT lower(s)) FROM {0}", [3000]),
    ("SELECT count(*), sum(c) FROM (SELECT s, count(*) AS c FROM {0} GROUP BY s) AS q", [3000, 3000]),
    ("SELECT count(*), sum(length(m)) FROM (SELECT x % 10 AS k, max(s) AS m, min(s || 'y') AS n "
     "FROM {0} GROUP BY 1) AS q", [10, 1000028]),
    ("SELECT count(*), sum(length(m)) FROM (SELECT x AS k, max(s) AS m, first(s) AS f FROM {0} "
     "GROUP BY 1) AS q", [3000, 300010890]),
    ("SELECT count(*) FROM (SELECT s FROM {0} UNION SELECT s FROM {0}) AS q", [3000]),
    ("SELECT count(*), sum(length(m)) FROM (SELECT x % 2000 AS k, max(t) AS m, min(t) AS n FROM (SELECT x, t "
     "FROM generate_series(1, 10000) AS g(x) JOIN (VALUES (0, repeat('a', 30000)), (1, repeat('b', "
     "20000))) AS v(i, t) ON x % 2 = i) AS p GROUP BY 1) AS q", [2000, 50000000]),
)


def check_long_groups(report, program, limits):
    texts = "(SELECT x, x || repeat('b', 100000) AS s FROM generate_series(1, 3000) AS g(x)) AS r"
    for limit in limits:
        for sql, expected in LONG_GROUPS:
            name = f"{sql[:60]} in {limit / MB:g} MB"
            with Session(program, memory_limit=f"{limit}B") as session:
                answer = session.ask(sql.format(texts))
                peak = session.peak() - session.idle
            report.check(name, same_rows(answer.get("rows", []), [expected]), str(answer)[:300])
            report.check(name, peak <= limit + ALLOWANCE, f"VmHWM {peak / MB:.1f} MB more than idle")


def check_repeated_texts(report, program, limit):
    """Long texts that are there once and occur often: as rows they would fill the limit many times."""
    count, length = 15000, 20000
    texts = (f"(SELECT x, w FROM generate_series(1, {count}) AS t(x) JOIN (SELECT k, "
             f"repeat(chr((97 + k)::INTEGER), {length}) AS w FROM generate_series(0, 9) AS s(k)) AS d ON k = x % 10)")
    distinct = f"SELECT DISTINCT repeat('v', {length}) || x AS s FROM generate_series(1, {count}) AS t(x)"
    for sql, expected in (
            (f"SELECT sum(length(w)), count(*) FROM (SELECT * FROM {texts} AS q ORDER BY w, x DESC) AS r",
             [length * count, count]),
            ("SELECT sum(length(w)), count(*) FROM (SELECT x, repeat('v', 1000000) AS w FROM "
             "generate_series(1, 100) AS t(x) ORDER BY w, x DESC) AS q", [10 ** 8, 100]),
            (f"SELECT sum(length(m)), count(*) FROM (SELECT x / 3 AS k, max(w) AS m FROM {texts} AS q "
             "GROUP BY k) AS r", [length * (count // 3 + 1), count // 3 + 1]),
            (f"SELECT count(*) FROM {texts} AS a JOIN {texts} AS b ON a.w = b.w AND a.x = b.x", [count]),
            (f"SELECT count(DISTINCT w || x) FROM {texts} AS q", [count]),
            (f"SELECT count(*) FROM ({distinct}) AS q", [count])):
        with Session(program, memory_limit=f"{limit}B") as session:
            answer = session.ask(sql)
        report.check(f"repeated texts: {sql[:60]}", same_rows(answer.get("rows", []), [expected]),
                     str(answer)[:300])


def check_above_groups(report, program):
    """Expressions over groups that fill the memory: where a limit does, a larger one does as well."""
    groups = ("SELECT k, d, max(k) IS NULL AS a, min(CASE WHEN x % 4 <> 0 THEN -0.0 END) AS b, sum(1) AS c, "
              "count(1) FILTER (WHERE x % 5 <> 0) AS h, max(-x) FILTER (WHERE x % 3 <> 0) AS i, "
              "sum((x % 1000)::DOUBLE / 4) FILTER (WHERE x % 2 <> 0) AS e, "
              "avg((x * 7919 % 1000003)::DECIMAL(9, 2)) AS f, max(7) AS g FROM (SELECT x, "
              "CASE WHEN x % 7 <> 0 THEN {'a': x * 7919 % 100000, 'b': 't' || x % 5} END AS k, "
              "CASE WHEN x % 7 <> 0 THEN ((x / 3) * 1000000007)::DECIMAL(30, 2) END AS d "
              "FROM generate_series(1, 200000) AS t(x)) AS r GROUP BY k, d")
    sums = ", ".join(f"sum(hash(k::TEXT, d::TEXT, {column}::TEXT) % 1000000007)"
                     for column in "k d a b c e f g h i".split())
    sql = f"SELECT count(*), {sums} FROM ({groups}) AS q"
    with Session(program) as session:
        wanted = session.ask(sql).get("rows")
    report.check("above groups", wanted is not None and wanted[0][0] == "171430", str(wanted)[:200])
    for limit in range(4, 13):
        with Session(program, memory_limit=f"{limit}MB") as session:
            answer = session.ask(sql)
        report.check(f"above groups, {limit} MB", answer.get("rows") == wanted,
                     str(answer.get("error", answer))[:300])


# ---- Files with large metadata --------------------------------------------------------------------

I32, I64, BINARY, LIST, STRUCT = 5, 6, 8, 9, 12  # Types of Thrift's compact protocol.


def varint(number):
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7f | 0x80)
        number >>= 7
    return bytes(out) + bytes([number])


def number(value):
    return varint(value * 2 if value >= 0 else -value * 2 - 1)


def text(value):
    return varint(len(value)) + value.encode()


def listing(kind, items):
    head = bytes([len(items) << 4 | kind]) if len(items) < 15 else bytes([0xf0 | kind]) + varint(len(items))
    return head + b"".join(items)


def structure(*fields):
    out, before = b"", 0
    for index, kind, value in fields:
        out, before = out + bytes([(index - before) << 4 | kind]) + value, index
    return out + b"\0"


def parquet_of(columns, groups):
    """A file of INTEGER columns c0, c1, … that has a row in each row group: its number."""
    out, kept = bytearray(b"PAR1"), []
    data = structure((1, I32, number(1)), (2, I32, number(0)), (3, I32, number(3)), (4, I32, number(3)))
    header = structure((1, I32, number(0)), (2, I32, number(4)), (3, I32, number(4)), (5, STRUCT, data))
    size = number(len(header) + 4)
    for group in range(groups):
        value = group.to_bytes(4, "little")
        bound = varint(4) + value
        bounds = structure((3, I64, number(0)), (5, BINARY, bound), (6, BINARY, bound))
        chunks = []
        for column in range(columns):
            metadata = structure(
                (1, I32, number(1)), (2, LIST, listing(I32, [number(0)])),
                (3, LIST, listing(BINARY, [text(f"c{column}")])), (4, I32, number(0)),
                (5, I64, number(1)), (6, I64, size), (7, I64, size), (9, I64, number(len(out))),
                (12, STRUCT, bounds))
            chunks.append(structure((2, I64, number(len(out))), (3, STRUCT, metadata)))
            out += header + value
        kept.append(structure((1, LIST, listing(STRUCT, chunks)), (2, I64, number(4 * columns)),
                              (3, I64, number(1))))
    schema = [structure((4, BINARY, text("schema")), (5, I32, number(columns)))] + [
        structure((1, I32, number(1)), (3, I32, number(0)), (4, BINARY, text(f"c{column}")))
        for column in range(columns)]
    order = structure((1, STRUCT, b"\0"))
    footer = structure((1, I32, number(2)), (2, LIST, listing(STRUCT, schema)), (3, I64, number(groups)),
                       (4, LIST, listing(STRUCT, kept)), (7, LIST, listing(STRUCT, [order] * columns)))
    return bytes(out) + footer + len(footer).to_bytes(4, "little") + b"PAR1"


def iceberg_of(snapshots, schemas, properties):
    """Metadata of an empty table that had so many snapshots, schemas, and bytes of properties."""
    fields = [{"id": i, "name": f"column_{i}", "required": False, "type": "long"} for i in range(1, 14)]
    return json.dumps({
        "format-version": 2, "table-uuid": "9c12d441-03fe-4693-9a96-a0705ddf69c1", "location": "/none",
        "last-sequence-number": snapshots, "last-updated-ms": 1, "last-column-id": 13,
        "current-schema-id": 0, "default-spec-id": 0, "last-partition-id": 999,
        "schemas": [{"type": "struct", "schema-id": i, "fields": fields} for i in range(schemas)],
        "partition-specs": [{"spec-id": 0, "fields": []}], "default-sort-order-id": 0,
        "sort-orders": [{"order-id": 0, "fields": []}], "properties": {"note": "n" * properties},
        "current-snapshot-id": -1,
        "snapshots": [{"snapshot-id": i + 1, "sequence-number": i, "timestamp-ms": i, "schema-id": 0,
                       "manifest-list": f"/none/metadata/snap-{i}.avro",
                       "summary": {"operation": "append", "total-records": str(i),
                                   "note": "what an engine says of itself " * 12}}
                      for i in range(snapshots)]}).encode()


def check_metadata(report, program):
    """What a file's metadata takes is counted: it fits, or the error names file and limit."""
    wide, groups = "SELECT * FROM '{}'", "SELECT count(*) FROM '{}' WHERE c5 = 7"
    iceberg = "SELECT count(*) FROM iceberg_scan('{}')"
    cases = (  # Name, file, query, its answer, limits that are too small, one that is enough.
        ("wide.parquet", parquet_of(1500, 1), wide, ["0"] * 1500, (8,), 24),
        ("wider.parquet", parquet_of(3000, 1), wide, ["0"] * 3000, (16,), 48),
        ("groups.parquet", parquet_of(100, 500), groups, ["1"], (4, 8), 20),
        ("snapshots.metadata.json", iceberg_of(20000, 1, 0), iceberg, ["0"], (4, 8), 28),
        ("properties.metadata.json", iceberg_of(1, 1, 20 * MB), iceberg, ["0"], (4, 16), 24),
        ("schemas.metadata.json", iceberg_of(1, 3000, 0), iceberg, ["0"], (4, 8), 20))
    with tempfile.TemporaryDirectory() as folder:
        for name, content, sql, expected, small, enough in cases:
            path = pathlib.Path(folder, name)
            path.write_bytes(content)
            for limit in [each * MB for each in (*small, enough)]:
                case = f"{name} in {limit / MB:g} MB"
                with Session(program, memory_limit=f"{limit}B") as session:
                    answer = session.ask(sql.format(path))
                    peak = session.peak() - session.idle
                    again = session.ask("SELECT 1")
                told = answer.get("error", "")
                is_told = (limit < enough * MB and told.startswith("out of memory") and
                           f"memory_limit {limit}" in told and name in str(answer["context"]))
                report.check(case, is_told or same_rows(answer.get("rows", []), [expected]),
                             str(answer)[:300])
                report.check(case, peak <= limit + ALLOWANCE,
                             f"VmHWM {peak / MB:.1f} MB more than idle")
                report.check(case, again.get("rows") == [["1"]], f"after it: {again}")


# Many keepers of a few rows, each with its minimum.
FEW_ROWS = ("CREATE TABLE t AS SELECT x AS a, x + 1 AS b, x + 2 AS c FROM generate_series(1, 2) g(x)")
FEW_ROWS_QUERIES = [
    "SELECT a, (SELECT count(*) FROM t u WHERE u.a < t.a) AS d, (SELECT max(b) FROM t u WHERE u.b < "
    "t.b) AS e, (SELECT min(c) FROM t u WHERE u.c < t.c) AS f, (SELECT sum(c) FROM t u WHERE u.c <> "
    "t.a) AS g FROM t ORDER BY a",
    "SELECT q1.c, min((SELECT min(3) FROM t q4 WHERE q4.c >= q2.a)) AS m FROM t q1 LEFT JOIN t q2 ON "
    "q1.c = q2.a AND NOT EXISTS (SELECT 1 FROM t q3 WHERE q3.a = q2.b) GROUP BY 1 ORDER BY 1",
]


def check_floor(report, program):
    """A query of many keepers runs in as little as its refusal says that it needs."""
    for query in FEW_ROWS_QUERIES:
        with Session(program) as session:
            session.ask(FEW_ROWS)
            wanted = session.ask(query)["rows"]
        with Session(program, memory_limit="4MB") as session:
            session.ask(FEW_ROWS)
            said = session.ask(query).get("error", "")
        needed = re.search(r"needs at least (\d+) bytes", said)
        report.check("a floor", needed is not None, f"not refused in 4 MB: {said}")
        for more in (0, 512, 4096) if needed else ():
            limit = f"{-(-int(needed[1]) // 1024) + more}KB"
            with Session(program, memory_limit=limit) as session:
                session.ask(FEW_ROWS)
                answer = session.ask(query)
            report.check(f"a floor, {limit}", answer.get("rows") == wanted,
                         str(answer.get("error", answer)))


def tpch_cases(scale, only):
    data = subprocess.run(["bash", ROOT / "tools/dev/tpch_data.sh", scale], check=True,
                          capture_output=True, text=True).stdout.strip()
    return [Case(f"tpch {number:02} at scale {scale}", tpch_query(number), data,
                 stored_answer(number, scale))
            for number in range(1, 23) if only in f"tpch {number:02}"]


def keeper_cases(count, only):
    return [Case(name, sql.format(n=count, last=count - 5)) for name, sql in KEEPERS.items()
            if only in name]


def check_limits(report, arguments, keepers, limits):
    """Answers, bytes held and spilled, what is left behind."""
    program, full, only = arguments.build / "firn", arguments.full, arguments.only
    counts, _ = check_cases(report, program, tpch_cases("1" if full else "0.1", only),
                            limits(64, 32, 15) if full else limits(12))
    kept, deepest = check_cases(report, program, keepers, limits(64, 16) if full else limits(12, 5))
    print("spilled: " + ", ".join(f"{count} TPC-H queries in {limit / MB:g} MB"
                                  for limit, count in counts.items()))
    if not only and not arguments.limits:
        check_ends(report, program, 12 * MB)
        check_long_texts(report, program, 16 * MB)
        check_long_groups(report, program, [n * MB for n in ((64, 128, 256) if full else (64,))])
        check_splits(report, program, 4 * MB)
        check_kept_values(report, program)
        check_passed(report, program)
        check_above_groups(report, program)
        check_repeated_texts(report, program, 64 * MB)
        check_ranks(report, program, 5 * MB)
        check_metadata(report, program)
        check_floor(report, program)
        report.check("spilling", all(count == len(keepers) for count in kept.values()), str(kept))
        report.check("splitting", deepest >= 1, f"split {deepest} times")
        if full:
            report.check("spilling", counts[32 * MB] >= 6 and counts[15 * MB] >= 12, str(counts))
        for limit in (32, 16):
            check_no_room(report, program, limit * MB)


def check_curves(report, arguments, keepers):
    """What it costs to have less memory. Looks at the clock: nothing else may run beside it. The
    small runs spill into memory where there is room: a slow disk is no stand-still of ours, and
    --full has it."""
    program, full, only = arguments.build / "firn", arguments.full, arguments.only
    shm = "/dev/shm"
    has_room = os.access(shm, os.W_OK) and shutil.disk_usage(shm).free > 1024 * MB
    in_memory = shm if has_room else None
    for case in keepers:
        if full:
            check_curve(report, program, case, [n * MB for n in (512, 256, 128, 64, 32)], ROUNDS, FLOORS)
        elif case.name in CURVES:
            check_curve(report, program, case, [n * MB for n in (128, 64, 32, 16)], 2, FLOORS_SMALL,
                        in_memory)
    for name, sql in LARGE.items():
        if full and only in name:
            check_curve(report, program, Case(name, sql), [n * MB for n in (512, 256, 128, 64, 32)], 1,
                        FLOORS_LARGE)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--only", default="")
    parser.add_argument("--limits", help="in MB, instead of those of the test")
    parser.add_argument("--part", choices=("limits", "curves"), help="what looks at bytes, or at time")
    arguments = parser.parse_args()
    full, only = arguments.full, arguments.only
    report = Report()

    def limits(*numbers):
        chosen = arguments.limits.split(",") if arguments.limits else numbers
        return [int(float(number) * MB) for number in chosen]

    keepers = keeper_cases(4000000 if full else 1000000, only)
    if arguments.part != "curves":
        check_limits(report, arguments, keepers, limits)
    if arguments.part != "limits" and not arguments.limits:
        check_curves(report, arguments, keepers)
    print(f"{report.passed} passed, {report.failed} failed")
    return report.failed > 0


if __name__ == "__main__":
    sys.exit(main())
