#!/usr/bin/env python3
"""steps_test.py - tests how run_steps.py counts what a step says, in which order steps begin, and that a
REST server which is not Iceberg's own makes it say so."""
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import traceback

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tools" / "test"))
import run_steps  # noqa: E402
import steps  # noqa: E402

STAND_IN = "stand-in: another server answers: there is no java\n"


def same(got, wanted):
    assert got == wanted, f"\n  got    {got!r}\n  wanted {wanted!r}"


def judged(code, text, in_ci=False):
    return run_steps.judge(code, text, in_ci)[1]


def test_lines_are_counted_or_the_total():
    same(judged(0, "ok   a\nskip b\n"), "1 passed, 0 failed, 1 skipped")
    same(judged(1, "ok   a\nFAIL b\n7 passed, 2 failed\n"), "7 passed, 2 failed, 0 skipped")


def test_what_fails_or_tests_nothing_is_a_failure():
    same(judged(1, "ok   a\n"), "1 passed, 1 failed, 0 skipped")
    same(judged(0, "all is well\n"), "0 passed, 1 failed, 0 skipped")


def test_what_a_stand_in_passes_is_skipped():
    same(judged(0, STAND_IN + "40 passed, 0 failed\n"), "0 passed, 0 failed, 1 skipped (40 with a stand-in: "
         "another server answers: there is no java)")
    same(judged(1, STAND_IN + "39 passed, 1 failed\n"), "0 passed, 1 failed, 1 skipped (39 with a stand-in: "
         "another server answers: there is no java)")


def test_in_ci_nothing_is_skipped():
    same(judged(0, "ok   a\nskip b\n", True), "1 passed, 1 failed, 0 skipped")
    counts, _, _ = run_steps.judge(0, STAND_IN + "40 passed, 0 failed\n", True)
    same(str(counts), "0 passed, 1 failed, 0 skipped")


def test_lists_of_steps_name_some():
    every = [step.name for full in (False, True) for step in steps.steps(ROOT, full)]
    for group in steps.WIDE + steps.TIMED:
        assert group in every, group
    for group in steps.WAITING + steps.LONGEST:
        assert any(steps.begins(name, group) for name in every), group


def test_what_looks_at_the_clock_runs_alone_and_the_longest_begin_first():
    found = sorted(steps.steps(ROOT, False), key=steps.place)
    same([step.name for step in found if step.name in steps.TIMED and (not step.is_alone or step.is_waiting)], [])
    of_tsan = [step.name for step in found if step.build == "tsan"]
    same(of_tsan[0], "unit/tsan")
    assert of_tsan.index("api/streams_test/tsan") > of_tsan.index("faults/sort/tsan")


def start_without_java(folder, **variables):
    """rest_server.sh where PATH has all it needs but java and mvn."""
    programs = pathlib.Path(folder, "bin")
    programs.mkdir()
    for name in ("bash", "curl", "dirname", "mkdir", "python3", "seq", "sleep", "tail"):
        (programs / name).symlink_to(shutil.which(name))
    environment = {name: value for name, value in os.environ.items() if name not in ("CI", "REST_SERVER")}
    return subprocess.run(["bash", str(ROOT / "tests/interop/rest_server.sh"), "0", folder], check=False,
                          capture_output=True, text=True, timeout=120,
                          env={**environment, "PATH": str(programs), "REST_TABLES": "none", **variables})


def test_a_server_of_our_own_says_that_it_stands_in():
    with tempfile.TemporaryDirectory() as folder:
        done = start_without_java(folder)
        same(done.returncode, 0)
        os.kill(int(done.stdout.split()[0]), signal.SIGTERM)
        assert run_steps.STAND_IN.search(done.stderr)[1].endswith("there is no java or no mvn"), done.stderr


def test_in_ci_it_does_not():
    with tempfile.TemporaryDirectory() as folder:
        done = start_without_java(folder, CI="true")
        same((done.returncode, done.stdout), (1, ""))
        assert "(there is no java or no mvn), and in CI nothing is skipped" in done.stderr, done.stderr


def main():
    failed = 0
    tests = [(name, test) for name, test in globals().items() if name.startswith("test_")]
    for name, test in tests:
        try:
            test()
            print(f"ok   {name}")
        except Exception:  # pylint: disable=broad-exception-caught # Each test says how it went.
            failed += 1
            print(f"FAIL {name}\n{traceback.format_exc()}")
    print(f"{len(tests) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
