#!/usr/bin/env python3
"""run_steps.py [--full] [--sanitize] [--list] [FILTER] - runs the steps of steps.py, in order.

Prints a line per step with its time and counts, keeps each step's output in build/logs/, shows the
tail of a failed one and ends with exactly

    N passed, N failed, N skipped

Presets are built one after the other, each when the first step needs it; then the steps of that
preset run, as many at once as there are processors, and beside them WAITING_AT_ONCE of those that
mostly wait (`is_waiting`); the longest begin first. A step that keeps all processors busy by itself,
or looks at the clock, runs alone (`is_alone`), when the others are done.

A step counts through its output: the last line "N passed, N failed[, N skipped]", or where there is
none, each line that begins with "ok   ", "FAIL " or "skip " is a test. A step that fails without
having counted a failure counts as one, and so does one that counted nothing: no step passes without
having tested something. A line "stand-in: WHY" says that something else answered than what the step
is about: what passed is no test of that, and the step counts as one that was skipped. Where the
variable CI is set a skipped test is a failed one. Steps that read the reference data are skipped
whole, and counted so, in a clone that has none beside it.
"""
import concurrent.futures
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import steps as step_list

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
LOGS = ROOT / "build" / "logs"
TOTAL = re.compile(r"^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$")
STAND_IN = re.compile(r"^stand-in: (.*)$", re.MULTILINE)
TAIL_LINES = 60
WAITING_AT_ONCE = 2  # Steps that mostly wait, beside one for each processor.
DISK_GB = 12  # Builds 6, other engines 2, spill files of the memory steps.
running = set()  # Process groups of steps.


def stop_all(signal_number, _):
    for group in list(running):
        try:
            os.killpg(group, signal.SIGKILL)
        except ProcessLookupError:
            pass
    os._exit(128 + signal_number)


