"""The steps of `./dev test`, one line each: name, command, and what build it needs.

A step's command runs with bash in the top folder. run_steps.py says how its output is counted and
builds the preset of `build` before the first step that needs it. Names are paths, so that
`./dev test lint/` runs a group.
"""
import os
import pathlib
import re
import shlex
from dataclasses import dataclass, field

BUILD_TIMEOUT = 3600
SANITIZED = ("dev", "inline", "tsan")
# Records of the random-query set that need what this version of firn does not have.
LATER_SQL = r"over *\(|grouping sets|rollup|cube|recursive|lateral|distinct on|within group"

# These keep all processors busy by themselves, as whatever has --jobs $(nproc) does.
WIDE = ("lint/headers", "lint/tidy", "fuzz/search", "fuzz/coverage", "bare")
# These look at the clock: what they measure is not what other steps do at the same moment.
TIMED = ("api/cancel_test/release", "api/cancel_hang_test/release",
         "api/cancel_interrupt_test/release", "api/cancel_planning_test/release",
         "api/wide_sql_test/release", "many_files", "memory/curves", "start")
# These wait most of their time - for servers, for pauses before something is tried again, at the end
# of programs under ThreadSanitizer - and leave a processor to others.
WAITING = ("api/cancel_hang_test/dev", "api/cancel_hang_test/tsan", "api/cancel_interrupt_test/tsan",
           "cli/dev", "cli/release", "cli/tsan", "examples/dev", "examples/release",
           "interop/catalog_write", "interop/http_scan", "interop/iceberg_isolation/release",
           "interop/iceberg_isolation/rest", "interop/iceberg_sql/sqlite", "interop/rest_sql")
# These take longest, of those of a preset: they begin first, so that at the end no long one runs alone.
LONGEST = ("unit/tsan", "unit/dev", "faults/sort", "interop/iceberg_sql/sqlite", "api/many_columns_test",
           "interop/iceberg_isolation", "cli/tsan", "sql/tsan", "faults/writes_rest", "memory/limits",
           "api/wide_rows_test", "faults/join", "interop/rest_sql", "api/cancel_interrupt_test/tsan",
           "faults/writes_sqlite", "interop/iceberg_sql", "interop/iceberg_crash", "differential/mutated",
           "interop/parquet_write", "faults/writes_folders", "unit", "interop/http_scan", "cli",
           "faults/aggregate")


def begins(name, group):
    """Whether a step is, or lies in, what a list of steps names."""
    return name == group or name.startswith(group + "/")


@dataclass
class Step:
    name: str
    command: str
    build: str = ""
    timeout: int = 1200
    variables: dict = field(default_factory=dict)
    missing: str = ""  # What it needs and is not there: it is skipped.

    @property
    def is_alone(self):
        return self.name in WIDE + TIMED or "--jobs $(nproc)" in self.command

    @property
    def is_waiting(self):
        return any(begins(self.name, group) for group in WAITING)


def place(step):
    """Orders steps by when they begin: the longest first, the others as they stand."""
    return next((i for i, group in enumerate(LONGEST) if begins(step.name, group)), len(LONGEST))


def shared_folder(root):
    """Where the reference data lies: FIRN_SHARED or ../shared; None in a clone without them."""
    folder = pathlib.Path(os.environ.get("FIRN_SHARED", root.parent / "shared"))
    return folder if folder.is_dir() else None


def of_reference_data(root, steps):
    """Steps that read ../shared. A clone without it skips them."""
    for step in steps if shared_folder(root) is None else []:
        step.missing, step.build = "the reference data (../shared, or FIRN_SHARED)", ""
    return steps


def environment(root):
    """Variables that every step sees, also inside SQL test files as ${NAME}."""
    shared = shared_folder(root)
    return {"ROOT": str(root), **({"SHARED": str(shared)} if shared else {})}


def build_command(preset):
    jobs = os.environ.get("JOBS", str(os.cpu_count()))
    return f"cmake --preset {preset} && cmake --build --preset {preset} --parallel {jobs}"


def has_engine(root):
    """Whether src/engine implements firn.h; CMakeLists.txt asks the same."""
    return any("\nfirn_status firn_query(" in path.read_text()
               for path in (root / "src" / "engine").glob("*.c"))


