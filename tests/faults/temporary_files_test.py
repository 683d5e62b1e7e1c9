#!/usr/bin/env python3
"""temporary_files_test.py [BUILD] - temporary files: gone after kill -9, and a full disk is said.

The small disk is a tmpfs of 10 MB in a user and mount namespace of its own (unshare -rm), so that
nobody need be root; on a machine that forbids namespaces no file may become larger than 10 MB, which
the engine takes for the same. BUILD is build/dev unless given.
"""
import contextlib
import json
import os
import pathlib
import resource
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "build/dev")
FIRN = str(ROOT / BUILD / "firn")
SMALL = 10 << 20
ROWS = ("(SELECT x, repeat('p', 400) || CAST(x * 7919 % 1000003 AS VARCHAR) AS p "
        "FROM generate_series(1, {}) AS t(x))")
SORT = "SELECT count(*) FROM (SELECT x FROM " + ROWS + " AS q ORDER BY p LIMIT 1000000) AS z"
GROUP = "SELECT count(*) FROM (SELECT p FROM " + ROWS + " AS q GROUP BY p) AS z"
JOIN = ("SELECT count(*) FROM generate_series(1, 1000000) AS a(x) JOIN " + ROWS
        + " AS b ON a.x = b.x WHERE length(b.p) > a.x % 100")


class Wrong(Exception):
    """What was found is not what is wanted."""


def same(found, wanted):
    if found != wanted:
        raise Wrong(f"found  {found!r}\n  wanted {wanted!r}")


def holds(text, *parts):
    for part in parts:
        if part not in text:
            raise Wrong(f"found     {text!r}\n  must hold {part!r}")


class Session:
    """A process of `firn session`, perhaps below another command or with small files."""

    def __init__(self, folder, *settings, below=(), file_size=resource.RLIM_INFINITY):
        settings = [f"temp_directory={folder}", "memory_limit=16MB", *settings]
        command = [*below, FIRN, "session"] + [word for each in settings for word in ("-s", each)]
        # Python ignores SIGXFSZ, and its children should: then the write fails instead.
        # pylint: disable-next=consider-using-with
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, restore_signals=False)
        resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (file_size, file_size))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(60)

    def send(self, sql):
        self.process.stdin.write(json.dumps({"sql": sql}) + "\n")
        self.process.stdin.flush()

    def ask(self, sql):
        self.send(sql)
        line = self.process.stdout.readline()
        if not line:
            raise Wrong(f"firn died at {sql}")
        return json.loads(line)

    def number(self, sql):
        answer = self.ask(sql)
        if "rows" not in answer:
            raise Wrong(json.dumps(answer))
        return int(answer["rows"][0][0])


def spilled_bytes(pid, folder):
    """Bytes on disk of the open files below a folder, whatever their name."""
    size = 0
    for link in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            if os.readlink(link).startswith(folder):
                size += link.stat().st_blocks * 512
    return size


# ---- kill -9 -------------------------------------------------------------------------------------

def nothing_is_left_of_a_killed_process():
    for query in (SORT, GROUP, JOIN):
        with tempfile.TemporaryDirectory(prefix="firn-kill-") as folder:
            with Session(folder) as session:
                session.send(query.format(1000000))
                end = time.monotonic() + 120
                while spilled_bytes(session.process.pid, folder) < 5_000_000:
                    if session.process.poll() is not None or time.monotonic() > end:
                        raise Wrong(f"it never spilled: {query}")
                    time.sleep(0.01)
                same(os.listdir(folder), [])  # It has no name even while it is there.
                session.process.send_signal(signal.SIGKILL)
                session.process.wait()
            same(os.listdir(folder), [])
            with Session(folder) as session:
                same(session.number(SORT.format(60000)), 60000)
            same(os.listdir(folder), [])


# ---- A full disk ---------------------------------------------------------------------------------

def small_disk(folder):
    """How a session is started that has little room in a folder, and what it will hear."""
    mount = f"mount -t tmpfs -o size={SMALL} firn {folder}"
    if subprocess.run(["unshare", "-rm", "sh", "-c", mount], stderr=subprocess.DEVNULL,
                      check=False).returncode == 0:
        return {"below": ["unshare", "-rm", "sh", "-c", f'{mount} && exec "$@"', "sh"]}, "No space left"
    print("this machine forbids namespaces: files are limited instead")
    return {"file_size": SMALL}, "File too large"


def a_full_disk_is_said_and_the_session_goes_on():
    with tempfile.TemporaryDirectory(prefix="firn-full-") as folder:
        options, words = small_disk(folder)
        with Session(folder, **options) as session:
            for query in (SORT, GROUP, JOIN):
                answer = session.ask(query.format(120000))
                if "error" not in answer:
                    raise Wrong(f"{query} has an answer: {answer}")
                same(answer["code"], "53100")
                holds(answer["error"], "i/o: writing ", words)
                holds(" ".join(answer["context"]), f'in temp_directory "{folder}"', " after ",
                      " bytes")
                holds(answer["hint"], "set temp_directory to a disk with more room",
                      "raise memory_limit")
                # Its room is free again: what spills less goes well.
                session.ask("SET memory_limit = '4MB'")
                same(session.number(SORT.format(8000)), 8000)
                session.ask("SET memory_limit = '16MB'")
            session.ask("SET memory_limit = '1GB'")
            same(session.number(SORT.format(120000)), 120000)


def a_copy_that_fills_the_disk_leaves_nothing():
    rows = "COPY (SELECT md5(x::VARCHAR) AS m FROM generate_series(1, {}) AS t(x)) TO '{}' ({})"
    with tempfile.TemporaryDirectory(prefix="firn-full-") as folder:
        options, words = small_disk(folder)
        size = "40MB" if "file_size" in options else "4MB"  # Limited are files, or all of them together.
        with Session(folder, **options) as session:
            for path, more in ((f"{folder}/a.parquet", "COMPRESSION none"),
                               (f"{folder}/b", f"COMPRESSION none, FILE_SIZE '{size}'")):
                answer = session.ask(rows.format(2000000, path, more))
                same(answer.get("code"), "53100")
                holds(answer["error"], "i/o: writing ", words)
                # Its room is free again, which what is written now needs nearly all of.
                answer = session.ask(rows.format(200000, path, more))
                same(answer.get("count"), 200000)
                same(session.ask(rows.format(1, path, "OVERWRITE, FORMAT parquet"
                                             + more[len("COMPRESSION none"):])).get("count"), 1)


def a_folder_that_is_missing_is_named():
    command = [FIRN, "session", "-s", "temp_directory=/nowhere/firn"]
    found = subprocess.run(command, input="", capture_output=True, text=True, timeout=60, check=False)
    same((found.returncode, found.stdout), (2, ""))
    holds(found.stderr, "/nowhere/firn", "temp_directory")
    with tempfile.TemporaryDirectory() as folder, Session(folder) as session:
        answer = session.ask("SET temp_directory = '/nowhere/firn'")
        holds(answer["error"], "/nowhere/firn", "temp_directory")


TESTS = [nothing_is_left_of_a_killed_process, a_full_disk_is_said_and_the_session_goes_on,
         a_copy_that_fills_the_disk_leaves_nothing, a_folder_that_is_missing_is_named]


def main():
    failed = 0
    for test in TESTS:
        try:
            test()
            print(f"ok   {test.__name__}")
        except (Wrong, OSError, subprocess.SubprocessError) as fault:
            failed += 1
            print(f"FAIL {test.__name__}\n  {fault}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
