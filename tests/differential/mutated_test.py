#!/usr/bin/env python3
"""Mutants of SQL statements end in an answer or a clear error:
mutated_test.py FIRN COUNT [FIRST_SEED] [--corpus FOLDER]

Seed N takes one file of tests/sql, runs its statements in a session and between them MUTANTS_PER_SEED
mutants (sql_mutation.py), all made from N alone: `mutated_test.py FIRN 25 N` runs them again. A
mutant fails the test if the program ends or a sanitizer reports, if its error is an internal one,
has no message, no SQLSTATE or a position behind the statement, if the program holds more than
RESIDENT_MAX with the memory limit MEMORY_LIMIT, or if it goes on ANSWER_SECONDS after Ctrl-C. A
statement that takes its time is no failure: what a mutant asks may be much; it is told how many
were stopped. What failed is printed with the shortest session found that fails alike.
"""
import argparse
import json
import os
import pathlib
import random
import re
import select
import signal
import subprocess
import sys
import tempfile
import time

from records_test import records
from sql_mutation import Corpus, Mutator, joined, tokens

ROOT = pathlib.Path(__file__).resolve().parents[2]
MUTANTS_PER_SEED = 25
NEAR = 5  # Records around a mutant's place whose like it is.
FAILURES_MAX = 10
MEMORY_LIMIT = "256MB"
RESIDENT_MAX = 1200 << 20  # Sanitized programs keep what was freed, and a shadow of all.
PATIENCE_SECONDS = 2       # A mutant that takes longer is stopped by Ctrl-C.
ANSWER_SECONDS = 60
MINIMISE_SECONDS = 120
SETTINGS = re.compile(r"memory_limit|threads|temp_directory|http_timeout", re.IGNORECASE)


class Session:
    """`firn session`, whose temporary files lie in `folder`, as does what a mutant writes to a name
    without a folder."""

    def __init__(self, program, folder):
        self.program, self.folder = str(pathlib.Path(program).resolve()), folder
        self.cwd = tempfile.mkdtemp(dir=folder)
        os.symlink(ROOT / "tests", f"{self.cwd}/tests")
        self.process, self.rest = None, b""

    def options(self):
        return ["-s", f"memory_limit={MEMORY_LIMIT}", "-s", "threads=2", "-s", "http_timeout=1s",
                "-s", f"temp_directory={self.folder}"]

    def environment(self):
        asan = "quarantine_size_mb=16:" + os.environ.get("ASAN_OPTIONS", "")
        return dict(os.environ, ASAN_OPTIONS=asan)

    def start(self):
        self.stop()
        self.told = tempfile.TemporaryFile("w+b", dir=self.folder)
        self.rest = b""
        self.process = subprocess.Popen([self.program, "session", *self.options()],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0,
                                        stderr=self.told, cwd=self.cwd,
                                        env=self.environment())

    def stop(self):
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
            self.told.close()
            self.process = None

    def report(self):
        """What the program told, from a sanitizer's first line on."""
        self.told.seek(0)
        text = self.told.read().decode(errors="replace")
        at = re.search(r"ERROR: \w+Sanitizer|runtime error|Assertion", text)
        line = text.rfind("\n", 0, at.start()) + 1 if at else 0
        return text[line:line + 3000]

    def send(self, request, seconds):
        """The line of an answer, "" if the program ended, None if it is still at work."""
        try:
            self.process.stdin.write(json.dumps(request).encode() + b"\n")
        except BrokenPipeError:
            return b""
        end = time.monotonic() + seconds
        while b"\n" not in self.rest:
            if not select.select([self.process.stdout], [], [], max(0, end - time.monotonic()))[0]:
                return None
            more = os.read(self.process.stdout.fileno(), 1 << 20)
            if not more:
                return b""
            self.rest += more
        line, self.rest = self.rest.split(b"\n", 1)
        return line

    def resident(self):
        with open(f"/proc/{self.process.pid}/status") as status:
            return next((int(line.split()[1]) << 10 for line in status if line.startswith("VmHWM")), 0)