def lint(full):
    return [
        Step("lint/format", "tools/check_format.py"),
        Step("lint/layers", "tools/check_layers.py"),
        Step("lint/sources", "tools/check_sources.py"),
        Step("lint/headers", "tools/check_headers.py"),
        Step("lint/function_tests", "tools/check_function_tests.py"),
        Step("lint/semantics", "tools/check_semantics.py"),
        Step("lint/correlated", "tools/check_correlated.py"),
        Step("lint/tidy", "tools/check_tidy.py" + (" --full" if full else ""), "dev", 7200),
        Step("lint/docs", "tools/check_docs.py"),
        Step("lint/abi", "tools/check_abi.py build/release", "release"),
        Step("lint/size", "tools/check_size.py build/release", "release"),
        Step("lint/reference", "tools/make_reference.py build/release --check", "release"),
    ]


def unit(full):
    # What they write to a folder is made anew and synced for each fault: not on the disk.
    memory = "TMPDIR=${TMPDIR:-/dev/shm}"
    found = [Step(f"unit/{preset}", f"{memory} build/{preset}/firn_unit_tests", preset)
             for preset in ("release", "dev", "tsan")]
    for level in ("base", "v3", "v4"):  # A level that the machine lacks runs the best it has.
        found.append(Step(f"unit/isa_{level}", f"{memory} build/release/firn_unit_tests", "release",
                          variables={"FIRN_ISA": level}))
    found.append(Step("fuzz/replay", "tools/test/replay_corpora.py build/dev", "dev"))
    found.append(Step("fuzz/coverage", "tools/test/fuzz_coverage.py build/release", "release"))
    if full:
        found += [
            Step("unit/gcc", f"{memory} build/gcc/firn_unit_tests", "gcc"),
            Step("unit/inline", f"{memory} build/inline/firn_unit_tests", "inline"),
            # Without -L: Debian's loader and C library are a pair, the cross compiler's another.
            Step("unit/aarch64", "qemu-aarch64-static build/aarch64/firn_unit_tests", "aarch64",
                 3600),
            Step("fuzz/search", "./dev fuzz", timeout=7200),
        ]
    return found


def venv(group):
    """A shell word: the Python of a virtual environment, made when it is missing."""
    return f"$(bash tools/dev/venv.sh {group})/bin/python"


def programs(root, full):
    """The command line and the runner of SQL files over a stand-in for the engine, and all else
    that is a program on firn.h."""
    pyarrow = f"PYARROW={venv('pyiceberg')}"
    found = [Step(f"cli/{preset}", f"{pyarrow} tests/cli/cli_test.py build/{preset}", preset)
             for preset in ("release", "dev", "tsan")]
    found.append(Step("runner/dev", "tests/runner/runner_test.py build/dev", "dev"))
    found.append(Step("runner/steps", "tests/runner/steps_test.py"))
    ours = {"REST_SERVER": "fake", "SHARED": "/nowhere"}  # As in a clone without anything else.
    found.append(Step("interop/rest", "tests/interop/rest.sh build/dev", "dev"))
    found.append(Step("interop/rest/alone", "tests/interop/rest.sh build/dev", "dev", variables=ours))
    if has_engine(root):
        found.append(Step("interop/rest_sql", "tests/interop/rest_sql_test.py build/dev", "dev"))
        found.append(Step("interop/rest_requirements", "tests/interop/rest_requirements_test.py build/release",
                          "release"))
        found.append(Step("interop/rest_sql/alone", "tests/interop/rest_sql_test.py build/tsan", "tsan",
                          variables=ours))
        found.append(Step("conformance/iceberg/alone", "tests/conformance/conformance_iceberg.py "
                          "build/release/firn tests/data/conformance/iceberg", "release"))
        for source in sorted((root / "tests" / "api").glob("*_test.c")):
            found += [Step(f"api/{source.stem}/{preset}", f"build/{preset}/{source.stem}", preset)
                      for preset in ("release", "dev", "tsan")]
        found += [Step(f"examples/{preset}", f"tools/test/examples_test.sh build/{preset}", preset)
                  for preset in ("release", "dev")]
        found += [Step(f"plans/{preset}", f"tests/plans/plan_files_test.py build/{preset}", preset)
                  for preset in (("release", "dev") if full else ("release",))]
        found += [Step(f"cli/formats/{preset}", f"{pyarrow} tests/cli/formats_test.py build/{preset}",
                       preset) for preset in ("release", "dev")]
        found += [Step(f"cli/prompt/{preset}", f"tests/cli/prompt_test.py build/{preset}", preset)
                  for preset in ("release", "dev")]
        found.append(Step("cli/documented", "tests/cli/documented_queries_test.py build/release", "release"))
        found.append(Step("install", "tools/test/install_test.sh", "release"))
        found.append(Step("demo", "tools/test/demo_test.py", "release"))
        found += [Step(f"interop/http_scan/{preset}", f"tests/interop/http_scan_test.py "
                       f"build/{preset}", preset) for preset in ("release", "dev", "tsan")]
        views = f"{venv('pyiceberg')} tests/interop/iceberg_views_test.py build/release"
        found.append(Step("interop/iceberg_views/sqlite", views, "release"))
        found.append(Step("interop/iceberg_views/rest", views + " --rest" + ("" if full else " --without-spark"),
                          "release"))
        random_tables = f"{venv('pyiceberg')} tests/interop/iceberg_random_test.py build"
        found.append(Step("interop/iceberg_random", f"{random_tables}/release/firn 40", "release"))
        foreign = f"{venv('pyiceberg')} tests/interop/iceberg_foreign_test.py build"
        found.append(Step("interop/iceberg_foreign", f"{foreign}/release/firn", "release"))
        writes = f"{venv('pyiceberg')} tests/interop/catalog_write_test.py build"
        found.append(Step("interop/catalog_write", f"{writes}/dev", "dev"))
        found.append(Step("interop/catalog_write/alone", f"{writes}/release", "release", variables=ours))
        found += [Step(f"interop/iceberg_write/{preset}", f"{venv('pyiceberg')} "
                       f"tests/interop/iceberg_write_test.py build/{preset}", preset)
                  for preset in ("release", "dev")]
        found += iceberg_sql(full, ours)
        if full:
            found.append(Step("interop/iceberg_random/sanitized", f"{random_tables}/dev/firn 300 1000",
                              "dev", 7200))
            found.append(Step("interop/iceberg_foreign/sanitized", f"{foreign}/dev/firn --full", "dev", 7200))
        written = f"{venv('data')} tests/interop/parquet_write_test.py build/release"
        found.append(Step("interop/parquet_write", written + (" --full" if full else ""), "release",
                          7200))
        copied = f"{venv('data')} tests/interop/copy_formats_test.py build/release"
        found.append(Step("interop/copy_formats", copied + (" --full" if full else ""), "release"))
        found.append(Step("many_files", "tools/test/many_files_test.py build/release/firn", "release"))
        found.append(Step("start", "python3 bench/start/start_bench.py 40 --check", "release"))
    return found