class Counts:
    def __init__(self, passed=0, failed=0, skipped=0):
        self.passed, self.failed, self.skipped = passed, failed, skipped

    def add(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped

    def __str__(self):
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def count_output(text):
    lines = Counts()
    total = None
    for line in text.splitlines():
        if line.startswith("ok   "):
            lines.passed += 1
        elif line.startswith("FAIL "):
            lines.failed += 1
        elif line.startswith("skip "):
            lines.skipped += 1
        else:
            found = TOTAL.match(line)
            if found:
                total = Counts(*(int(number or 0) for number in found.groups()))
    return total or lines


def judge(code, text, in_ci):
    """What a step that ended comes to: its counts, what is printed of them, its output."""
    counts = count_output(text)
    what = ""
    if code != 0 and counts.failed == 0:
        counts.failed = 1
        text += f"\nexit code {code}"
    elif code == 0 and counts.passed == 0 and counts.failed == 0:
        counts.failed = 1
        text += "\nnothing was tested"
    stand_in = STAND_IN.search(text)
    if stand_in and counts.passed > 0:
        what = f" ({counts.passed} with a stand-in: {stand_in[1]})"
        counts.passed, counts.skipped = 0, counts.skipped + 1
    if counts.skipped > 0 and in_ci:
        text += f"\n{counts.skipped} skipped, and in CI nothing is"
        counts.failed, counts.skipped = counts.failed + counts.skipped, 0
    return counts, f"{counts}{what}", text


def run_command(command, environment, log_path, timeout):
    """Runs a command line into a log file; (exit code, output, seconds of processor time). A
    hanging one is killed whole."""
    with open(log_path, "w+", encoding="utf-8", errors="replace") as log:
        process = subprocess.Popen(["bash", "-c", command], cwd=ROOT, env=environment, stdout=log,
                                   stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                                   start_new_session=True)

        def stop():
            log.write(f"\nstopped after {timeout} s\n")
            log.flush()
            os.killpg(process.pid, signal.SIGKILL)

        timer = threading.Timer(timeout, stop)
        timer.start()
        running.add(process.pid)
        try:
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        finally:
            timer.cancel()
            running.discard(process.pid)
            try:  # Also what it left running.
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
    text = log_path.read_text(encoding="utf-8", errors="replace")
    return process.returncode, text, used.ru_utime + used.ru_stime


class Run:
    def __init__(self):
        self.counts = Counts()
        self.failed = []
        self.built = {}
        self.start = time.time()
        self.processor_seconds = 0.0
        self.lock = threading.Lock()  # Of what is printed and counted.
        self.environment = dict(os.environ, CCACHE_BASEDIR=str(ROOT), CCACHE_NOHASHDIR="1",
                                PYTHONDONTWRITEBYTECODE="1", **step_list.environment(ROOT))

    def report(self, name, times, what, counts, log_path, text):
        failed = counts.failed > 0
        wall, used = times
        with self.lock:
            self.counts.add(counts)
            self.processor_seconds += used
            print(f"{'FAIL' if failed else 'ok'}   {name:<36} {wall:6.1f} s, cpu {used:6.1f} s   "
                  f"{what}", flush=True)
            if not failed:
                return
            self.failed.append(name)
            # What failed may stand far above the end.
            told = [line for line in text.splitlines() if not line.startswith("ok   ")]
            failures = [line for line in told[:-TAIL_LINES] if line.startswith("FAIL ")][:TAIL_LINES]
            print("\n".join("     | " + line for line in failures + told[-TAIL_LINES:]))
            print(f"     | the whole log: {log_path.relative_to(ROOT)}", flush=True)

    def build(self, preset):
        if preset not in self.built:
            log_path = LOGS / f"build.{preset}.log"
            begin = time.time()
            # The count of a build is its result: it compiled without a warning, or it did not.
            code, text, used = run_command(step_list.build_command(preset), self.environment,
                                           log_path, step_list.BUILD_TIMEOUT)
            self.built[preset] = code == 0
            if code != 0:
                errors = [line for line in text.splitlines()
                          if re.search(r"error:|FAILED:|CMake Error|undefined reference", line)]
                text = "\n".join(errors[:TAIL_LINES] or text.splitlines()[-TAIL_LINES:])
            self.report(f"build {preset}", (time.time() - begin, used), "warnings are errors",
                        Counts(passed=int(code == 0), failed=int(code != 0)), log_path, text)
        return self.built[preset]

    def step(self, step):
        log_path = LOGS / (re.sub(r"[^\w.+-]+", "_", step.name) + ".log")
        if step.missing:
            log_path.write_text(f"skip {step.name}: without {step.missing}\n")
            self.report(step.name, (0.0, 0.0), f"skipped, without {step.missing}", Counts(skipped=1),
                        log_path, "")
            return
        if step.build and not self.built[step.build]:
            log_path.write_text("not run: the build failed\n")
            self.report(step.name, (0.0, 0.0), "not run", Counts(failed=1), log_path,
                        "not run: the build failed")
            return
        begin = time.time()
        code, text, used = run_command(step.command, dict(self.environment, **step.variables),
                                       log_path, step.timeout)
        counts, what, text = judge(code, text, bool(os.environ.get("CI")))
        self.report(step.name, (time.time() - begin, used), what, counts, log_path, text)

    def all(self, steps):
        for preset in dict.fromkeys(step.build for step in steps):
            if preset:
                self.build(preset)
            of_preset = [step for step in steps if step.build == preset]
            with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as working, \
                    concurrent.futures.ThreadPoolExecutor(WAITING_AT_ONCE) as waiting:
                done = [(waiting if step.is_waiting else working).submit(self.step, step)
                        for step in sorted(of_preset, key=step_list.place) if not step.is_alone]
            for future in done:
                future.result()
            for step in of_preset:
                if step.is_alone:
                    self.step(step)


def chosen(arguments):
    full, sanitize = "--full" in arguments, "--sanitize" in arguments
    words = [word for word in arguments if not word.startswith("--")]
    unknown = [word for word in arguments
               if word.startswith("--") and word not in ("--full", "--sanitize", "--list")]
    if unknown or len(words) > 1:
        sys.exit("usage: ./dev test [--full] [--sanitize] [--list] [FILTER]")
    all_steps = step_list.steps(ROOT, full)
    if sanitize:
        all_steps = [step for step in all_steps if step.build in step_list.SANITIZED]
    if words:
        named = [step for step in all_steps if words[0] in step.name]
        all_steps = named or step_list.steps_by_test_name(ROOT, words[0])
    return all_steps


def lay_tables():
    """Lays the conformance set where its metadata says, once and before any step: that replaces the
    folder where another set lies there, which steps that run already read."""
    shared = step_list.shared_folder(ROOT)
    lay = shared / "conformance" / "iceberg" / "lay.sh" if shared else None
    if lay is not None and lay.exists():
        subprocess.run(["bash", str(lay)], stdout=subprocess.DEVNULL, check=False)


def main():
    os.chdir(ROOT)
    LOGS.mkdir(parents=True, exist_ok=True)
    wanted = chosen(sys.argv[1:])
    if "--list" in sys.argv:
        print("\n".join(f"{step.name:<44} {step.command}" for step in wanted))
        return 0
    signal.signal(signal.SIGINT, stop_all)
    signal.signal(signal.SIGTERM, stop_all)
    free = shutil.disk_usage(ROOT).free / 1e9
    if free < DISK_GB and len(wanted) > 20:
        print(f"note: {free:.1f} GB are free here; all tests with their builds need {DISK_GB}", flush=True)
    lay_tables()
    run = Run()
    run.all(wanted)
    print(f"{time.time() - run.start:.0f} s, cpu {run.processor_seconds:.0f} s" +
          (", failed: " + ", ".join(run.failed) if run.failed else ""))
    if run.counts.passed + run.counts.failed == 0:
        run.counts.failed = 1
    print(run.counts, flush=True)
    return 1 if run.counts.failed else 0


if __name__ == "__main__":
    sys.exit(main())