def wrong_answer(line, sql):
    """What is wrong with the line of an answer, or None."""
    try:
        answer = json.loads(line)
    except ValueError:
        return "the answer is no JSON"
    if "error" not in answer:
        width = len(answer.get("columns", []))
        uneven = any(len(row) != width for row in answer.get("rows", []))
        return "rows and columns differ" if uneven else None
    message = answer["error"]
    if message.startswith("internal") or answer.get("code") == "XX000":
        return "an internal error: " + message
    if not re.sub(r"^[\w ]+: ", "", message + " ").strip():
        return f"an error without a message: {message!r}"
    if len(answer.get("code", "")) != 5:
        return f"an error without an SQLSTATE: {message!r}"
    if not 0 <= answer.get("position", 0) <= len(sql.encode()):
        return f"an error at {answer['position']}, behind the statement: {message!r}"
    return None


class Tester:
    def __init__(self, program, folder):
        self.session = Session(program, folder)
        self.stopped = self.errors = 0

    def run(self, history, sql, patience=PATIENCE_SECONDS):
        """Runs one statement. What is wrong, or None; `history` is the session so far."""
        line = self.session.send({"sql": sql}, patience)
        if line is None:
            self.stopped += 1
            wrong = self.stop_alone(history, sql)
            self.revive(history)
            return wrong
        if line == b"":
            code = self.session.process.wait()
            return f"CRASH: exit {code}\n{self.session.report()}"
        self.errors += line.startswith(b'{"error"')
        wrong = wrong_answer(line, sql)
        if wrong is None and self.session.resident() > RESIDENT_MAX and not any(
                SETTINGS.search(each) for each in history):
            wrong = f"more than {RESIDENT_MAX >> 20} MB with a memory limit of {MEMORY_LIMIT}"
        return wrong

    def revive(self, history):
        self.session.start()
        for sql in history:
            if not self.session.send({"sql": sql}, ANSWER_SECONDS):
                sys.exit(f"no answer to what was answered before: {sql}")

    @staticmethod
    def wait_for_listener(process):
        """Until Ctrl-C no longer ends it as it ends any program that has just begun."""
        blocked = re.compile(r"^SigBlk:\s*(\w+)$", re.MULTILINE)
        end = time.monotonic() + ANSWER_SECONDS
        while process.poll() is None and time.monotonic() < end:
            found = blocked.search(pathlib.Path(f"/proc/{process.pid}/status").read_text())
            if found and int(found[1], 16) >> (signal.SIGINT - 1) & 1:
                return
            time.sleep(0.01)

    def stop_alone(self, history, sql):
        """Runs a session whose last statement is stopped by Ctrl-C. What is wrong, or None."""
        with tempfile.TemporaryFile("w+b", dir=self.session.folder) as told, \
                tempfile.NamedTemporaryFile("w", dir=self.session.folder, suffix=".sql") as before:
            before.write(";\n".join(history))
            before.flush()
            process = subprocess.Popen(
                [self.session.program, *self.session.options(), "--init", before.name, "-c", sql],
                cwd=self.session.cwd, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=told, env=self.session.environment())
            try:
                process.wait(PATIENCE_SECONDS)
            except subprocess.TimeoutExpired:
                self.wait_for_listener(process)
                process.send_signal(signal.SIGINT)
            try:
                code = process.wait(ANSWER_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                return f"HANG: at work {ANSWER_SECONDS} s after Ctrl-C"
            told.seek(0)
            words = told.read().decode(errors="replace")[:3000]
            return None if code in (0, 1, 130) else f"CRASH: exit {code} after Ctrl-C\n{words}"

    def alike(self, history, sql, wanted):
        """Whether a session of its own fails as `wanted` says; its first words tell."""
        self.session.start()
        for each in history:
            if not self.session.send({"sql": each}, ANSWER_SECONDS):
                return False
        wrong = self.run([], sql) if not wanted.startswith("HANG") else self.stop_alone(history, sql)
        return wrong is not None and wrong.split()[:2] == wanted.split()[:2]

    def shortest(self, history, sql, wrong):
        """A shorter session that fails alike, by leaving out statements, then tokens."""
        end = time.monotonic() + MINIMISE_SECONDS
        if not self.alike(history, sql, wrong):
            return None
        history = without(history, lambda rest: self.alike(rest, sql, wrong), end)
        parts = without(tokens(sql), lambda rest: self.alike(history, joined(rest), wrong), end)
        return [*history, joined(parts)]


def without(items, fails, end):
    """The items without those that `fails` can do without: halves first, then ever less."""
    size = max(1, len(items) // 2)
    while time.monotonic() < end:
        at, is_less = 0, False
        while at < len(items) and time.monotonic() < end:
            rest = items[:at] + items[at + size:]
            if fails(rest):
                items, is_less = rest, True
            else:
                at += size
        if size == 1 and not is_less:
            break
        size = max(1, size // 2)
    return items


def statements_of(path):
    """(SQL, whether it is to fail) of a file's records."""
    return [(sql.replace("${ROOT}", str(ROOT)), head.split()[1] == "error")
            for _, head, sql, _ in records(path) if sql]


def is_query(sql):
    return re.match(r"\s*(select|with|values|from|explain|show|describe|\()", sql, re.IGNORECASE)


class Run:
    """Seeds, and what came of them."""

    def __init__(self, options, folder):
        self.files = [each for each in map(statements_of, sorted(options.corpus.rglob("*.slt"))) if each]
        self.tester = Tester(options.firn, folder)
        self.tester.session.start()
        answer = json.loads(self.tester.session.send({"sql": "SHOW FUNCTIONS"}, ANSWER_SECONDS))
        names = {row[0] for row in answer["rows"] if row[0].isidentifier()}
        self.corpus = Corpus([sql for each in self.files for sql, _ in each], names)
        self.passed = self.failed = 0
        self.folder = folder

    def statements(self, seed):
        """(statement, whether it is a mutant): what seed N runs, one after the other."""
        chance = random.Random(seed)
        mutator = Mutator(self.corpus, chance)
        own = chance.choice(self.files)
        # What fails anyway says less: it is the model of fewer.
        models = [(i, tokens(sql)) for i, (sql, fails) in enumerate(own)
                  if tokens(sql) and (not fails or chance.random() < 0.2)]
        models = models or [(0, tokens(own[0][0]) or ["SELECT", "1"])]
        places = sorted(chance.randrange(len(own)) for _ in range(MUTANTS_PER_SEED))
        for i, (sql, _) in enumerate(own):
            yield sql, False
            for _ in range(places.count(i)):
                near = [parts for at, parts in models if abs(at - i) <= NEAR]
                if not near or chance.random() < 0.3:
                    near = [parts for _, parts in models]
                model = chance.choice(near)
                other = chance.choice(near if chance.random() < 0.5 else self.corpus.statements)
                mutant = joined(mutator.mutant(model, other))
                if mutant and (not SETTINGS.search(mutant) or SETTINGS.search(joined(model))):
                    yield mutant, True

    def seed(self, number):
        """In a folder of its own, where statements write."""
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            self.run_statements(number, folder)

    def run_statements(self, number, folder):
        history = []
        self.tester.session.send({"op": "reset"}, ANSWER_SECONDS)
        for written, is_mutant in self.statements(number):
            sql = written.replace("${TMP}", folder)
            patience = PATIENCE_SECONDS if is_mutant else ANSWER_SECONDS
            before = self.tester.errors
            wrong = self.tester.run(history, sql, patience)
            if wrong is not None:
                self.tell(number, history, sql, wrong)
                self.tester.session.start()
                return
            self.passed += is_mutant
            if self.tester.errors == before and not is_query(sql):
                history.append(sql)

    def tell(self, seed, history, sql, wrong):
        self.failed += 1
        print(f"FAIL seed {seed}: {wrong}\nstatement: {sql}", flush=True)
        shortest = self.tester.shortest(history, sql, wrong)
        if shortest is None:
            print("(it does not fail by itself behind what the session kept)", flush=True)
        else:
            print("shortest: " + ";\n  ".join(shortest), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("firn")
    parser.add_argument("count", type=int, help="mutants")
    parser.add_argument("first", type=int, nargs="?", default=0, help="the first seed")
    parser.add_argument("--corpus", type=pathlib.Path, default=ROOT / "tests/sql")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        run = Run(options, folder)
        seed = options.first
        while run.passed + run.failed < options.count and run.failed < FAILURES_MAX:
            run.seed(seed)
            seed += 1
        run.tester.session.stop()
    print(f"seeds {options.first} to {seed - 1}: {run.tester.stopped} statements stopped by Ctrl-C, "
          f"{run.tester.errors} errors")
    print(f"{run.passed} passed, {run.failed} failed, 0 skipped")
    return 1 if run.failed else 0


if __name__ == "__main__":
    sys.exit(main())