def iceberg_sql(full, ours):
    """Iceberg tables that firn writes from SQL, read and written by other engines. Spark's 500 MB are brought once,
    and it takes part where another machine could not tell the difference: in CI over SQLite alone."""
    sql = f"{venv('pyiceberg')} tests/interop/iceberg_sql_test.py build"
    commits = f"{venv('pyiceberg')} tests/interop/iceberg_commits_test.py build"
    insert = f"{venv('pyiceberg')} tests/interop/iceberg_insert_test.py build"
    more = " --full" if full else ""
    found = [Step("interop/iceberg_commits/sqlite", f"{commits}/release{more}", "release", 7200),
             Step("interop/iceberg_commits/rest", f"{commits}/release --rest{more}", "release", 7200),
             Step("interop/iceberg_commits/alone", f"{commits}/dev --rest{more}", "dev", 7200, ours)]
    found.append(Step("interop/iceberg_insert", f"{insert}/release --seed 1{more}", "release"))
    found.append(Step("interop/iceberg_crash", f"TMPDIR=${{TMPDIR:-/dev/shm}} {venv('pyiceberg')} "
                      "tests/interop/iceberg_crash_test.py "
                      f"build/release{more}", "release", 7200))
    found.append(Step("interop/rest_faults", f"{venv('pyiceberg')} tests/interop/rest_faults_test.py "
                      f"build/release{more}", "release", 7200))
    # Some 850 pairs, each with some ten syncs: a slow disk is no finding.
    found += [Step(f"interop/iceberg_isolation/{build}", "TMPDIR=${TMPDIR:-/dev/shm} "
                   f"tests/interop/iceberg_isolation_test.py build/{build}", build)
              for build in ("release", "tsan")]
    # Over REST each is some ten requests: without --full a sample, in which each deed meets others.
    found.append(Step("interop/iceberg_isolation/rest", f"TMPDIR=${{TMPDIR:-/dev/shm}} {venv('pyiceberg')} "
                      f"tests/interop/iceberg_isolation_test.py build/release --rest{'' if full else ' --every 11'}",
                      "release", 7200))
    if full:
        return found + [Step(f"interop/iceberg_sql/{name}", f"{sql}/{build} --full --seed {seed} {more}", build, 7200)
                for name, build, seed, more in (
                    ("sqlite", "release", 1, ""), ("rest", "release", 2, "--rest"),
                    ("sanitized", "dev", 3, "--without-spark"), ("rest/sanitized", "dev", 4, "--rest --without-spark"))]
    return found + [Step("interop/iceberg_sql/sqlite", f"{sql}/release", "release"),
                    Step("interop/iceberg_sql/rest", f"{sql}/release --rest --without-spark", "release"),
                    Step("interop/iceberg_sql/alone", f"{sql}/dev --rest --without-spark --only evolution", "dev",
                         variables=ours)]


def faults(root, full):
    """Scenarios in which each call to the system fails once. Temporary files lie in memory:
    it is their faults that are tried, not the disk."""
    if not has_engine(root):
        return []
    read = (root / "tests/faults/faults_test.c").read_text()
    written = (root / "tests/faults/faults_write_test.c").read_text()
    run = "TMPDIR=${TMPDIR:-/dev/shm} build/"

    def steps(text, amounts):
        return [Step(f"faults/{name}/{preset}", f"{run}{preset}/faults_test faults_{name}", preset, 7200,
                     {"FIRN_FAULTS": amount})
                for preset, amount in amounts for name in re.findall(r"^TEST\(faults_(\w+)\)", text, re.MULTILINE)]
    # Of what writes there are many statements: all calls only where no sanitizer slows them down, and
    # in CI some, with sanitizers where no server is asked.
    writing = steps(written, (("release", "all"), ("dev", "most")) if full else (("release", "few"), ("dev", "few")))
    return steps(read, (("dev", "all" if full else "most"), ("tsan", "few"))) + [
        each for each in writing if full or each.name.startswith("faults/writes_rest/") == (each.build == "release")
    ] + [Step("faults/temporary_files", "tests/faults/temporary_files_test.py build/dev", "dev"),
         Step("faults/statements", "build/dev/refused_statements --jobs $(nproc) tests/sql", "dev", 7200,
              {"FIRN_FAULTS": "most" if full else "few"})]


def sql_tests(root, full):
    """tests/sql in every mode of FIRN_TEST, and the random queries that engines agree on."""
    if not has_engine(root):
        return []
    modes = ["", "tiny", "wait", "plans"] + (["forms", "spill", "order"] if full else [])
    run = "build/dev/firn_sql_tests --jobs $(nproc)"
    found = [Step(f"sql/{mode or 'plain'}", f"{run} tests/sql", "dev", 3600,
                  {"FIRN_TEST": mode} if mode else {}) for mode in modes]
    if full:
        found += [Step("sql/inline", run.replace("dev", "inline") + " tests/sql", "inline", 3600),
                  Step("sql/forms_tiny", f"{run} tests/sql", "dev", 3600,
                       {"FIRN_TEST": "forms,tiny"})]
    found.append(Step("sql/tsan", "build/tsan/firn_sql_tests tests/sql", "tsan", 3600))
    found.append(Step("sql/release", "build/release/firn_sql_tests tests/sql", "release"))
    duckdb = f"{venv('duckdb')} tests/differential"
    mutated = "tests/differential/mutated_test.py build/dev/firn"
    found += [
        Step("differential/records", f"{duckdb}/records_test.py build/release/firn "
             "tests/sql/functions tests/sql/subquery", "release"),
        Step("differential/random", f"{duckdb}/random_queries_test.py build/release/firn "
             + ("10000" if full else "400"), "release", 3600),
        Step("differential/changes", f"{duckdb}/random_changes_test.py build/release/firn "
             + ("4000" if full else "120"), "release", 3600),
        Step("differential/mutated", f"{mutated} 6000", "dev"),
    ]
    if full:
        found += [Step("differential/mutated/more", f"{mutated} 300000 1000", "dev", 7200)]
        found += [Step(f"differential/mutated/{mode.replace(',', '_')}", f"{mutated} 20000 20000", "dev", 3600,
                       {"FIRN_TEST": mode}) for mode in ("forms", "plans", "tiny,wait")]
    tpch = "TPCH=$(bash tools/dev/tpch_data.sh 0.01)"
    found += [
        Step("tpch/plain", f"{tpch} build/release/firn_sql_tests tests/tpch", "release"),
        Step("tpch/limited", f"{tpch} build/release/firn_sql_tests -s memory_limit=32MB tests/tpch",
             "release"),
        Step("tpch/explain_analyze", "tests/tpch/explain_analyze_test.py build/release/firn "
             "$(bash tools/dev/tpch_data.sh 0.01)", "release"),
        *[Step(f"memory/{part}", f"tests/memory/memory_test.py build/release --part {part}"
               + (" --full" if full else ""), "release", 7200 if full else 1200)
          for part in ("limits", "curves")],
        Step("memory/writing", "tests/memory/writing_test.py build/release $(bash tools/dev/tpch_data.sh "
             + ("10) --full" if full else "0.1)"), "release", 7200 if full else 1200),
        Step("memory/at_once", f"{venv('pyiceberg')} tests/memory/at_once_test.py build/release"
             + (" --full" if full else ""), "release", 1200),
        Step("tpch/sanitized", f"{tpch} {run} tests/tpch", "dev", 3600),
        *[Step(f"tpch/{mode}", f"{tpch} build/release/firn_sql_tests tests/tpch", "release", 3600,
               {"FIRN_TEST": mode}) for mode in modes if mode],
    ]
    agree = f"--leave-out '{LATER_SQL}' $SHARED/sql/fuzz/agree"
    shared = [Step(f"sql/agree/{mode or 'plain'}", f"build/release/firn_sql_tests {agree}", "release",
                   3600, {"FIRN_TEST": mode} if mode else {}) for mode in (modes if full else [""])]
    if full:
        shared += [Step("sql/agree/inline", f"{run.replace('dev', 'inline')} {agree}", "inline", 3600),
                   Step("tpch/scale_1", "tools/test/tpch_check.sh 1", "release", 3600),
                   Step("tpch/scale_1_limited", "tools/test/tpch_check.sh 1 memory_limit=64MB",
                        "release", 3600)]
    return found + of_reference_data(root, shared)


def interop(root, full):
    """What others wrote and serve, from the reference data."""
    found = [Step(f"interop/parquet_{name}", f"FIRN_SHARED=$SHARED build/dev/parquet_{name}_test",
                  "dev", 1800) for name in ("conformance", "filter")]
    found.append(Step("interop/parquet_damage", "FIRN_SHARED=$SHARED build/dev/parquet_filter_test "
                      f"--damage {100 if full else 3}", "dev", 3600))
    if has_engine(root):
        found += [Step(f"conformance/{name}", f"tests/conformance/conformance_{name}.py "
                       f"build/release/firn $SHARED/conformance/{name}", "release", 1800)
                  for name in ("parquet", "iceberg")]
        iceberg = ("tests/conformance/conformance_iceberg.py build/release/firn "
                   "$SHARED/conformance/iceberg" + ("" if full else " --every 5"))
        found += [Step(f"conformance/iceberg/{mode}", iceberg, "release", 3600, {"FIRN_TEST": mode})
                  for mode in ("tiny", "wait", "plans")]
        found.append(Step("conformance/iceberg/small", f"{iceberg} -s threads=1 -s memory_limit=16MB",
                          "release", 3600))
        if full:
            found.append(Step("conformance/parquet/forms", "tests/conformance/conformance_parquet.py "
                              "build/release/firn $SHARED/conformance/parquet", "release", 3600,
                              {"FIRN_TEST": "forms"}))
            found += [Step(f"conformance/{name}/inline", f"tests/conformance/conformance_{name}.py "
                           f"build/inline/firn $SHARED/conformance/{name}", "inline", 7200)
                      for name in ("parquet", "iceberg")]
            found += [Step(f"conformance/{name}/sanitized",
                           f"tests/conformance/conformance_{name}.py build/dev/firn "
                           f"$SHARED/conformance/{name}", "dev", 7200)
                      for name in ("parquet", "iceberg")]
    return of_reference_data(root, found)


def bare(full):
    return [Step("bare", "tests/bare/run.sh", timeout=4 * 3600)] if full else []


def steps(root, full):
    return (lint(full) + unit(full) + programs(root, full) + faults(root, full)
            + sql_tests(root, full) + interop(root, full) + bare(full))


def steps_by_test_name(root, fragment):
    """For `./dev test FRAGMENT` where no step has that name: the tests that have."""
    word = shlex.quote(fragment)
    found = []
    sources = [path.read_text(errors="replace") for path in (root / "src").rglob("*_test.c")]
    if any(re.search(rf"TEST\(\w*{re.escape(fragment)}", text) for text in sources):
        found.append(Step("unit tests", f"build/dev/firn_unit_tests {word}", "dev"))
    if has_engine(root) and any(fragment in str(path) for path in (root / "tests/sql").rglob("*.slt")):
        found.append(Step("SQL files", f"build/dev/firn_sql_tests --filter {word} tests/sql", "dev"))
    return found
